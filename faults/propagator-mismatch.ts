import type { Fault } from './apply/fault.ts';

/** A sends b3, and B reads only W3C Trace Context. */
export const fault: Fault = {
  where: 'service-a',
  made: 'OTEL_PROPAGATORS=b3 in A, tracecontext in B',
  environment: {
    'service-a': { OTEL_PROPAGATORS: 'b3' },
    'service-b': { OTEL_PROPAGATORS: 'tracecontext,baggage' },
  },
};
