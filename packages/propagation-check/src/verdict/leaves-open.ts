import type { FindingId } from '../rules/finding.ts';
import type { Finding } from './result.ts';

/**
 * Findings about calls of which no SERVER span is here, or another trace has it. `missing-client` is not one: there the SERVER span is here.
 */
const openSymptoms: readonly FindingId[] = [
  'missing-call',
  'missing-server',
  'server-span-lost',
  'split-trace',
];

/** Whether a finding leaves open whether calls of an edge are whole: it is a warning of such a symptom, even if headers name the cause. */
export function leavesOpen({
  id,
  symptom = id,
  severity,
  client,
  server,
}: Pick<Finding, 'id' | 'symptom' | 'severity' | 'client' | 'server'>): boolean {
  return (
    severity === 'warning' &&
    openSymptoms.includes(symptom) &&
    client !== null &&
    server !== null &&
    client !== server
  );
}
