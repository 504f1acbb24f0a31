import type { Fault } from './apply/fault.ts';

/** B's spans go to a port at which nobody listens. */
export const fault: Fault = {
  where: 'service-b',
  made: 'exports to a port at which nobody listens',
  environment: {
    'service-b': {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:1/v1/traces',
      // The exporter gives up early, so that the service can stop early.
      OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '1000',
    },
  },
};
