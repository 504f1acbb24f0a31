import { selectCalls } from '../calls/call-group.ts';
import { isHealthProbe } from '../calls/probes.ts';
import { isExpected } from '../expect/expectation.ts';
import { pairSpans } from '../pairing/pair-spans.ts';
import type { Draft } from '../rules/draft.ts';
import { isNextAttempt } from '../rules/lost-attempts.ts';
import type { LooseEnds, Scene } from '../rules/scene.ts';
import { indexIntervals } from '../util/interval-index.ts';
import { describePossible, isReported, type UnjudgedCalls } from './list-unjudged.ts';

/**
 * Requests at the callee of an expected edge that began traces within a whole call, after its child: second attempts whose context was lost,
 * or requests of others.
 */
export function listSecondAttempts(
  scene: Scene,
  roots: LooseEnds['roots'],
  drafts: readonly Draft[],
): readonly UnjudgedCalls[] {
  const { graph, groups, expectation, thresholds } = scene;
  return groups.flatMap((group) => {
    const { client, server, clientKind, serverKind } = group;
    if (client === null || server === null || client === server) return [];
    if (clientKind !== 'CLIENT' || serverKind !== 'SERVER' || !isExpected(expectation, client, server))
      return [];
    const began = roots.of(server).filter((root) => root.kind === 'SERVER' && !isHealthProbe(root));
    if (began.length === 0 || isReported(drafts, { client, server })) return [];
    const starts = Float64Array.from(began, (root) => graph.starts[graph.rowOf(root)] ?? 0);
    const beginnings = indexIntervals(starts, starts);
    const calls = selectCalls(graph, [group], (call, child) => {
      const [found] = beginnings.openBetween(graph.ends[child] ?? 0, graph.ends[call] ?? 0);
      return found !== undefined;
    });
    const childOf = new Map(calls.map((call) => [call.client, call.server]));
    const pairs = pairSpans(
      [...childOf.keys()],
      began,
      (call, root) => isNextAttempt(scene, call, childOf.get(call), root),
      thresholds,
    );
    if (pairs.length === 0) return [];
    return [
      describePossible(
        scene,
        { client, server },
        pairs.map((pair) => pair.server),
      ),
    ];
  });
}
