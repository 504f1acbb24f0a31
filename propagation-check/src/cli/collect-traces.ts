import { setTimeout as delay } from 'node:timers/promises';
import { mapConcurrently } from '../assertion/map-concurrently.ts';
import { groupByTrace } from '../source/select-spans.ts';
import type { Source } from '../source/source.ts';
import type { Span } from '../span.ts';
import type { CheckInputs } from './check-inputs.ts';
import { findOtherSides, selectOtherSides } from './find-other-sides.ts';
import { findLooseEnds, isCertain } from './judge-trace.ts';

export interface CollectOptions {
  readonly source: Source;
  readonly traceIds: readonly string[];
  /** What a search has read already. */
  readonly spans?: readonly Span[];
  /** CLIENT spans of requests that this tool sent itself, one for each trace. */
  readonly requests?: readonly Span[];
  /** Services to search for other sides of calls, beside those that are called. */
  readonly services: readonly string[];
  /** Read anew for each look: taps write while they run. */
  readonly readInputs: () => Promise<CheckInputs>;
  /** Milliseconds. The deadline for spans to arrive. */
  readonly waitMs: number;
  /** Milliseconds. A trace that did not grow for so long is taken as it is. */
  readonly settleMs: number;
  readonly signal: AbortSignal;
  /** Told before each pause how many traces are waited for. */
  readonly onWait?: (waiting: number, all: number) => void;
}

export interface Collected {
  /** Of the traces, and of those that began as the other side of their calls. */
  readonly spans: readonly Span[];
  /** Traces of which nothing arrived. */
  readonly missing: readonly string[];
  /** Set when nothing arrived under any id, and other traces began during the requests: their spans. */
  readonly elsewhere: readonly Span[];
}

const firstPauseMs = 25;
const longestPauseMs = 1_000;
const pauseGrowth = 1.5;
const readsAtOnce = 8;
/** Spans that ended before are no longer under way, so that old traces are judged at once. */
const oldMs = 60_000;

interface Trace {
  readonly id: string;
  readonly spans: readonly Span[];
  /** The request of this tool that caused it. */
  readonly request: Span | null;
  /** When it last grew, or when the waiting began. */
  readonly grewAt: number;
  /** Calls without their other side, when it was last looked at. */
  readonly looseEnds: readonly Span[];
  readonly isOver: boolean;
}

interface State {
  readonly traces: readonly Trace[];
  /** Of traces that began as the other side of a loose end. */
  readonly others: readonly Span[];
}

/**
 * Reads traces until each is certain, has settled, or the deadline decides. Looks again after short, growing pauses.
 * @throws {SourceError} when the source cannot be asked; the signal's reason when it aborts.
 */
export async function collectTraces(options: CollectOptions): Promise<Collected> {
  const { signal } = options;
  const deadline = Date.now() + options.waitMs;
  let state = begin(options);
  let elsewhereSince: number | null = null;

  for (let pause = firstPauseMs; ; pause = Math.min(pause * pauseGrowth, longestPauseMs)) {
    signal.throwIfAborted();
    const isLast = Date.now() >= deadline;
    state = await look(state, pause === firstPauseMs, options);
    const isEmpty = state.traces.every((trace) => trace.spans.length === 0);
    if (isEmpty && state.others.length > 0) {
      elsewhereSince ??= Date.now();
      if (isLast || Date.now() - elsewhereSince >= options.settleMs) return concludeElsewhere(state);
    }
    const waiting = state.traces.filter((trace) => !trace.isOver).length;
    if (waiting === 0 || isLast) return conclude(state);
    options.onWait?.(waiting, state.traces.length);
    await pauseFor(Math.min(pause, Math.max(0, deadline - Date.now())), signal);
  }
}

function begin({ traceIds, spans = [], requests = [] }: CollectOptions): State {
  const given = groupByTrace(spans);
  const requestOf = new Map(requests.map((request) => [request.traceId, request]));
  const traces = traceIds.map((id) => ({
    id,
    spans: given.get(id) ?? [],
    request: requestOf.get(id) ?? null,
    grewAt: Date.now(),
    looseEnds: [],
    isOver: false,
  }));
  return { traces, others: [] };
}

/** Reads what is not over yet, and searches for the other sides of its calls. */
async function look(before: State, isFirst: boolean, options: CollectOptions): Promise<State> {
  const { source, services, settleMs, signal } = options;
  const read = await mapConcurrently(before.traces, readsAtOnce, async (trace) => {
    const isGiven = isFirst && trace.spans.length > 0;
    return trace.isOver || isGiven ? trace : grow(trace, await source.readTrace(trace.id, signal));
  });
  const inputs = await options.readInputs();
  const traces = read.map((trace) =>
    trace.isOver ? trace : { ...trace, looseEnds: findLooseEnds(withRequest(trace), inputs.expectation) },
  );
  const found = await findOtherSides({
    source,
    expectation: inputs.expectation,
    services,
    looseEnds: traces.filter((trace) => !trace.isOver).flatMap((trace) => trace.looseEnds),
    known: new Set(traces.map((trace) => trace.id)),
    signal,
  });
  const others = mergeSpans(before.others, found);
  const isOver = (trace: Trace): boolean =>
    trace.spans.length > 0 &&
    (isSettled(trace, settleMs) ||
      isCertain([...withRequest(trace), ...selectOtherSides(others, trace.looseEnds)], inputs));
  return {
    traces: traces.map((trace) => (trace.isOver || !isOver(trace) ? trace : { ...trace, isOver: true })),
    others,
  };
}

function conclude({ traces, others }: State): Collected {
  // A request of which nothing is here would only look like a call to a peer without spans.
  const shown = traces.filter(
    (trace) => trace.spans.length > 0 || selectOtherSides(others, trace.looseEnds).length > 0,
  );
  return {
    spans: [...shown.flatMap(withRequest), ...others],
    missing: traces.filter((trace) => trace.spans.length === 0).map((trace) => trace.id),
    elsewhere: [],
  };
}

function concludeElsewhere({ traces, others }: State): Collected {
  return { spans: [], missing: traces.map((trace) => trace.id), elsewhere: others };
}

function withRequest({ request, spans }: Trace): readonly Span[] {
  return request === null ? spans : [request, ...spans];
}

async function pauseFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(milliseconds, undefined, { signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}

function grow(trace: Trace, spans: readonly Span[]): Trace {
  return spans.length > trace.spans.length ? { ...trace, spans, grewAt: Date.now() } : trace;
}

function isSettled({ spans, grewAt }: Trace, settleMs: number): boolean {
  const now = Date.now();
  const newest = spans.reduce((latest, span) => {
    const end = Number(span.endTimeUnixNano / 1_000_000n);
    return end > latest ? end : latest;
  }, 0);
  return now - grewAt >= settleMs || now - newest >= oldMs;
}

/** The later reading of a trace is the fuller one. */
function mergeSpans(before: readonly Span[], now: readonly Span[]): readonly Span[] {
  const fresh = new Set(now.map((span) => span.traceId));
  return [...before.filter((span) => !fresh.has(span.traceId)), ...now];
}
