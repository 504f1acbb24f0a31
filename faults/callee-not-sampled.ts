import type { Fault } from './apply/fault.ts';

/** B takes no part in tracing, whatever A has decided. */
export const fault: Fault = {
  where: 'service-b',
  made: 'OTEL_TRACES_SAMPLER=always_off',
  environment: { 'service-b': { OTEL_TRACES_SAMPLER: 'always_off' } },
};
