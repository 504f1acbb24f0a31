import { formatTime } from '../../report/format-time.ts';
import { sumCalls } from '../../report/summary.ts';
import { nameEdge } from '../../report/terminal-edges.ts';
import { countOf } from '../../util/count-of.ts';
import type { AuditResult } from '../audit-result.ts';
import { placeOf } from '../edge-place.ts';
import { formatShare, nameOutcome } from './describe-audit.ts';

const widestName = 60;

/** Equal for two audits that differ only in counts. */
export function signatureOf({ outcome, edges, window }: AuditResult): string {
  const seen = edges
    .filter(({ calls, causes }) => calls > 0 || causes.length > 0)
    .map((edge) => [
      placeOf(edge),
      edge.below ?? null,
      edge.trend?.change === 'worse',
      edge.causes.map(({ id }) => id).sort(),
    ]);
  return JSON.stringify([outcome, window.seen.complete, seen.map((each) => JSON.stringify(each)).sort()]);
}

/** One line for an audit that does not differ from the previous one but in counts. */
export function describeUnchanged(audit: AuditResult, at: Date): string {
  const { edges } = audit;
  const calls = sumCalls(edges, 'calls');
  const [lowest] = edges
    .flatMap((edge) => (edge.rate === null ? [] : [{ edge, value: edge.rate.value }]))
    .sort((left, right) => left.value - right.value);
  const facts = [
    countOf(edges.length, 'edge'),
    countOf(calls, 'call'),
    ...(lowest === undefined
      ? []
      : [`lowest ${nameEdge(lowest.edge, widestName)} ${formatShare(lowest.value)}`]),
  ];
  return `${formatTime(at.toISOString())}  ${nameOutcome(audit)}, unchanged: ${facts.join(', ')}`;
}
