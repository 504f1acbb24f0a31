import type { Thresholds } from '../rules/thresholds.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import { tellJudged } from '../util/tell-judged.ts';
import { areMostlyJudged } from './are-mostly-judged.ts';
import { leavesOpen } from './leaves-open.ts';
import { type EdgeResult, type Finding, isSameEdge, type Undecided } from './result.ts';

/**
 * Edges of which warnings leave at least as many calls open as are judged. Other edges that are whole say nothing of these.
 *
 * @param findings Those that nothing tolerates.
 */
export function listOpenEdges(
  edges: readonly EdgeResult[],
  findings: readonly Finding[],
  thresholds: Thresholds,
): readonly Undecided[] {
  const open = findings.filter((finding) => leavesOpen(finding) && finding.count > 0);
  return groupBy(open, ({ client, server }) => keyFor(client, server)).flatMap(
    (ofEdge): readonly Undecided[] => {
      const {
        client,
        server,
        id,
        decide = [],
      } = ofEdge.reduce((most, one) => (one.count > most.count ? one : most));
      const judged = countJudged(edges, { client, server });
      const calls = judged + ofEdge.reduce((sum, { count }) => sum + count, 0);
      if (areMostlyJudged(judged, calls, thresholds)) return [];
      const [step] = decide;
      const decides = step === undefined ? '' : `; to decide: ${step.split('\n')[0]}`;
      const left = `${tellJudged(judged, calls)} (${id} leaves ${judged === 0 ? 'them' : 'the others'} open)`;
      return [{ client, server, says: `${left}${decides}`, finding: id }];
    },
  );
}

/** Whole and broken ones. */
function countJudged(edges: readonly EdgeResult[], sides: Pick<EdgeResult, 'client' | 'server'>): number {
  return edges.reduce((sum, edge) => sum + (isSameEdge(edge, sides) ? edge.calls : 0), 0);
}
