import type { TimeWindow } from '../../audit/audit-source.ts';
import type { Span } from '../../span/span.ts';
import { mapBy } from '../../util/group-by.ts';
import { later } from '../../util/statistics.ts';
import { toMilliseconds } from '../../util/to-milliseconds.ts';

export interface WatchOptions {
  /** A trace is judged when no span of it has arrived for this long. Milliseconds. */
  readonly settleMs: number;
  /** The bound on spans in memory. */
  readonly maxSpans?: number;
}

export interface Counts {
  readonly traces: number;
  /** Traces that are not judged yet. */
  readonly open: number;
  readonly spans: number;
  /** Spans of traces that were forgotten before they were judged, because of `maxSpans`. */
  readonly leftOut: number;
  /** The start of the first span and the end of the last one; null without spans. Milliseconds since the epoch. */
  readonly period: TimeWindow | null;
}

/** Spans of this age are complete: exporters have sent them by now. */
export const oldMs = 60_000;
/** A trace that never becomes quiet, such as that of a loop, is judged after this time, and again when more spans arrive. */
const longestOpenMs = 300_000;
/** How long a judged trace stays: the trace with the other side of a call may be judged later. */
const contextMs = 30_000;
const defaultMaxSpans = 50_000;
const mostGone = 100_000;
/** The most spans of a trace that the view can open. */
const mostSampleSpans = 500;

interface Trace {
  readonly spans: Map<string, Span>;
  /** The end of the last span, in milliseconds since the epoch. */
  end: number;
  /** When the trace was opened, or opened again by a late span. */
  since: number;
  /** When the last span arrived. */
  arrivedAt: number;
  /** Null while the trace is open. */
  judgedAt: number | null;
  /** The warnings that were counted, each as finding and span id. */
  readonly warned: Set<string>;
}

/**
 * Holds the watched traces in bounded memory. A trace is judged when it is quiet, and stays for a while, because it may hold the other side
 * of a call in a later trace. Callers pass the time in milliseconds, so that results do not depend on the clock.
 */
export class WatchedTraces {
  readonly #settleMs: number;
  readonly #maxSpans: number;
  readonly #traces = new Map<string, Trace>();
  /** Ids of traces that were forgotten: sources show their spans again. */
  readonly #gone = new Set<string>();
  #spans = 0;
  #seen: Omit<Counts, 'open'> = { traces: 0, spans: 0, leftOut: 0, period: null };

  constructor({ settleMs, maxSpans = defaultMaxSpans }: WatchOptions) {
    this.#settleMs = settleMs;
    this.#maxSpans = maxSpans;
  }

  /** @param spans The spans that a source shows; spans that it has shown before may be among them. */
  add(spans: readonly Span[], now: number): void {
    for (const [traceId, shown] of mapBy(spans, (span) => span.traceId)) {
      if (this.#gone.has(traceId)) continue;
      const known = this.#traces.get(traceId);
      const trace = known ?? makeTrace(now);
      const added = shown.filter((span) => !trace.spans.has(idOf(span)));
      if (added.length === 0) continue;
      for (const span of added) trace.spans.set(idOf(span), span);
      trace.end = Math.max(trace.end, findEnd(added));
      trace.arrivedAt = trace.end < now - oldMs ? now - this.#settleMs : now;
      if (trace.judgedAt !== null) trace.since = now;
      trace.judgedAt = null;
      this.#spans += added.length;
      const { traces, spans: before, period } = this.#seen;
      this.#seen = {
        ...this.#seen,
        traces: traces + (known === undefined ? 1 : 0),
        spans: before + added.length,
        period: added.reduce(extend, period),
      };
      this.#traces.set(traceId, trace);
    }
  }

