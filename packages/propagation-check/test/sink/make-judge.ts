import { type CallVerdict, EdgeCounters } from '../../src/sink/edge-counters.ts';
import { type JudgeState, TraceJudge, type TraceJudgeOptions } from '../../src/sink/trace-judge.ts';
import { encodeOtlpLines } from '../../src/span/encode-otlp-lines.ts';
import type { Span } from '../../src/span/span.ts';
import { drawTrace } from '../draw-trace.ts';

/** A judge with its own clock, in milliseconds from the beginning of the drawings. */
export interface DrivenJudge {
  readonly judge: TraceJudge;
  readonly now: number;
  state(): JudgeState;
  /** Judges all spans. */
  finish(): void;
  /** Lets time pass, in steps of a second. */
  advance(milliseconds: number): void;
  /** Delivers these spans in one export for each resource. */
  send(spans: readonly Span[]): void;
  /** `client → server verdict cause: calls`, sorted. */
  list(): readonly string[];
  readonly counted: readonly CallVerdict[];
}

/** The time at which drawings begin. Milliseconds since the epoch. */
const drawnAt = 1_700_000_000_000;

/** @param lagMs How much the clock of the judge is behind that of the services, as on a machine that has slept. */
export function makeJudge(options: Partial<TraceJudgeOptions> = {}, lagMs = 0): DrivenJudge {
  const counters = new EdgeCounters(1_000);
  const counted: CallVerdict[] = [];
  const count = (call: CallVerdict, calls: number): void => {
    counted.push(call);
    counters.count(call, calls);
  };
  const judge = new TraceJudge({
    ...{ closeAfterMs: 20_000, maxBytes: 1e9, count },
    onFault: (error) => {
      throw error;
    },
    ...options,
  });
  let now = 1_000;
  const clock = () => drawnAt + now - lagMs;
  return {
    judge,
    counted,
    get now() {
      return now;
    },
    state: () => judge.state(clock()),
    finish: () => {
      while (judge.finish(clock()));
    },
    advance: (milliseconds) => {
      for (const end = now + milliseconds; now < end; ) {
        now = Math.min(end, now + 1_000);
        judge.tick(clock());
      }
    },
    send: (spans) => {
      if (spans.length === 0) return;
      for (const line of encodeOtlpLines(spans).trimEnd().split('\n'))
        judge.take(
          { signal: 'traces', type: 'application/json', body: Buffer.from(line) },
          clock(),
          drawnAt + now,
        );
      while (judge.isReady) judge.tick(clock());
    },
    list: () =>
      counters
        .list()
        .map(
          ({ client, server, verdict, cause, calls }) =>
            `${client} → ${server} ${verdict}${cause === '' ? '' : ` ${cause}`}: ${calls}`,
        )
        .sort(),
  };
}

/** Whole calls from web to orders, each in its own trace. Ids begin with `from`. @param at Milliseconds. */
export function callOrders(count: number, at = 0, from = 1): readonly Span[] {
  return Array.from({ length: count }, (_, index) => {
    const id = (from + index).toString(16).padStart(4, '0');
    const start = at + index * 10;
    return rename(
      drawTrace(`
        SERVER web GET /      a1  ${start}..${start + 9} http.request.method=GET url.path=/
          CLIENT web GET      a2  ${start + 1}..${start + 8} http.request.method=GET url.full=http://orders/work
            SERVER orders GET  a3  ${start + 2}..${start + 7} http.request.method=GET url.path=/work`),
      id,
    );
  }).flat();
}

/** The same calls without context: orders begins a new trace for each. */
export function breakCalls(spans: readonly Span[]): readonly Span[] {
  return spans.map((span) =>
    span.serviceName === 'orders'
      ? { ...span, traceId: `${span.traceId.slice(0, -5)}f${span.traceId.slice(-4)}`, parentSpanId: null }
      : span,
  );
}

/** The same spans in other traces. */
export function rename(spans: readonly Span[], id: string): readonly Span[] {
  const change = (text: string): string => `${text.slice(0, -id.length)}${id}`;
  return spans.map((span) => ({
    ...span,
    traceId: change(span.traceId),
    spanId: change(span.spanId),
    parentSpanId: span.parentSpanId === null ? null : change(span.parentSpanId),
  }));
}
