import { isEntry } from '../calls/edge.ts';
import { isRoot } from '../graph/trace-graph.ts';
import { groupByTrace } from '../source/select-spans.ts';
import type { Source } from '../source/source.ts';
import type { Span } from '../span/span.ts';
import type { CheckInputs } from './check-inputs.ts';
import { findDetached, findOtherSides, selectOtherSides } from './find-other-sides.ts';
import { findLooseEnds, isCertain } from './judge-trace.ts';
import { listReached } from './list-reached.ts';
import { mapConcurrently } from './map-concurrently.ts';
import { pauseFor } from './pause-for.ts';

export interface CollectOptions {
  readonly source: Source;
  readonly traceIds: readonly string[];
  /** What a search has read already. */
  readonly spans?: readonly Span[];
  /** CLIENT spans of requests that this tool sent itself, one for each trace. */
  readonly requests?: readonly Span[];
  /** Services to search for other sides of calls, beside those that are called. */
  readonly services: readonly string[];
  /** Everything that has reached a receiver is meant, beside the traces that are named. */
  readonly withReceived?: boolean;
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
  /** Of the traces, of those that began as the other side of their calls, and of every other that reached a receiver. */
  readonly spans: readonly Span[];
  /** Traces of which nothing arrived. */
  readonly missing: readonly string[];
  /** Set when nothing arrived under any id, and other traces began during the requests: their spans. */
  readonly elsewhere: readonly Span[];
  /** Ids of traces that services began while the requests were open: the requests may have caused them, or not. */
  readonly detached: ReadonlySet<string>;
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
  /** Null until they are searched for: once everything else is there. */
  readonly detached: ReadonlySet<string> | null;
  /**
   * Of a receiver: when the traces were over for the first time, in milliseconds. What has come or begun until then is judged
   * too; later traces are those of others, who may never rest.
   */
  readonly receivedUntil: number | null;
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
    // Before the look: what comes while it searches is not in what it has read.
    const now = Date.now();
    const isLast = now >= deadline;
    state = await look(state, { isFirst: pause === firstPauseMs, isLast }, options);
    const isEmpty = state.traces.every((trace) => trace.spans.length === 0);
    if (isEmpty && state.others.length > 0) {
      elsewhereSince ??= Date.now();
      const isWhole = options.services.length > 0 || state.traces.every((trace) => isAnswered(trace, state));
      if (isLast || (isWhole && now - elsewhereSince >= options.settleMs)) {
        return concludeElsewhere(state);
      }
    }
    if (isLast || state.traces.every((trace) => trace.isOver)) {
      if (options.withReceived === true) state = await addReceived(state, isLast, options);
      else if (state.detached === null) state = await addDetached(state, isLast, options);
    }
    const waiting = state.traces.filter((trace) => !trace.isOver).length;
    if (waiting === 0 || isLast) return conclude(state, options);
    options.onWait?.(waiting, state.traces.length);
    await pauseFor(Math.min(pause, Math.max(0, deadline - Date.now())), signal);
  }
}

function begin({ traceIds, spans = [], requests = [] }: CollectOptions): State {
  const given = groupByTrace(spans);
  const requestOf = new Map(requests.map((request) => [request.traceId, request]));
  const traces = traceIds.map((id) => toTrace(id, given.get(id) ?? [], requestOf.get(id) ?? null));
  return { traces, others: [], detached: null, receivedUntil: null };
}

function toTrace(id: string, spans: readonly Span[], request: Span | null): Trace {
  return { id, spans, request, grewAt: Date.now(), looseEnds: [], isOver: false };
}

/** Reads what is not over yet, and searches for the other sides of its calls. */
async function look(
  before: State,
  { isFirst, isLast }: { readonly isFirst: boolean; readonly isLast: boolean },
  options: CollectOptions,
): Promise<State> {
  const { source, services, settleMs, signal } = options;
  const read = await mapConcurrently(before.traces, readsAtOnce, async (trace) => {
    const isGiven = isFirst && trace.spans.length > 0;
    return trace.isOver || isGiven ? trace : grow(trace, await source.readTrace(trace.id, signal));
  });
  const inputs = await options.readInputs();
  const traces = read.map((trace) =>
    trace.isOver ? trace : { ...trace, looseEnds: findLooseEnds(withRequest(trace), inputs.expectation) },
  );
  const open = traces.filter((trace) => !trace.isOver);
  // Before the search, which takes time: no trace is over by its age unless it was searched for thoroughly.
  const settled = new Set(open.filter((trace) => isSettled(trace, settleMs)).map((trace) => trace.id));
  const found = await findOtherSides({
    source,
    expectation: inputs.expectation,
    services,
    looseEnds: open.flatMap((trace) => trace.looseEnds),
    isThorough: isLast || settled.size > 0,
    known: new Set(traces.map((trace) => trace.id)),
    signal,
  });
  const others = mergeSpans(before.others, found);
  const isOver = (trace: Trace): boolean =>
    trace.spans.length > 0 &&
    (settled.has(trace.id) ||
      (!(options.withReceived === true && mayHaveHiddenCalls(trace, inputs)) &&
        isCertain([...withRequest(trace), ...selectOtherSides(others, trace.looseEnds)], inputs)));
  return {
    ...before,
    traces: traces.map((trace) => (trace.isOver || !isOver(trace) ? trace : { ...trace, isOver: true })),
    others,
  };
}

