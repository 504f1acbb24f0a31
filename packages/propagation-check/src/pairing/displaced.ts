import { mayBeOfOnePool, mayBeOfOneProcess } from '../span/instance.ts';
import type { Span } from '../span/span.ts';
import { median } from '../util/statistics.ts';
import {
  type AwaitedThresholds,
  areAwaited,
  doEndsFollow,
  isEndedBy,
  measureFill,
  measureSpread,
} from './awaited.ts';
import { type ChanceThresholds, isMoreThanChance } from './chance.ts';
import { type ContainedThresholds, pairContained, pairMostlyContained } from './contained.ts';
import { areNearlyAll, type NearlyAllThresholds } from './nearly-all.ts';
import type { Pair } from './pair-spans.ts';
import { durationOf } from './times.ts';

/** `rules/thresholds.ts` has the numbers and their reasons. */
export interface DisplacedThresholds
  extends ContainedThresholds,
    AwaitedThresholds,
    ChanceThresholds,
    NearlyAllThresholds {
  readonly displacedShare: number;
  readonly displacedLeftOver: number;
  readonly fewestDisplaced: number;
  readonly manyDisplaced: number;
  readonly uniqueShare: number;
  readonly clockTick: bigint;
}

/**
 * Pairs requests of one route that lack a call with calls whose parent is elsewhere, if those requests waited for the calls. Returns no
 * pairs where caches, timers or chance explain the calls as well.
 * @param withoutCall Requests of the route without a call.
 * @param calls CLIENT spans whose parent is elsewhere.
 * @param own How many of these calls are known to be in the right place.
 * @param mayMake Whether a request may have made a call.
 */
export function pairDisplaced(
  withoutCall: readonly Span[],
  calls: readonly Span[],
  own: number,
  thresholds: DisplacedThresholds,
  mayMake: (request: Span, call: Span) => boolean = mayBeOfOnePool,
): readonly Pair[] {
  const { displacedShare, displacedLeftOver, fewestDisplaced } = thresholds;
  // A cache leaves requests without calls too; then most requests contain no call.
  const areMost = ({ length }: readonly unknown[]): boolean =>
    areNearlyAll(length, withoutCall.length, displacedShare, thresholds);
  if (!areMost(calls)) return pairWithSome(withoutCall, calls, own, thresholds, mayMake);
  const pairs = pairMostlyContained(withoutCall, calls, thresholds, mayMake);
  if (!areMost(pairs)) return [];
  const awaited = areAwaited(pairs, thresholds);
  const isOneToOne =
    areNearlyAll(pairs.length, calls.length - own, 1 / displacedLeftOver, thresholds) &&
    areOneToOne(pairs, thresholds);
  const doFollow = isOneToOne && doStartsFollow(pairs, thresholds);
  // A few calls of a job often fall into all requests but one, and a timer of the same period stays in step under rotation, so the
  // permutation test cannot exclude them.
  if (pairs.length < withoutCall.length * displacedShare && !doFollow) return [];
  const isComplete = isOneToOne && calls.length - own <= pairs.length * displacedLeftOver;
  const isByChance = (): boolean =>
    pairs.length < fewestDisplaced ||
    !isMoreThanChance(
      calls,
      pairs.length,
      (moved) => pairMostlyContained(withoutCall, moved, thresholds, mayMake).length,
      thresholds,
    );
  // A short call somewhere within each request may be a timer's.
  const isSure = awaited
    ? isComplete || doFollow || !isByChance()
    : isOneToOne && areIrregular(pairs.map(({ client }) => client)) && !isByChance();
  return isSure ? pairs : [];
}

/** Whether the numbers of requests without a call and of calls allow pairs; `pairDisplaced` and `pairWithMessages` need one of these. */
export function mayBeDisplaced(
  fewestRequests: number,
  mostRequests: number,
  calls: number,
  { displacedShare, displacedLeftOver, fewestDisplaced }: DisplacedThresholds,
): boolean {
  const areClose = (count: number, all: number, share: number): boolean =>
    count >= all * share || all - count <= 1;
  return (
    (calls >= fewestDisplaced || areClose(calls, fewestRequests, displacedShare)) &&
    (mostRequests >= fewestDisplaced || areClose(mostRequests, calls, 1 / displacedLeftOver))
  );
}

/**
 * Pairs where a cache answers many requests, or conditions decide which requests make a call. All calls must lie in requests that end
 * shortly after them, which calls of timers and jobs do not.
 */
