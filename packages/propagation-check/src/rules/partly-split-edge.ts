import { viewCalls } from '../calls/call-group.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { endsWithin, type Pair, pairSpans, startsDuring } from '../pairing/pair.ts';
import type { Span } from '../span/span.ts';
import { type Check, isExpectedDirectly } from './check.ts';

/** Fewer roots inside of requests that lack the call may be callers from outside. */
const fewestPairs = 3;

/**
 * An expected edge that is whole in most calls and missing in others, while as many roots of the callee begin inside of requests that
 * lack it, one to one. Spans without kinds tell nothing else: where CLIENT and SERVER spans stand on the edge, `findSplitTraces` judges.
 */
export const findPartlySplitEdges: Check = (scene, open) =>
  scene.expectation.edges.flatMap((edge) => {
    const groups = scene
      .groupsBetween(edge.client, edge.server)
      .filter(({ clientKind, serverKind }) => isWithoutKind(clientKind) && isWithoutKind(serverKind));
    const isJudged = open.found.some(
      (draft) => draft.severity === 'error' && draft.client === edge.client && draft.server === edge.server,
    );
    if (groups.length === 0 || isJudged || !isExpectedDirectly(scene, edge.client, edge.server)) return [];
    const whole = viewCalls(scene.graph, groups);
    const callers = new Set(whole.map((call) => call.client.name));
    const callees = new Set(whole.map((call) => call.server.name));
    const continued = new Set(whole.map((call) => call.client));
    const bereft = scene
      .spansOf(edge.client)
      .filter((span) => callers.has(span.name) && isWithoutKind(span.kind) && !continued.has(span));
    const roots = scene
      .selectSpans(edge.server, (row) => scene.graph.isRoot(row))
      .filter((span) => callees.has(span.name) && isWithoutKind(span.kind));
    const pairs = pairContained(bereft, roots);
    if (pairs.length < fewestPairs || pairs.length >= whole.length) return [];
    if (!areAsMany(pairs, roots) || !areAsMany(pairs, bereft)) return [];
    const isUnique = pairs.filter((pair) => pair.unique).length * 2 >= pairs.length;
    if (!isUnique && !isMoreThanChance(roots, pairs.length, (moved) => pairContained(bereft, moved).length)) {
      return [];
    }
    return [
      {
        id: 'split-trace' as const,
        severity: 'error' as const,
        client: edge.client,
        server: edge.server,
        protocol: 'internal' as const,
        candidates: ['header-stripped', 'header-not-sent', 'header-ignored', 'format-mismatch'] as const,
        shown: pairs.map(({ client, server }) => ({
          client,
          server,
          says: `"${server.name}" is a root of trace ${server.traceId}, made while "${client.name}" was open and called nobody`,
        })),
      },
    ];
  });

/** Spans made by hand: INTERNAL is the default of the API, and older formats have no kind. */
function isWithoutKind(kind: Span['kind']): boolean {
  return kind === 'INTERNAL' || kind === 'UNSPECIFIED';
}

/** All but one in ten: captures are cut at both ends. */
function areAsMany(pairs: readonly Pair[], spans: readonly Span[]): boolean {
  return pairs.length * 10 >= spans.length * 9;
}

function pairContained(outer: readonly Span[], inner: readonly Span[]): readonly Pair[] {
  return pairSpans(outer, inner, (one, other) => startsDuring(other, one) && endsWithin(other, one));
}
