import type { FindingId } from '../rules/finding.ts';
import type { Finding } from './result.ts';

/** Symptoms of calls whose context may not have arrived. `missing-client` is not one: there the callee continues the trace. */
const openSymptoms: readonly FindingId[] = ['missing-call', 'missing-server', 'split-trace'];

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
