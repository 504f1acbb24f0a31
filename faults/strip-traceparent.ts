import type { Fault } from './apply/fault.ts';

/** A proxy or gateway forwards only the headers that it knows. */
export const fault: Fault = {
  where: 'proxy',
  made: 'drops the header traceparent',
  tap: { faults: ['strip'] },
};
