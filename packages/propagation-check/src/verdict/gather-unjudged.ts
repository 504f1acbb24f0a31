import type { Draft } from '../rules/draft.ts';
import type { LooseEnds, Scene } from '../rules/scene.ts';
import { withoutCallsToPeers } from '../rules/uninstrumented-peer.ts';
import { listCallsAfterRequests } from './list-calls-after-requests.ts';
import { listOpenCalls } from './list-open-calls.ts';
import { listPossibleCalls } from './list-possible-calls.ts';
import { listSecondAttempts } from './list-second-attempts.ts';
import { listUncalled } from './list-uncalled.ts';
import {
  listBesideReported,
  listUncovered,
  listUnjudged,
  listUnjudgedRoots,
  type SilentCalls,
  type UnjudgedCalls,
} from './list-unjudged.ts';
import { listUnreceived } from './list-unreceived.ts';
import { listUnseenHops } from './list-unseen-hops.ts';
import type { OpenCalls } from './open-calls.ts';
import { findPossibleSides } from './possible-sides.ts';
import type { Undecided } from './result.ts';

/** Calls and edges that are neither in a finding nor whole, for the result, its notes and `--explain`. */
export interface Unjudged {
  readonly calls: readonly UnjudgedCalls[];
  /** Calls of edges that have whole calls; counted as unjudged calls of those edges. */
  readonly ofEdges: readonly OpenCalls[];
  readonly undecided: readonly Undecided[];
  /** The drafts without the calls that were taken for calls to peers and belong to such edges. */
  readonly drafts: readonly Draft[];
}

export function gatherUnjudged(scene: Scene, looseEnds: LooseEnds, found: readonly Draft[]): Unjudged {
  const uncovered = listUncovered(scene, looseEnds, found);
  const beside = listBesideReported(scene, found);
  const explained = new Set([...uncovered, ...beside].flatMap(({ spans }) => spans));
  const drafts = withoutCallsToPeers(scene, found, explained);
  const possible = listPossibleCalls(scene, looseEnds.roots, drafts);
  const duringRequests = listUnjudgedRoots(scene, looseEnds.roots, drafts);
  // Each edge once, by the first list that has it.
  const mayBeCalls = [
    ...duringRequests,
    ...possible.unjudged,
    ...listSecondAttempts(scene, looseEnds.roots, drafts),
  ].filter(
    ({ edge }, at, all) =>
      at < duringRequests.length ||
      !all.slice(0, at).some((one) => one.edge.client === edge.client && one.edge.peer === edge.peer),
  );
  const sides = findPossibleSides(scene, looseEnds.roots);
  const unreceived = listUnreceived(scene, looseEnds, drafts, sides);
  const unanswered = listUnjudged(scene, drafts, sides);
  const named = [
    ...unanswered,
    ...unreceived.filter(({ mayBeUnlinked }) => mayBeUnlinked !== true),
    ...uncovered.map(describeUncovered),
    ...listUnseenHops(scene),
    ...listCallsAfterRequests(scene, drafts),
    ...mayBeCalls,
  ];
  const calls = [...named, ...listUncalled(scene, looseEnds.roots, drafts, named, sides)];
  const ofEdges = listOpenCalls(scene, drafts, looseEnds.roots, {
    unanswered,
    unreceived,
    uncovered,
    beside,
  });
  return { calls, ofEdges, undecided: possible.undecided, drafts };
}

function describeUncovered({ client, server, peer, calls, spans }: SilentCalls): UnjudgedCalls {
  return {
    edge: { client, peer, calls, server },
    spans,
    says: `other calls to ${peer} are whole, and ${server} delivered no span from the time of this one`,
  };
}
