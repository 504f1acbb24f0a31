import type { Fault } from './apply/fault.ts';

/** More than a request takes on a busy machine: a SERVER span that is ahead by less can lie inside its CLIENT span. */
const aheadMillis = 10_000;

/** The SDK takes the start of a span from `Date.now`. */
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