/** Begins to wait for them, too. */
async function addDetached(state: State, isLast: boolean, options: CollectOptions): Promise<State> {
  const { source, signal } = options;
  const spans = [...state.traces.flatMap((trace) => trace.spans), ...state.others];
  const found = groupByTrace(await findDetached(source, spans, signal));
  const detached = new Set(found.keys());
  if (detached.size === 0) return { ...state, detached };
  const traces = [...state.traces, ...[...found].map(([id, ofTrace]) => toTrace(id, ofTrace, null))];
  return look({ ...state, traces, detached }, { isFirst: true, isLast }, options);
}

/** Begins to wait for all other traces that services sent. */
async function addReceived(state: State, isLast: boolean, options: CollectOptions): Promise<State> {
  const { source, signal } = options;
  const query = { service: null, startTimeMin: 0, limit: Number.MAX_SAFE_INTEGER };
  // The first time all, however wrong the clock of a service is.
  const startTimeMax = state.receivedUntil ?? Number.MAX_SAFE_INTEGER;
  const arrived = groupByTrace(await source.searchTraces({ ...query, startTimeMax }, signal));
  const known = new Set([
    ...state.traces.map((trace) => trace.id),
    ...state.others.map((span) => span.traceId),
  ]);
  const fresh = [...arrived].filter(([id]) => !known.has(id));
  const traces = [...state.traces, ...fresh.map(([id, spans]) => toTrace(id, spans, null))];
  const next = { ...state, traces, receivedUntil: state.receivedUntil ?? Date.now() };
  return fresh.length === 0 ? next : look(next, { isFirst: true, isLast }, options);
}

/**
 * A request of which one service alone shows spans: a client that is not instrumented leaves no trace of the calls that it
 * makes but in the traces of those who are called, and these come to a receiver when their exporters send.
 */
function mayHaveHiddenCalls({ request, spans }: Trace, { expectation }: CheckInputs): boolean {
  return (
    request !== null &&
    !expectation.edges.some((edge) => edge.rule === 'must') &&
    spans.every((span) => span.serviceName === spans[0]?.serviceName)
  );
}

/** Whether a trace began as the other side of this one's request: others may ask for the same at the same time. */
function isAnswered(trace: Trace, { others }: State): boolean {
  return selectOtherSides(others, trace.looseEnds).length > 0;
}

function conclude({ traces, others, detached }: State, { services }: CollectOptions): Collected {
  const requests = traces.flatMap(({ request }) => request ?? []);
  const spans = traces.flatMap((trace) => trace.spans);
  const called = new Set([...services, ...listReached(spans, requests)]);
  const direct = [...groupByTrace(others).values()].filter((trace) => beginsAt(trace, called)).flat();
  const isShown = ({ request, spans: { length }, looseEnds }: Trace): boolean => {
    if (selectOtherSides(direct, looseEnds).length > 0) return true;
    // A request of which nothing is here would only look like a call to a peer without spans, and one while which some other
    // service began a trace like a call to that: a service without spans may stand in between.
    const isLoose = looseEnds.some((span) => span.spanId === request?.spanId);
    return length > 0 && !(isLoose && request !== null && selectOtherSides(others, [request]).length > 0);
  };
  return {
    spans: [...traces.flatMap((trace) => (isShown(trace) ? withRequest(trace) : trace.spans)), ...others],
    missing: traces.filter((trace) => trace.spans.length === 0).map((trace) => trace.id),
    elsewhere: [],
    detached: detached ?? new Set(),
  };
}

function beginsAt(trace: readonly Span[], services: ReadonlySet<string>): boolean {
  return trace.some((span) => isEntry(span) && isRoot(span) && services.has(span.serviceName ?? ''));
}

function concludeElsewhere({ traces, others }: State): Collected {
  return { spans: [], missing: traces.map((trace) => trace.id), elsewhere: others, detached: new Set() };
}

function withRequest({ request, spans }: Trace): readonly Span[] {
  return request === null ? spans : [request, ...spans];
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
