import type { Fault } from './apply/fault.ts';

/** A takes no part in tracing, and B does not follow its decision. */
export const fault: Fault = {
  where: 'service-a',
  made: 'OTEL_TRACES_SAMPLER=always_off in A, always_on in B',
  environment: {
    'service-a': { OTEL_TRACES_SAMPLER: 'always_off' },
    'service-b': { OTEL_TRACES_SAMPLER: 'always_on' },
  },
};
