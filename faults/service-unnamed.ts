import type { Fault } from './apply/fault.ts';

/** Without a name the SDK uses `unknown_service:` and the path of the runtime. */
export const fault: Fault = {
  where: 'service-b',
  made: 'OTEL_SERVICE_NAME is blank',
  // Not empty, because the service treats an empty name as unset and uses its default.
  environment: { 'service-b': { OTEL_SERVICE_NAME: ' ' } },
};
