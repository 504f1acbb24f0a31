import type { Fault } from './apply/fault.ts';

/** B exports its spans to a port without a receiver. */
export const fault: Fault = {
  where: 'service-b',
  made: 'exports to a port at which nobody listens',
  environment: {
    'service-b': {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:1/v1/traces',
      // A short timeout of the exporter, so that the service stops early.
      OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '1000',
    },
  },
};
