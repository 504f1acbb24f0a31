import type { Fault } from './apply/fault.ts';

/** A proxy makes its own sampling decision, and B follows it. */
export const fault: Fault = {
  where: 'proxy',
  made: 'sets the trace flags to 00',
  tap: { faults: ['unsample'] },
};
