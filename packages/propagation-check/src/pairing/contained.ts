import { byStart, type Span } from '../span/span.ts';
import { type Group, mapBy } from '../util/group-by.ts';
import { type Pair, pairSpans } from './pair-spans.ts';
import { durationOf, endsWithin, type Tolerances } from './times.ts';

/** `rules/thresholds.ts` has the numbers and their reasons. */
export interface ContainedThresholds extends Tolerances {
  readonly containedShare: number;
}

/** Pairs spans with those that lie within them. */
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
 * Pairs requests with the calls within them, and a few of the rest with a call that begins before the next request, and not later after
 * theirs than it lasted. OpenTelemetry for JavaScript reads the start of a span from one clock and its length from another: a process
 * that is held up in between begins the span too early by as much, so that its call seems to outlive it.
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

/** The calls by the latest request that began before them. */
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

/** Spans that start at once come by their ids, whatever their order in the source. */
function byStartAndId(one: Span, other: Span): number {
  return byStart(one, other) || (one.spanId < other.spanId ? -1 : 1);
}
