import { isRoot } from '../graph/trace-graph.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { endsWithin, type Pair, pairSpans, startsDuring, type Tolerances } from '../pairing/pair.ts';
import type { Span } from '../span/span.ts';
import { type Check, isExpectedDirectly } from './check.ts';
import { finding as splitTrace } from './split-trace.ts';

/**
 * An expected edge that is whole in most calls and missing in others, while as many roots of the callee begin inside of requests that
 * lack it, one to one. Spans without kinds tell nothing else: where CLIENT and SERVER spans stand on the edge, `findSplitTraces` judges.
 */
export const findPartlySplitEdges: Check = (scene, open) =>
  scene.expectation.edges.flatMap((edge) => {
    const whole = scene
      .callsBetween(edge.client, edge.server)
      .filter(({ client, server }) => isWithoutKind(client) && isWithoutKind(server));
    const isJudged = open.found.some(
      (draft) => draft.severity === 'error' && draft.client === edge.client && draft.server === edge.server,
    );
    if (whole.length === 0 || isJudged || !isExpectedDirectly(scene, edge.client, edge.server)) return [];
    const callers = new Set(whole.map((call) => call.client.name));
    const callees = new Set(whole.map((call) => call.server.name));
    const continued = new Set(whole.map((call) => call.client));
    const bereft = scene
      .spansOf(edge.client)
      .filter((span) => callers.has(span.name) && isWithoutKind(span) && !continued.has(span));
    const roots = scene
      .spansOf(edge.server)
      .filter((span) => callees.has(span.name) && isWithoutKind(span) && isRoot(span));
    const { thresholds } = scene;
    const pairs = pairContained(bereft, roots, thresholds);
    if (pairs.length < thresholds.fewestPartlySplit || pairs.length >= whole.length) return [];
    const least = thresholds.partlySplitShare;
    if (pairs.length < roots.length * least || pairs.length < bereft.length * least) return [];
    const isUnique = pairs.filter((pair) => pair.unique).length >= pairs.length * thresholds.uniqueShare;
    const countPairs = (moved: readonly Span[]): number => pairContained(bereft, moved, thresholds).length;
    if (!isUnique && !isMoreThanChance(roots, pairs.length, countPairs, thresholds)) return [];
    return [
      splitTrace.report({
        client: edge.client,
        server: edge.server,
        protocol: 'internal' as const,
        candidates: ['header-stripped', 'header-not-sent', 'header-ignored', 'format-mismatch'] as const,
        shown: pairs.map(({ client, server }) => ({
          client,
          server,
          says: `"${server.name}" is a root of trace ${server.traceId}, made while "${client.name}" was open and called nobody`,
        })),
      }),
    ];
  });

/** Spans made by hand: INTERNAL is the default of the API, and older formats have no kind. */
function isWithoutKind({ kind }: Span): boolean {
  return kind === 'INTERNAL' || kind === 'UNSPECIFIED';
}

function pairContained(
  outer: readonly Span[],
  inner: readonly Span[],
  tolerances: Tolerances,
): readonly Pair[] {
  return pairSpans(
    outer,
    inner,
    (one, other) => startsDuring(other, one, tolerances) && endsWithin(other, one, tolerances),
    tolerances,
  );
}
