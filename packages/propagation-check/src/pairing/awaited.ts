import type { Span } from '../span/span.ts';
import { median } from '../util/statistics.ts';
import { durationOf, type Pair } from './pair.ts';

/** A request, and a call that may have been made for it. */
export interface Awaiting {
  readonly request: Span;
  readonly call: Span;
}

/** When a request counts as waiting for its call. `rules/thresholds.ts` has the numbers and their reasons. */
export interface AwaitedThresholds {
  readonly fillsRequest: number;
  readonly restAfterCall: number;
  readonly fewestPrompt: number;
  readonly usualDelay: number;
  readonly longestDelay: number;
  readonly restSpread: number;
  readonly startSpread: number;
}

/**
 * Whether requests waited for these calls: the calls filled a good part of them, or ended shortly before they did, or
 * every one began as soon as its request had. Calls of a timer fall into requests too, but anywhere.
 * @param pairs Calls that ended within their requests.
 */
export function areAwaited(pairs: readonly Awaiting[], thresholds: AwaitedThresholds): boolean {
  if (pairs.length === 0) return false;
  const fill = median(pairs.map(({ request, call }) => measureFill(request, call)));
  const rest = measureRest(pairs);
  const delays = pairs.map(({ request, call }) =>
    ratio(call.startTimeUnixNano - request.startTimeUnixNano, durationOf(request)),
  );
  const isPrompt =
    pairs.length >= thresholds.fewestPrompt &&
    median(delays) <= thresholds.usualDelay &&
    delays.every((delay) => delay <= thresholds.longestDelay);
  return fill >= thresholds.fillsRequest || rest <= thresholds.restAfterCall || isPrompt;
}

/** The same of requests that are paired with what they called. */
export function arePairsAwaited(pairs: readonly Pair[], thresholds: AwaitedThresholds): boolean {
  return areAwaited(pairs.map(asAwaiting), thresholds);
}

/** Whether requests ended shortly after their calls, as a timer's would not. */
export function areEndedByCalls(pairs: readonly Pair[], { restAfterCall }: AwaitedThresholds): boolean {
  return measureRest(pairs.map(asAwaiting)) <= restAfterCall;
}

/**
 * Whether requests end with their calls: how long they go on after these differs less than how long they last. A timer that keeps step with
 * requests ends at its own time, whenever each of them ends.
 */
export function doEndsFollow(pairs: readonly Pair[], { restSpread }: AwaitedThresholds): boolean {
  const lasts = pairs.map(({ client }) => Number(durationOf(client)));
  const rests = pairs.map(({ client, server }) => Number(client.endTimeUnixNano - server.endTimeUnixNano));
  return measureSpread(rests) < measureSpread(lasts) * restSpread;
}

/** The median of how much each differs from the median. */
export function measureSpread(values: readonly number[]): number {
  const usual = median(values);
  return median(values.map((value) => Math.abs(value - usual)));
}

function asAwaiting({ client: request, server: call }: Pair): Awaiting {
  return { request, call };
}

/** Whether a request ended shortly after a call within it. */
export function isEndedBy(request: Span, call: Span, { restAfterCall }: AwaitedThresholds): boolean {
  return measureRestOf(request, call) <= restAfterCall;
}

function measureRest(pairs: readonly Awaiting[]): number {
  return median(pairs.map(({ request, call }) => measureRestOf(request, call)));
}

function measureRestOf(request: Span, call: Span): number {
  return ratio(request.endTimeUnixNano - call.endTimeUnixNano, durationOf(request));
}

/** How much of a request a call took: 1 where it took all of it. */
export function measureFill(request: Span, call: Span): number {
  return ratio(durationOf(call), durationOf(request));
}

function ratio(part: bigint, whole: bigint): number {
  return whole <= 0n ? 1 : Number(part) / Number(whole);
}
