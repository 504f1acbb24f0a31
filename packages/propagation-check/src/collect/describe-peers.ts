import type { EndedCalls } from '../rules/draft.ts';
import { sumOf } from '../util/statistics.ts';
import type { Result, UnjudgedEdge } from '../verdict/result.ts';

export const expectExample = '--expect "CALLER -> CALLED"';

export const emitNone = 'calls to peers that emit none';

/** Counts the calls without a SERVER span by how they ended. @param said Calls that have a note of their own. */
export function describePeers(
  findings: Result['findings'],
  said: readonly UnjudgedEdge[] = [],
): readonly string[] {
  const peers = findings.filter((finding) => finding.id === 'uninstrumented-peer');
  const saidOf = (isOfKnown: boolean): number =>
    sumOf(said.flatMap(({ calls, why }) => ((why !== undefined) === isOfKnown ? [calls] : [])));
  const countEnded = (how: keyof EndedCalls): number => sumOf(peers.map(({ ended }) => ended?.[how] ?? 0));
  const failed = countEnded('failed');
  const unavailable = countEnded('unavailable');
  const aborted = countEnded('aborted');
  const ofKnown = countEnded('answered');
  const others = sumOf(peers.map(({ count }) => count)) - failed - unavailable - aborted - ofKnown;
  const answered = Math.max(0, ofKnown - saidOf(true));
  // A cache may answer for a peer without whole calls: such calls count among the others.
  const unseen = Math.max(0, others - saidOf(false) - Math.max(0, saidOf(true) - ofKnown));
  const parts = [
    ...(unseen > 0 ? [`${unseen} ${unseen === 1 ? 'is' : 'are'} taken for ${emitNone}`] : []),
    ...(failed > 0 ? [`${failed} failed before an answer`] : []),
    ...(unavailable > 0
      ? [
          `${unavailable} ended with a status that a hop may have given, such as 503 (14 of gRPC: a hop or the caller's own library)`,
        ]
      : []),
    ...(aborted > 0 ? [`the caller ended ${aborted}`] : []),
    ...(answered > 0
      ? [
          `${answered} went to an address of which other calls are whole (a cache or a hop answered, or the SERVER span is lost)`,
        ]
      : []),
  ];
  const all = unseen + failed + unavailable + aborted + answered;
  if (all === 0) return [];
  return [`${all === 1 ? '1 call has' : `${all} calls have`} no SERVER span: ${parts.join(', ')}`];
}
