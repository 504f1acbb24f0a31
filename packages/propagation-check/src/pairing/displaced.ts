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
 * Pairs requests of one route that lack a call with calls that hang elsewhere, when those requests waited for them.
 * None where caches, timers or chance explain it as well.
 *
 * @param bereft requests of the route without a call
 * @param calls CLIENT spans that hang elsewhere
 * @param own how many of these calls are known to be in the right place
 * @param mayMake whether a request may have made a call
 */
export function pairDisplaced(
  bereft: readonly Span[],
  calls: readonly Span[],
  own: number,
  thresholds: DisplacedThresholds,
  mayMake: (request: Span, call: Span) => boolean = mayBeOfOnePool,
): readonly Pair[] {
  const { displacedShare, displacedLeftOver, fewestDisplaced } = thresholds;
  // A cache leaves requests without calls, too: then most of them contain none.
  const areMost = ({ length }: readonly unknown[]): boolean =>
    areNearlyAll(length, bereft.length, displacedShare, thresholds);
  if (!areMost(calls)) return pairWithSome(bereft, calls, own, thresholds, mayMake);
  const pairs = pairMostlyContained(bereft, calls, thresholds, mayMake);
  if (!areMost(pairs)) return [];
  const awaited = areAwaited(pairs, thresholds);
  const isOneToOne =
    areNearlyAll(pairs.length, calls.length - own, 1 / displacedLeftOver, thresholds) &&
    areOneToOne(pairs, thresholds);
  const doFollow = isOneToOne && doStartsFollow(pairs, thresholds);
  // So few calls of a job often fall into all requests but one, and a timer of the same period keeps step with these: rotations tell too little.
  if (pairs.length < bereft.length * displacedShare && !doFollow) return [];
  const isComplete = isOneToOne && calls.length - own <= pairs.length * displacedLeftOver;
  const isByChance = (): boolean =>
    pairs.length < fewestDisplaced ||
    !isMoreThanChance(
      calls,
      pairs.length,
      (moved) => pairMostlyContained(bereft, moved, thresholds, mayMake).length,
      thresholds,
    );
  // A short call somewhere in each request looks like that of a timer.
  const isSure = awaited
    ? isComplete || doFollow || !isByChance()
    : isOneToOne && areIrregular(pairs.map(({ client }) => client)) && !isByChance();
  return isSure ? pairs : [];
}

/**
 * The same where a cache answers many requests, or conditions decide which of them call. All calls must lie in requests that end shortly after
 * them, as those of timers and jobs do not.
 */
function pairWithSome(
  requests: readonly Span[],
  calls: readonly Span[],
  own: number,
  thresholds: DisplacedThresholds,
  mayMake: (request: Span, call: Span) => boolean,
): readonly Pair[] {
  const { displacedLeftOver, fewestDisplaced, manyDisplaced } = thresholds;
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
 * Pairs messages of one queue that lack a call with calls that take a good part of them. A worker takes each message from its queue before
 * the span of the message. It asks for the next one while it handles some, removes those that are done, and renews their locks at times
 * that they set: such calls are short, or messages overlap.
 */
export function pairWithMessages(
  messages: readonly Span[],
  calls: readonly Span[],
  thresholds: DisplacedThresholds,
): readonly Pair[] {
  const { displacedShare, displacedLeftOver, fillsRequest } = thresholds;
  const pairs = pairContained(messages, calls, thresholds, mayBeOfOneProcess).filter(
    ({ client, server }) => server.startTimeUnixNano > client.startTimeUnixNano,
  );
  const isSure =
    areNearlyAllPaired(pairs, messages.length, displacedShare, thresholds) &&
    areNearlyAllPaired(pairs, calls.length, 1 / displacedLeftOver, thresholds) &&
    pairs.every(({ unique }) => unique) &&
    median(pairs.map(({ client, server }) => measureFill(client, server))) >= fillsRequest;
  return isSure ? pairs : [];
}

/** Whether requests come so irregularly that another clock would miss them: the time between two differs by more than they last. */
export function areIrregular(requests: readonly Span[]): boolean {
  return measureSpread(listGaps(requests)) > medianDuration(requests);
}

/** Whether requests come at nearly even intervals that are longer than the requests, so that a timer may keep step with them. */
export function mayTimersKeepStep(requests: readonly Span[]): boolean {
  return median(listGaps(requests)) > medianDuration(requests) && !areIrregular(requests);
}

/** Whether requests come after nearly whole ticks of the clock, as those of a job do: they vary by less than they last. Two have one time between them, which shows no period. */
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
 * Whether calls begin with their requests: no delay differs from the usual one by more than a small share of what the times between requests vary by.
 * A timer begins at its own time, whenever each request does.
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

/** Whether pairs are nearly all of so many: this share of them, or all but one of several where calls begin with their requests. */
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

/** Whether the requests and the calls correspond, not only as a whole. Where they overlap, so many tell it as well. */
function areOneToOne(pairs: readonly Pair[], thresholds: DisplacedThresholds): boolean {
  return areMostlyUnique(pairs, thresholds) || pairs.length >= thresholds.manyDisplaced;
}

/** Whether most pairs are certain, so that they correspond one by one. */
export function areMostlyUnique(
  pairs: readonly Pair[],
  { uniqueShare }: Pick<DisplacedThresholds, 'uniqueShare'>,
): boolean {
  return pairs.filter(({ unique }) => unique).length >= pairs.length * uniqueShare;
}
