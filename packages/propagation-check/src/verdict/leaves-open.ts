import type { FindingId } from '../rules/finding.ts';
import type { Finding } from './result.ts';

/** Symptoms of calls whose context may not have arrived. With `missing-client` the called service continues the trace. */
const openSymptoms: readonly FindingId[] = ['missing-call', 'missing-server', 'split-trace'];

/** Whether a finding leaves open whether the calls of an edge are whole: a warning of such a symptom, also where headers name its cause. */
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
