import type { Span } from '../span/span.ts';
import type { TraceQuery } from './source.ts';

/** Groups spans by trace, in the order of each trace's first span. */
export function groupByTrace(spans: Iterable<Span>): ReadonlyMap<string, readonly Span[]> {
  const traces = new Map<string, Span[]>();
  for (const span of spans) {
    const trace = traces.get(span.traceId);
    if (trace === undefined) traces.set(span.traceId, [span]);
    else trace.push(span);
  }
  return traces;
}

/**
 * `Source.searchTraces` for spans in memory: all spans of the newest traces that have a span of the service (or of any) that started
 * within the time range.
 */
export function selectTraces(spans: Iterable<Span>, query: TraceQuery): readonly Span[] {
  const min = toNanoseconds(query.startTimeMin);
  const max = toNanoseconds(query.startTimeMax);
  const isMatch = (span: Span) =>
    (query.service === null || span.serviceName === query.service) &&
    span.startTimeUnixNano >= min &&
    span.startTimeUnixNano <= max;
  return [...groupByTrace(spans).values()]
    .map((trace) => ({ trace, newest: latest(trace.filter(isMatch)) }))
    .filter(({ newest }) => newest >= 0n)
    .sort((a, b) => (a.newest < b.newest ? 1 : a.newest > b.newest ? -1 : 0))
    .slice(0, query.limit)
    .flatMap(({ trace }) => trace);
}

/** Whether two trace ids are the same; a 64-bit id equals its 128-bit form with leading zeros. */
export function isSameTraceId(a: string, b: string): boolean {
  return a.toLowerCase().padStart(32, '0') === b.toLowerCase().padStart(32, '0');
}

/** The latest start, or -1 for no spans. */
function latest(spans: readonly Span[]): bigint {
  let newest = -1n;
  for (const { startTimeUnixNano } of spans) if (startTimeUnixNano > newest) newest = startTimeUnixNano;
  return newest;
}

function toNanoseconds(milliseconds: number): bigint {
  return BigInt(Math.trunc(milliseconds)) * 1_000_000n;
}
