import type { Span } from '../span/span.ts';
import { median, sumOf } from '../util/statistics.ts';
import type { PairSides } from './pair-spans.ts';
import { durationOf } from './times.ts';

/** When a request counts as having waited for its call. `rules/thresholds.ts` has the numbers and their reasons. */
export interface AwaitedThresholds {
  readonly waitedShare: number;
  readonly restShare: number;
  readonly fewestPrompt: number;
  readonly usualDelay: number;
  readonly longestDelay: number;
  readonly restSpread: number;
  readonly steadyRestShare: number;
  readonly startSpread: number;
}

/**
 * Whether requests waited for these calls: the calls filled a good part of the requests, ended shortly before them, or all began as soon as
 * the requests had. Calls of a timer lie anywhere within requests.
 * @param pairs Requests, each with a call that ended within it.
 */
export function areAwaited(pairs: readonly PairSides[], thresholds: AwaitedThresholds): boolean {
  if (pairs.length === 0) return false;
  const fill = median(pairs.map(({ client, server }) => measureFill(client, server)));
  return fill >= thresholds.waitedShare || areEndedByCalls(pairs, thresholds) || arePrompt(pairs, thresholds);
}

/** Whether every call began as soon as its request had. */
export function arePrompt(
  pairs: readonly PairSides[],
  { fewestPrompt, usualDelay, longestDelay }: AwaitedThresholds,
): boolean {
  const delays = pairs.map(({ client: request, server: call }) =>
    ratio(call.startTimeUnixNano - request.startTimeUnixNano, durationOf(request)),
  );
  return (
    pairs.length >= fewestPrompt &&
    median(delays) <= usualDelay &&
    delays.every((delay) => delay <= longestDelay)
  );
}

/** Whether requests ended shortly after their calls; calls of a timer would end at any time. */
export function areEndedByCalls(pairs: readonly PairSides[], { restShare }: AwaitedThresholds): boolean {
  return median(pairs.map(({ client, server }) => measureRest(client, server))) <= restShare;
}

/**
 * Whether the end of a request depends on its call: the time from the call's end to the request's end varies less than the requests'
 * durations. A timer in step with requests ends at times of its own.
 */
export function doEndsFollow(pairs: readonly PairSides[], { restSpread }: AwaitedThresholds): boolean {
  return measureSpread(listRests(pairs)) < measureSpread(listDurations(pairs)) * restSpread;
}

/**
 * How requests end after their calls. `follow`: see `doEndsFollow`. `differ`: another handler of the same event may make the calls.
 * `steady`: the time between the two ends varies little, and so do the requests; requests that waited may all take the same time.
 */
type Ends = 'follow' | 'differ' | 'steady';

export function compareEnds(pairs: readonly PairSides[], thresholds: AwaitedThresholds): Ends {
  if (doEndsFollow(pairs, thresholds)) return 'follow';
  const steadyRest = median(listDurations(pairs)) * thresholds.steadyRestShare;
  const isSteady = measureSpread(listRests(pairs)) <= steadyRest && !areRequestsSteadier(pairs, thresholds);
  return isSteady ? 'steady' : 'differ';
}

/**
 * Whether the durations of requests vary less than the ends of their calls: a request that waits takes longer if its call does. The mean
 * deviation is compared, because a single slow call decides this. Requests with a start that was measured too early end before their call,
 * and do not count.
 */
function areRequestsSteadier(pairs: readonly PairSides[], { restSpread }: AwaitedThresholds): boolean {
  const within = pairs.filter(({ client, server }) => server.endTimeUnixNano <= client.endTimeUnixNano);
  const calls = within.map(({ client, server }) => Number(server.endTimeUnixNano - client.startTimeUnixNano));
  return measureDeviation(listDurations(within)) < measureDeviation(calls) * restSpread;
}

function listDurations(pairs: readonly PairSides[]): readonly number[] {
  return pairs.map(({ client }) => Number(durationOf(client)));
}

function listRests(pairs: readonly PairSides[]): readonly number[] {
  return pairs.map(({ client, server }) => Number(client.endTimeUnixNano - server.endTimeUnixNano));
}

/** The median absolute deviation from the median. */
export function measureSpread(values: readonly number[]): number {
  return median(listDeviations(values));
}

/** The mean absolute deviation from the median. */
function measureDeviation(values: readonly number[]): number {
  return sumOf(listDeviations(values)) / Math.max(1, values.length);
}

function listDeviations(values: readonly number[]): readonly number[] {
  const usual = median(values);
  return values.map((value) => Math.abs(value - usual));
}

/** Whether a request ended shortly after a call within it. */
export function isEndedBy(request: Span, call: Span, { restShare }: AwaitedThresholds): boolean {
  return measureRest(request, call) <= restShare;
}

function measureRest(request: Span, call: Span): number {
  return ratio(request.endTimeUnixNano - call.endTimeUnixNano, durationOf(request));
}

/** The share of a request's duration that a call took. */
export function measureFill(request: Span, call: Span): number {
  return ratio(durationOf(call), durationOf(request));
}

function ratio(part: bigint, whole: bigint): number {
  return whole <= 0n ? 1 : Number(part) / Number(whole);
}
