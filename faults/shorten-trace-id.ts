import type { Fault } from './apply/fault.ts';

/** A proxy knows trace ids of 64 bits only. */
export const fault: Fault = {
  where: 'proxy',
  made: 'leaves 64 bits of the trace id',
  tap: { faults: ['truncate'] },
};
