import type { Fault } from './apply/fault.ts';

/** A proxy supports only trace ids of 64 bits. */
export const fault: Fault = {
  where: 'proxy',
  made: 'leaves 64 bits of the trace id',
  tap: { faults: ['truncate'] },
};
