import type { Fault } from './apply/fault.ts';

/** A proxy makes a span of its own, names it in the header, and delivers it nowhere. */
export const fault: Fault = {
  where: 'proxy',
  made: 'puts a span id of its own into traceparent',
  tap: { faults: ['rewrite'] },
};