function pairWithSome(
  requests: readonly Span[],
  calls: readonly Span[],
  own: number,
  thresholds: DisplacedThresholds,
  mayMake: (request: Span, call: Span) => boolean,
): readonly Pair[] {
  const { displacedLeftOver, fewestDisplaced, manyDisplaced } = thresholds;
  // Checked before the requests are indexed: an edge may have thousands of endpoints with a call each, and thousands of requests.
  if (calls.length < fewestDisplaced) return [];
  const pair = (moved: readonly Span[]): readonly Pair[] =>
    pairContained(
      requests,
      moved,
      thresholds,
      (request, call) => mayMake(request, call) && isEndedBy(request, call, thresholds),
    );
  const pairs = pair(calls);
  const isSure =
    pairs.length >= fewestDisplaced &&
    calls.length - own <= pairs.length * displacedLeftOver &&
    (pairs.length >= manyDisplaced || pairs.every(({ unique }) => unique)) &&
    doEndsFollow(pairs, thresholds) &&
    isMoreThanChance(calls, pairs.length, (moved) => pair(moved).length, thresholds);
  return isSure ? pairs : [];
}

/**
 * Pairs messages of one queue that lack a call with calls that fill a good part of them. A worker also calls its queue: it receives each
 * message before the message's span begins, asks for the next one meanwhile, deletes messages and renews locks at intervals. Such calls are
 * short, or the messages overlap.
 */
export function pairWithMessages(
  messages: readonly Span[],
  calls: readonly Span[],
  thresholds: DisplacedThresholds,
): readonly Pair[] {
  const { displacedShare, displacedLeftOver, waitedShare } = thresholds;
  const pairs = pairContained(messages, calls, thresholds, mayBeOfOneProcess).filter(
    ({ client, server }) => server.startTimeUnixNano > client.startTimeUnixNano,
  );
  const isSure =
    areNearlyAllPaired(pairs, messages.length, displacedShare, thresholds) &&
    areNearlyAllPaired(pairs, calls.length, 1 / displacedLeftOver, thresholds) &&
    pairs.every(({ unique }) => unique) &&
    median(pairs.map(({ client, server }) => measureFill(client, server))) >= waitedShare;
  return isSure ? pairs : [];
}

/** Whether requests are so irregular that no timer could stay in step: the intervals between them vary by more than the requests last. */
export function areIrregular(requests: readonly Span[]): boolean {
  return measureSpread(listGaps(requests)) > medianDuration(requests);
}

/** Whether the intervals between requests are nearly even and longer than the requests, so that a timer may stay in step. */
export function mayTimersKeepStep(requests: readonly Span[]): boolean {
  return median(listGaps(requests)) > medianDuration(requests) && !areIrregular(requests);
}

/**
 * Whether the intervals are nearly whole ticks of the clock, as a job's are. At least three requests are needed: two have only one
 * interval, which shows no period.
 */
export function areAtEvenIntervals(
  requests: readonly Span[],
  { clockTick }: Pick<DisplacedThresholds, 'clockTick'>,
): boolean {
  const gaps = listGaps(requests);
  const [usual, lasts, tick] = [median(gaps), medianDuration(requests), Number(clockTick)];
  const isWhole = Math.abs(usual - Math.max(1, Math.round(usual / tick)) * tick) <= lasts;
  return gaps[1] !== undefined && isWhole && !areIrregular(requests);
}

/**
 * Whether calls begin with their requests: every delay is close to the median delay, measured against the spread of the intervals between
 * requests. A timer begins independently of requests.
 */
export function doStartsFollow(
  pairs: readonly Pair[],
  { startSpread }: Pick<AwaitedThresholds, 'startSpread'>,
): boolean {
  const delays = pairs.map(({ client, server }) =>
    Number(server.startTimeUnixNano - client.startTimeUnixNano),
  );
  const usual = median(delays);
  const most = measureSpread(listGaps(pairs.map(({ client }) => client))) * startSpread;
  return delays.every((delay) => Math.abs(delay - usual) < most);
}

/** Whether nearly all are paired: the given share of them, or all but one of several if calls begin with their requests. */
export function areNearlyAllPaired(
  pairs: readonly Pair[],
  all: number,
  share: number,
  thresholds: NearlyAllThresholds & Pick<AwaitedThresholds, 'startSpread'>,
): boolean {
  return (
    pairs.length >= all * share ||
    (areNearlyAll(pairs.length, all, share, thresholds) && doStartsFollow(pairs, thresholds))
  );
}

function listGaps(requests: readonly Span[]): readonly number[] {
  const starts = requests
    .map(({ startTimeUnixNano }) => startTimeUnixNano)
    .toSorted((one, other) => Number(one - other));
  return starts.slice(1).map((start, at) => Number(start - (starts[at] ?? start)));
}

function medianDuration(requests: readonly Span[]): number {
  return median(requests.map((request) => Number(durationOf(request))));
}

/** Whether requests and calls correspond one to one. Where they overlap, a large number of pairs is enough. */
function areOneToOne(pairs: readonly Pair[], thresholds: DisplacedThresholds): boolean {
  return areMostlyUnique(pairs, thresholds) || pairs.length >= thresholds.manyDisplaced;
}

/** Whether most pairs are unique. */
export function areMostlyUnique(
  pairs: readonly Pair[],
  { uniqueShare }: Pick<DisplacedThresholds, 'uniqueShare'>,
): boolean {
  return pairs.filter(({ unique }) => unique).length >= pairs.length * uniqueShare;
}
