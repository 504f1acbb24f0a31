import type { Fault } from './apply/fault.ts';

/** Propagation is turned off: A has its CLIENT span and sends no header. */
export const fault: Fault = {
  where: 'service-a',
  made: 'OTEL_PROPAGATORS=none',
  environment: { 'service-a': { OTEL_PROPAGATORS: 'none' } },
};
