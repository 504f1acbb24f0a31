import type { Fault } from './apply/fault.ts';

/** A proxy limits the length of header values. */
export const fault: Fault = {
  where: 'proxy',
  made: 'cuts traceparent to 40 characters',
  tap: { faults: ['cut'] },
};
