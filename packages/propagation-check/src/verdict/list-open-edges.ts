import type { FindingId } from '../rules/finding.ts';
import type { Thresholds } from '../rules/thresholds.ts';
import { countOf } from '../util/count-of.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import type { EdgeResult, Finding, Undecided } from './result.ts';

/** Symptoms of calls whose context may not have arrived. With `missing-client` the called service continues the trace. */
const untold: readonly FindingId[] = ['missing-call', 'missing-server', 'split-trace'];

/** Whether a finding leaves open whether the calls of an edge are whole: a warning, and no cause. */
export function leavesOpen({
  id,
  severity,
  client,
  server,
}: Pick<Finding, 'id' | 'severity' | 'client' | 'server'>): boolean {
  return (
    severity === 'warning' && untold.includes(id) && client !== null && server !== null && client !== server
  );
}

/**
 * Edges of which warnings leave at least as many calls open as are judged. Other edges that are whole say nothing of these.
 *
 * @param findings Those that nothing tolerates.
 */
export function listOpenEdges(
  edges: readonly EdgeResult[],
  findings: readonly Finding[],
  { judgedShare }: Thresholds,
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
      if (judged > calls * judgedShare) return [];
      const [step] = decide;
      const decides = step === undefined ? '' : `; to decide: ${step.split('\n')[0]}`;
      const left = `${tellJudged(judged, calls)} (${id} leaves ${judged === 0 ? 'them' : 'the others'} open)`;
      return [{ client, server, says: `${left}${decides}`, finding: id }];
    },
  );
}

/** Whole and broken ones. */
export function countJudged(
  edges: readonly EdgeResult[],
  { client, server }: Pick<EdgeResult, 'client' | 'server'>,
): number {
  return edges.reduce(
    (sum, edge) => sum + (edge.client === client && edge.server === server ? edge.calls : 0),
    0,
  );
}

/** `14 of 30 calls judged`. */
export function tellJudged(judged: number, calls: number): string {
  return `${judged === 0 ? 'none' : judged} of ${countOf(calls, 'call')} judged`;
}
