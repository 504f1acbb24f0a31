import { byStart, type Span } from '../span/span.ts';
import { type Group, mapBy } from '../util/group-by.ts';
import { type Pair, pairSpans } from './pair-spans.ts';
import { durationOf, endsWithin, type Tolerances } from './times.ts';

/** `rules/thresholds.ts` has the numbers and their reasons. */
export interface ContainedThresholds extends Tolerances {
  readonly containedShare: number;
}

/** Pairs spans with spans that lie within them. */
export function pairContained(
  outer: readonly Span[],
  inner: readonly Span[],
  tolerances: Tolerances,
  fits: (one: Span, other: Span) => boolean = () => true,
): readonly Pair[] {
  return pairSpans(
    outer,
    inner,
    (one, other) => fits(one, other) && endsWithin(other, one, tolerances),
    tolerances,
  );
}

/**
 * Pairs requests with the calls within them. Then pairs the few remaining requests with a call that begins before the next request, and not
 * later after its request than that request lasted. OpenTelemetry for JavaScript reads the start of a span from one clock and its duration
 * from another: if the process is blocked in between, the recorded times are too early by that long, and the call seems to outlive its
 * request.
 */
export function pairMostlyContained(
  requests: readonly Span[],
  calls: readonly Span[],
  thresholds: ContainedThresholds,
  mayMake: (request: Span, call: Span) => boolean,
): readonly Pair[] {
  const within = pairContained(requests, calls, thresholds, mayMake);
  if (within.length === requests.length || within.length < requests.length * thresholds.containedShare)
    return within;
  const paired = new Set(within.flatMap(({ client, server }) => [client, server]));
  const left = calls.filter((call) => !paired.has(call));
  const outliving = [...groupByLatest(requests, left)].flatMap(([request, [call, ...others]]) => {
    const isPair =
      request !== null &&
      !paired.has(request) &&
      durationOf(call) <= durationOf(request) &&
      call.startTimeUnixNano <= request.endTimeUnixNano + durationOf(request) &&
      mayMake(request, call);
    return isPair ? [{ client: request, server: call, unique: others.length === 0 }] : [];
  });
  return [...within, ...outliving];
}

/** Groups the calls by the latest request that began before them. */
function groupByLatest(
  requests: readonly Span[],
  calls: readonly Span[],
): ReadonlyMap<Span | null, Group<Span>> {
  const inOrder = requests.toSorted(byStartAndId);
  let at = -1;
  return mapBy(calls.toSorted(byStartAndId), ({ startTimeUnixNano }) => {
    const begins = ({ startTimeUnixNano: start }: Span): boolean => start <= startTimeUnixNano;
    for (let next = inOrder[at + 1]; next !== undefined && begins(next); next = inOrder[at + 1]) at += 1;
    return inOrder[at] ?? null;
  });
}

/** Orders spans with equal starts by their ids, so that the order in the source has no effect. */
function byStartAndId(one: Span, other: Span): number {
  return byStart(one, other) || (one.spanId < other.spanId ? -1 : 1);
}
