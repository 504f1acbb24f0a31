import { type Call, viewCalls } from '../calls/call-group.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import { isRoot } from '../graph/trace-graph.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { pairContained } from '../pairing/contained.ts';
import type { Pair } from '../pairing/pair.ts';
import type { Span } from '../span/span.ts';
import { hasError, isExpectedDirectly, type Scene } from './check.ts';
import { gate, rule } from './rule.ts';
import { finding as splitTrace } from './split-trace.ts';

/** An expected edge between spans without kinds. */
interface PartlySplitEdge {
  readonly scene: Scene;
  readonly edge: ExpectedEdge;
  readonly whole: readonly Call[];
  /** Spans of the caller like those of whole calls, that called nobody, and such roots of the callee. */
  readonly bereft: readonly Span[];
  readonly roots: readonly Span[];
  /** The roots that lie inside of a span that called nobody. */
  readonly pairs: readonly Pair[];
  /** An error of this edge is reported already. */
  readonly isJudged: boolean;
}

/**
 * An expected edge that is whole in most calls and missing in others, while as many roots of the callee begin inside of requests that
 * lack it, one to one. Spans without kinds tell nothing else: where CLIENT and SERVER spans stand on the edge, `splitTraces` judges.
 */
export const partlySplitEdges = rule<PartlySplitEdge>({
  finding: splitTrace,
  measure: (scene, open) =>
    scene.expectation.edges.flatMap((edge) => {
      const groups = scene
        .groupsBetween(edge.client, edge.server)
        .filter(({ clientKind, serverKind }) => isUnknown(clientKind) && isUnknown(serverKind));
      const whole = viewCalls(scene.graph, groups);
      if (whole.length === 0 || !isExpectedDirectly(scene, edge.client, edge.server)) return [];
      const callers = new Set(whole.map((call) => call.client.name));
      const callees = new Set(whole.map((call) => call.server.name));
      const continued = new Set(whole.map((call) => call.client));
      const selectSpans = (service: string, names: ReadonlySet<string>): readonly Span[] =>
        scene
          .selectSpans(service, (row) => names.has(scene.facts.nameOf(row)))
          .filter(({ kind }) => isUnknown(kind));
      const bereft = selectSpans(edge.client, callers).filter((span) => !continued.has(span));
      const roots = selectSpans(edge.server, callees).filter(isRoot);
      const pairs = pairContained(bereft, roots, scene.thresholds);
      const isJudged = hasError(open, edge);
      return pairs.length === 0 ? [] : [{ scene, edge, whole, bereft, roots, pairs, isJudged }];
    }),
  gates: [
    gate(
      'nothing else is reported of the edge',
      ({ isJudged }) => !isJudged,
      () => 'an error is',
    ),
    gate(
      'several roots lie inside of spans that called nobody',
      ({ scene: { thresholds }, pairs }) => pairs.length >= thresholds.fewestPartlySplit,
      ({ scene: { thresholds }, pairs }) => `${pairs.length}, at least ${thresholds.fewestPartlySplit}`,
    ),
    gate(
      'most calls are whole',
      ({ pairs, whole }) => pairs.length < whole.length,
      ({ pairs, whole }) => `${whole.length} whole, ${pairs.length} split`,
    ),
    gate(
      'nearly all roots and nearly all spans that called nobody pair up',
      ({ scene: { thresholds }, pairs, roots, bereft }) =>
        pairs.length >= roots.length * thresholds.partlySplitShare &&
        pairs.length >= bereft.length * thresholds.partlySplitShare,
      ({ pairs, roots, bereft }) =>
        `${pairs.length} pairs of ${bereft.length} spans that called nobody and ${roots.length} roots`,
    ),
    gate(
      'pairs fit nothing else, or fewer would pair up by chance',
      (edge) => areUnique(edge) || isBeyondChance(edge),
      ({ pairs }) => `${countUnique(pairs)} of ${pairs.length} fit nothing else`,
    ),
  ],
  looseEnds: ({ pairs }) => pairs.flatMap(({ client, server }) => [client, server]),
  report: ({ edge, pairs }) =>
    splitTrace.report({
      client: edge.client,
      server: edge.server,
      protocol: 'internal',
      candidates: ['header-stripped', 'header-not-sent', 'header-ignored', 'format-mismatch'],
      shown: pairs.map(({ client, server }) => ({
        client,
        server,
        says: `"${server.name}" is a root of trace ${server.traceId}, made while "${client.name}" was open and called nobody`,
      })),
    }),
});

function countUnique(pairs: readonly Pair[]): number {
  return pairs.filter((pair) => pair.unique).length;
}

function areUnique({ scene: { thresholds }, pairs }: PartlySplitEdge): boolean {
  return countUnique(pairs) >= pairs.length * thresholds.uniqueShare;
}

function isBeyondChance({ scene: { thresholds }, pairs, bereft, roots }: PartlySplitEdge): boolean {
  const countPairs = (moved: readonly Span[]): number => pairContained(bereft, moved, thresholds).length;
  return isMoreThanChance(roots, pairs.length, countPairs, thresholds);
}

/** Spans made by hand: INTERNAL is the default of the API, and older formats have no kind. */
function isUnknown(kind: Span['kind']): boolean {
  return kind === 'INTERNAL' || kind === 'UNSPECIFIED';
}
