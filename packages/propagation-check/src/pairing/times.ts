import type { TraceGraph } from '../graph/trace-graph.ts';
import type { Span } from '../span/span.ts';
import { indexIntervals } from '../util/interval-index.ts';

/** How exact times are, in nanoseconds. `rules/thresholds.ts` has the numbers and their reasons. */
export interface Tolerances {
  readonly rounding: bigint;
  readonly jitter: bigint;
  readonly clockTolerance: bigint;
}

/** Whether `inner` starts while `outer` is open. Its end is ignored: servers outlive clients that gave up. */
export function startsDuring(inner: Span, outer: Span, { rounding }: Tolerances): boolean {
  return isOpenAt(outer, inner.startTimeUnixNano, rounding);
}

export function isOpenAt(span: Span, time: bigint, tolerance: bigint): boolean {
  return time >= span.startTimeUnixNano - tolerance && time <= span.endTimeUnixNano + tolerance;
}

/** Whether `outer` began before `inner` and ended after it: it may have caused `inner`, but is not its callee. */
export function isAround(outer: Span, inner: Span, { rounding, jitter }: Tolerances): boolean {
  if (outer.endTimeUnixNano <= inner.endTimeUnixNano) return false;
  const start = outer.startTimeUnixNano;
  const innerStart = inner.startTimeUnixNano;
  const isRounded = start % rounding === 0n || innerStart % rounding === 0n;
  return start + (isRounded ? rounding : jitter) < innerStart;
}

/** Ends are as coarse as starts: some SDKs add a measured duration to a start in whole milliseconds. */
export function endsWithin(inner: Span, outer: Span, { rounding }: Tolerances): boolean {
  return inner.endTimeUnixNano <= outer.endTimeUnixNano + rounding;
}

/** Looks up the spans that were open at a time. */
export interface TimeIndex {
  /** Calls `isMeant` for each span that was open, the latest start first, until it returns true. */
  someOpen(time: bigint, isMeant: (span: Span) => boolean): boolean;
  /** Removes the span from later look-ups. */
  remove(span: Span): void;
}

/** Builds the index. Among spans with equal starts, the later in the list comes first. */
export function indexByTime(spans: readonly Span[], { clockTolerance }: Tolerances): TimeIndex {
  const origin = spans[0]?.startTimeUnixNano ?? 0n;
  const [starts, ends] = [new Float64Array(spans.length), new Float64Array(spans.length)];
  spans.forEach((span, at) => {
    starts[at] = Number(span.startTimeUnixNano - origin);
    ends[at] = Number(span.endTimeUnixNano - origin);
  });
  const intervals = indexIntervals(starts, ends);
  const tolerance = Number(clockTolerance);
  const asked = new Float64Array(1);
  let isMeantNow = (_: Span): boolean => false;
  const isMeantAt = (_: number, position: number): boolean => {
    const span = spans[position];
    return span !== undefined && isMeantNow(span);
  };
  let positions: Map<Span, number> | null = null;
  return {
    someOpen(time, isMeant) {
      asked[0] = Number(time - origin);
      // `isMeant` may itself start a look-up; restore the outer one afterwards.
      const outer = isMeantNow;
      isMeantNow = isMeant;
      const isSome = intervals.someOpenAt(asked, 0, tolerance, isMeantAt);
      isMeantNow = outer;
      return isSome;
    },
    remove(span) {
      positions ??= new Map(spans.map((one, at) => [one, at]));
      const at = positions.get(span);
      if (at !== undefined) intervals.remove(at);
    },
  };
}

/**
 * Whether rows start while any of the spans is open, within the tolerance for clocks.
 * @param mayFit Called with the row and the position of an open span in the list.
 */
export function startsDuringAny(
  graph: TraceGraph,
  spans: readonly Span[],
  { clockTolerance }: Tolerances,
  mayFit: (row: number, at: number) => boolean = () => true,
): (row: number) => boolean {
  const [starts, ends] = [new Float64Array(spans.length), new Float64Array(spans.length)];
  spans.forEach((span, at) => {
    const row = graph.rowOf(span);
    starts[at] = graph.starts[row] ?? 0;
    ends[at] = graph.ends[row] ?? 0;
  });
  const intervals = indexIntervals(starts, ends);
  const tolerance = Number(clockTolerance);
  return (row) => intervals.someOpenAt(graph.starts, row, tolerance, mayFit);
}

export function durationOf(span: Span): bigint {
  return span.endTimeUnixNano - span.startTimeUnixNano;
}
