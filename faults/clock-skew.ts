import type { Fault } from './apply/fault.ts';

const aheadMillis = 2_000;

/** The SDK takes the start of a span from `Date.now`. */
export const fault: Fault = {
  where: 'service-b',
  made: 'its clock is two seconds ahead',
  preload: {
    'service-b': () => {
      const { now } = Date;
      Date.now = () => now() + aheadMillis;
    },
  },
};
