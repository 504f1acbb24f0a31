import type { Fault } from './apply/fault.ts';

/** A proxy or gateway passes on only the headers it knows. */
export const fault: Fault = {
  where: 'proxy',
  made: 'drops the header traceparent',
  tap: { faults: ['strip'] },
};
