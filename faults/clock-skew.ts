import type { Fault } from './apply/fault.ts';

/** Longer than a request on a busy machine: with a smaller skew the SERVER span could still be within its CLIENT span. */
const aheadMillis = 10_000;

/** The SDK uses `Date.now` for the start of a span. */
export const fault: Fault = {
  where: 'service-b',
  made: 'its clock is ten seconds ahead',
  preload: {
    'service-b': () => {
      const { now } = Date;
      Date.now = () => now() + aheadMillis;
    },
  },
};
