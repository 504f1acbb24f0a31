import type { Fault } from './apply/fault.ts';

/** B reads no header. */
export const fault: Fault = {
  where: 'service-b',
  made: 'OTEL_PROPAGATORS=none',
  environment: { 'service-b': { OTEL_PROPAGATORS: 'none' } },
};