  /** Milliseconds until the next trace can be judged; null where none waits. */
  nextDue(now: number): number | null {
    const waiting = this.#listOpen();
    if (waiting.length === 0) return null;
    const first = waiting.reduce((earliest, trace) => Math.min(earliest, this.#dueAt(trace)), Infinity);
    return Math.max(0, first - now);
  }

  /** Marks quiet traces as judged. @returns Whether there were any. */
  closeQuiet(now: number): boolean {
    const quiet = this.#listOpen().filter((trace) => this.#dueAt(trace) <= now);
    for (const trace of quiet) trace.judgedAt = now;
    return quiet.length > 0;
  }

  /** The spans of all judged traces in memory. */
  judgedSpans(): readonly Span[] {
    return [...this.#traces.values()].flatMap(({ judgedAt, spans }) =>
      judgedAt === null ? [] : [...spans.values()],
    );
  }

  /** Some spans of the traces, for the view. */
  samplesOf(traceIds: Iterable<string>): readonly Span[] {
    return [...new Set(traceIds)].flatMap((traceId) =>
      takeSample(this.#traces.get(traceId)?.spans.values() ?? []),
    );
  }

  /** When the calls of these traces were made: `now`, or the end of traces that are old. */
  timeOf(traceIds: readonly string[], now: number): number {
    const ends = traceIds.map((traceId) => this.#traces.get(traceId)?.end ?? 0);
    const end = ends.reduce((one, other) => Math.max(one, other), 0);
    return end > 0 && end < now - oldMs ? end : now;
  }

  /** @returns Whether the trace is in memory and this warning was not counted for it before. */
  isNewWarning(traceId: string, warning: string): boolean {
    const warned = this.#traces.get(traceId)?.warned;
    if (warned === undefined || warned.has(warning)) return false;
    warned.add(warning);
    return true;
  }

  /** Forgets old traces, and the first ones while there are too many spans. @returns The spans of each forgotten trace, by its id. */
  forget(now: number): ReadonlyMap<string, readonly Span[]> {
    const forgotten = new Map<string, readonly Span[]>();
    for (const [traceId, { judgedAt, spans }] of this.#traces) {
      const isOver = judgedAt !== null && judgedAt + contextMs <= now;
      if (!isOver && this.#spans <= this.#maxSpans) continue;
      if (judgedAt === null) this.#seen = { ...this.#seen, leftOut: this.#seen.leftOut + spans.size };
      this.#traces.delete(traceId);
      this.#spans -= spans.size;
      this.#gone.add(traceId);
      forgotten.set(traceId, [...spans.values()]);
    }
    for (const oldest of this.#gone) {
      if (this.#gone.size <= mostGone) break;
      this.#gone.delete(oldest);
    }
    return forgotten;
  }

  counts(): Counts {
    return { ...this.#seen, open: this.#listOpen().length };
  }

  #listOpen(): readonly Trace[] {
    return [...this.#traces.values()].filter(({ judgedAt }) => judgedAt === null);
  }

  #dueAt({ since, arrivedAt }: Trace): number {
    return Math.min(arrivedAt + this.#settleMs, since + longestOpenMs);
  }
}

function makeTrace(now: number): Trace {
  return { spans: new Map(), end: 0, since: now, arrivedAt: now, judgedAt: null, warned: new Set() };
}

/** Spans of one trace are told apart by id and kind, because in Zipkin both sides of a call share one id. */
function idOf({ spanId, kind }: Span): string {
  return `${spanId} ${kind}`;
}

/** The first spans, without a look at the others: it is called for each call of a trace. */
function takeSample(spans: Iterable<Span>): readonly Span[] {
  const sample: Span[] = [];
  for (const span of spans) {
    if (sample.length === mostSampleSpans) break;
    sample.push(span);
  }
  return sample;
}

/** Milliseconds since the epoch. */
function findEnd(spans: readonly Span[]): number {
  return toMilliseconds(spans.map((span) => span.endTimeUnixNano).reduce(later, 0n));
}

function extend(period: TimeWindow | null, { startTimeUnixNano, endTimeUnixNano }: Span): TimeWindow {
  const from = toMilliseconds(startTimeUnixNano);
  const to = toMilliseconds(endTimeUnixNano);
  return period === null ? { from, to } : { from: Math.min(period.from, from), to: Math.max(period.to, to) };
}
