import type { Span } from '../span/span.ts';
import { median } from '../util/statistics.ts';
import type { PairSides } from './pair-spans.ts';
import { durationOf } from './times.ts';

/** When a request counts as waiting for its call. `rules/thresholds.ts` has the numbers and their reasons. */
export interface AwaitedThresholds {
  readonly fillsRequest: number;
  readonly restAfterCall: number;
  readonly fewestPrompt: number;
  readonly usualDelay: number;
  readonly longestDelay: number;
  readonly restSpread: number;
  readonly steadyRest: number;
  readonly startSpread: number;
}

/**
 * Whether requests waited for these calls: the calls filled a good part of them, or ended shortly before they did, or
 * every one began as soon as its request had. Calls of a timer fall into requests too, but anywhere.
 * @param pairs Requests with calls that ended within them.
 */
export function areAwaited(pairs: readonly PairSides[], thresholds: AwaitedThresholds): boolean {
  if (pairs.length === 0) return false;
  const fill = median(pairs.map(({ client, server }) => measureFill(client, server)));
  return (
    fill >= thresholds.fillsRequest || areEndedByCalls(pairs, thresholds) || arePrompt(pairs, thresholds)
  );
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

/** Whether requests ended shortly after their calls, as a timer's would not. */
export function areEndedByCalls(pairs: readonly PairSides[], { restAfterCall }: AwaitedThresholds): boolean {
  return median(pairs.map(({ client, server }) => measureRest(client, server))) <= restAfterCall;
}

/**
 * Whether requests end with their calls: how long they go on after these differs less than how long they last. A timer that keeps step with
 * requests ends at its own time, whenever each of them ends.
 */
export function doEndsFollow(pairs: readonly PairSides[], { restSpread }: AwaitedThresholds): boolean {
  return measureSpread(listRests(pairs)) < measureSpread(listDurations(pairs)) * restSpread;
}

/**
 * Whether requests end at times that have nothing to do with those of the calls, which another handler of the same event makes then. Where the times
 * between the two ends differ little, requests that waited for their calls may all last alike.
 */
export function doEndsDiffer(pairs: readonly PairSides[], thresholds: AwaitedThresholds): boolean {
  const steady = median(listDurations(pairs)) * thresholds.steadyRest;
  return measureSpread(listRests(pairs)) > steady && !doEndsFollow(pairs, thresholds);
}

function listDurations(pairs: readonly PairSides[]): readonly number[] {
  return pairs.map(({ client }) => Number(durationOf(client)));
}

function listRests(pairs: readonly PairSides[]): readonly number[] {
  return pairs.map(({ client, server }) => Number(client.endTimeUnixNano - server.endTimeUnixNano));
}

/** The median of how much each differs from the median. */
export function measureSpread(values: readonly number[]): number {
  const usual = median(values);
  return median(values.map((value) => Math.abs(value - usual)));
}

/** Whether a request ended shortly after a call within it. */
export function isEndedBy(request: Span, call: Span, { restAfterCall }: AwaitedThresholds): boolean {
  return measureRest(request, call) <= restAfterCall;
}

function measureRest(request: Span, call: Span): number {
  return ratio(request.endTimeUnixNano - call.endTimeUnixNano, durationOf(request));
}

/** How much of a request a call took: 1 where it took all of it. */
export function measureFill(request: Span, call: Span): number {
  return ratio(durationOf(call), durationOf(request));
}

function ratio(part: bigint, whole: bigint): number {
  return whole <= 0n ? 1 : Number(part) / Number(whole);
}
