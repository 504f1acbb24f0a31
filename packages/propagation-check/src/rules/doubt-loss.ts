import { areAwaited, areEndedByCalls, compareEnds } from '../pairing/awaited.ts';
import { areAtEvenIntervals } from '../pairing/displaced.ts';
import type { Pair } from '../pairing/pair-spans.ts';
import { countOf } from '../util/count-of.ts';
import type { Doubt } from './draft.ts';
import type { Scene } from './scene.ts';

/**
 * Why calls or work during requests may belong to something else, with the steps that decide it; null if they belong to the requests. A
 * call that no request waited for may belong to a listener that reacts to the request, or to another handler of the event that made the
 * request. If requests come at nearly even intervals, a timer may keep step with them, unless each request ends with its call.
 *
 * @param fewest With fewer pairs it may be a coincidence.
 */
export function doubtLoss({ thresholds }: Scene, pairs: readonly Pair[], fewest: number): Doubt | null {
  const [first] = pairs;
  if (first === undefined || pairs.length < fewest) return doubtFew(pairs.length, fewest);
  const requests = pairs.map(({ client }) => client);
  if (!areAwaited(pairs, thresholds)) return doubtAwaited(first);
  const ends = compareEnds(pairs, thresholds);
  if (ends === 'differ')
    return {
      says: 'The requests end at other times than these spans: another handler of the same event looks the same in the data.',
      // Calls of overlapping requests may be paired with the wrong ones, which end at other times.
      decide: [...(pairs.every(({ unique }) => unique) ? [] : [sendInTurn]), checkCode(first)],
    };
  const isFollowed = ends === 'follow' && areEndedByCalls(pairs, thresholds);
  if (isFollowed || !areAtEvenIntervals(requests, thresholds)) return null;
  return {
    says: 'The requests came at nearly even intervals, and a timer may keep step with them.',
    decide: [
      'Send such requests at irregular times, or several at once, and check again: a timer does not follow them',
    ],
  };
}

export const sendInTurn = 'Send such requests one after the other, and check again';

export function doubtAwaited(first: Pair): Doubt {
  return {
    says: 'The requests did not wait for these spans: a listener or a job beside them looks the same in the data.',
    decide: [checkCode(first)],
  };
}

/** @param decide Steps that decide it. */
export function doubtOverlap(decide: readonly string[]): Doubt {
  return {
    says: 'Times do not show whether these requests made these calls: calls of a job look the same in the data.',
    decide,
  };
}

/**
 * Calls that began one after the other below a request while others waited: a queue, or work that the request left running.
 * @param pairs Requests without a call, each with a call below another request.
 */
export function doubtWorkAhead(pairs: readonly Pair[]): Doubt {
  return {
    says: 'Work that a request leaves running, and for which other requests wait, looks the same in the data.',
    decide: [
      'Send such requests one after the other, and check again: if each has its call then, a queue or limiter starts the calls of busy times in the context of other requests',
      ...pairs.slice(0, 1).map(checkCode),
    ],
  };
}

export function doubtFew(count: number, fewest: number): Doubt {
  return {
    says: `Seen ${countOf(count, 'time')}, which may be a coincidence: a job or a poller looks the same in the data.`,
    decide: [`Send at least ${fewest} such requests, one after the other, and check again`],
  };
}

/** @param pair A request, and the call or work that may belong to it. */
export function checkCode({ client: { name, serviceName }, server: { kind } }: Pair): string {
  const own = kind === 'INTERNAL' ? 'does this work' : 'makes this call';
  return `Check in the code of ${serviceName ?? 'the service'} whether "${name}" ${own}`;
}
