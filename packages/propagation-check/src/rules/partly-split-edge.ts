import { type CallGroup, countCalls, type EdgeProtocol, groupCalls } from '../calls/call-group.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { pairContained } from '../pairing/contained.ts';
import { areMostlyUnique } from '../pairing/displaced.ts';
import type { Pair } from '../pairing/pair-spans.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { keyFor } from '../util/group-by.ts';
import { gate, rule } from './rule.ts';
import type { Scene } from './scene.ts';
import { finding as splitTrace } from './split-trace.ts';

/** An edge whose callers make no CLIENT spans. */
interface PartlySplitEdge {
  readonly client: string | null;
  readonly server: string | null;
  readonly protocol: EdgeProtocol;
  readonly isExpected: boolean;
  readonly whole: readonly CallGroup[];
  /**
   * Spans of the caller like those that made whole calls, but without a call to the callee; and roots like the spans that whole calls
   * reached.
   */
  readonly withoutCall: readonly Span[];
  readonly roots: readonly Span[];
  /** Roots with the spans without a call that enclose them. */
  readonly pairs: readonly Pair[];
}

/**
 * An edge that is whole in most calls, while in the others roots of the callee begin within requests that lack the call, one to one. Only
 * for edges whose calls have no CLIENT span (a span made by hand, or the handler of a request): otherwise `splitTraces` judges.
 */
export const partlySplitEdges = rule<PartlySplitEdge>({
  finding: splitTrace,
  measure: (scene, open) => {
    const { graph } = scene;
    const explained = new Set(
      [...open.explained()].flatMap((span) => (span === null ? [] : [graph.rowOf(span)])),
    );
    return groupCalls(scene.groups.filter(isByHand)).flatMap((whole): readonly PartlySplitEdge[] => {
      const { client, server, protocol } = whole[0];
      const isExpected = scene.shared.isExpectedDirectly(client, server);
      const isOpenRoot = (row: number): boolean => graph.isRoot(row) && !explained.has(row);
      const roots = selectLike(scene, server, whole, 'servers', isOpenRoot);
      if (roots.length === 0) return [];
      const called = new Set(whole.flatMap(({ clients }) => [...clients]));
      const lacksCall = (row: number): boolean => !called.has(row) && !explained.has(row);
      const withoutCall = selectLike(scene, client, whole, 'clients', lacksCall);
      const pairs = pairContained(withoutCall, roots, scene.thresholds);
      return [{ client, server, protocol, isExpected, whole, withoutCall, roots, pairs }];
    });
  },
  gates: [
    gate(
      'several roots lie inside of spans that did not call',
      ({ pairs, isExpected }, scene) => pairs.length >= countFewest(scene, isExpected),
      ({ pairs, isExpected }, scene) => `${pairs.length}, at least ${countFewest(scene, isExpected)}`,
    ),
    gate(
      'most calls are whole',
      ({ pairs, whole }) => pairs.length < countCalls(whole),
      ({ pairs, whole }) => `${countCalls(whole)} whole, ${pairs.length} split`,
    ),
    gate(
      'nearly all roots and nearly all spans that did not call pair up',
      ({ pairs, roots, withoutCall }, { thresholds }) =>
        pairs.length >= roots.length * thresholds.everyRequestShare &&
        pairs.length >= withoutCall.length * thresholds.everyRequestShare,
      ({ pairs, roots, withoutCall }) =>
        `${countOf(pairs.length, 'pair')} of ${countOf(withoutCall.length, 'span')} that did not call and ${countOf(roots.length, 'root')}`,
    ),
    gate(
      'pairs fit nothing else, or fewer would pair up by chance',
      (edge, scene) => areMostlyUnique(edge.pairs, scene.thresholds) || isBeyondChance(edge, scene),
      ({ pairs }) => `${pairs.filter(({ unique }) => unique).length} of ${pairs.length} fit nothing else`,
    ),
  ],
  looseEnds: ({ pairs }) => pairs.flatMap(({ client, server }) => [client, server]),
  report: ({ client, server, protocol, pairs }) =>
    splitTrace.report({
      client,
      server,
      protocol,
      candidates: ['header-stripped', 'header-not-sent', 'header-ignored', 'format-mismatch'],
      shown: pairs.map((pair) => ({
        client: pair.client,
        server: pair.server,
        says: `"${pair.server.name}" is a root of trace ${pair.server.traceId}, made while "${pair.client.name}" was open and did not call`,
      })),
    }),
});

/** Whether the calls start at a span made by hand or at the handler of a request: the call has no span of its own. */
function isByHand({ clientKind, protocol }: CallGroup): boolean {
  return protocol !== 'messaging' && clientKind !== 'CLIENT';
}

/** The spans of a service that `isMeant` accepts and that have the name, kind and scope of one side of whole calls. */
function selectLike(
  { facts, graph, selectSpans }: Scene,
  service: string | null,
  whole: readonly CallGroup[],
  side: 'clients' | 'servers',
  isMeant: (row: number) => boolean,
): readonly Span[] {
  const { kinds } = graph.store;
  const likenessOf = (row: number): string => keyFor(facts.nameOf(row), kinds[row] ?? 0, facts.scopeOf(row));
  const known = new Set<string>();
  for (const group of whole) for (const row of group[side]) known.add(likenessOf(row));
  return selectSpans(service, (row) => isMeant(row) && known.has(likenessOf(row)));
}

/** Only times support an edge that is not expected, so it needs more pairs. */
function countFewest({ thresholds }: Scene, isExpected: boolean): number {
  return isExpected ? thresholds.fewestPartlySplit : thresholds.fewestDisplaced;
}

function isBeyondChance({ pairs, withoutCall, roots }: PartlySplitEdge, { thresholds }: Scene): boolean {
  const countPairs = (moved: readonly Span[]): number => pairContained(withoutCall, moved, thresholds).length;
  return isMoreThanChance(roots, pairs.length, countPairs, thresholds);
}
