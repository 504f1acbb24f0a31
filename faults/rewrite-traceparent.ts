import type { Fault } from './apply/fault.ts';

/** A proxy makes its own span and injects it into the header, but never exports it. */
export const fault: Fault = {
  where: 'proxy',
  made: 'puts a span id of its own into traceparent',
  tap: { faults: ['rewrite'] },
};
