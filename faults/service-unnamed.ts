import type { Fault } from './apply/fault.ts';

/** The SDK makes up `unknown_service` and the path of the runtime. */
export const fault: Fault = {
  where: 'service-b',
  made: 'OTEL_SERVICE_NAME is blank',
  // Not empty: the service would take that for unset, and has a default.
  environment: { 'service-b': { OTEL_SERVICE_NAME: ' ' } },
};
