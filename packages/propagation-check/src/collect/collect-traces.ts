import { isEntry } from '../calls/edge.ts';
import { isRoot } from '../graph/trace-graph.ts';
import { groupByTrace } from '../source/select-spans.ts';
import type { Source } from '../source/source.ts';
import type { Span } from '../span/span.ts';
import { storeOf } from '../span/span-writer.ts';
import { mapConcurrently } from '../util/map-concurrently.ts';
import { toMilliseconds } from '../util/to-milliseconds.ts';
import { type Awaited, findAwaited } from './find-awaited.ts';
import {
  findCallers,
  findDetached,
  findOtherSides,
  isLinkedTo,
  selectOtherSides,
} from './find-other-sides.ts';
import { type CheckInputs, judge } from './judge.ts';
import { type CollectedSpans, findLooseEnds, isSameList, type JudgedSpans } from './judge-trace.ts';
import { listReached } from './list-reached.ts';
import { waitForTurn } from './pace-looks.ts';

export interface CollectOptions {
  readonly source: Source;
  readonly traceIds: readonly string[];
  /** Spans that a search has read already. */
  readonly spans?: readonly Span[];
  /** CLIENT spans of requests that this tool sent itself, one for each trace. */
  readonly requests?: readonly Span[];
  /**
   * Set if requests of this tool caused the traces: when the last of them was answered, in milliseconds since the Unix epoch. They may
   * have reached services that no span names.
   */
  readonly answeredAt?: number;
  /** Services to search for other sides of calls, in addition to the called services. */
  readonly services: readonly string[];
  /** Whether all traces in a receiver are collected, in addition to `traceIds`. */
  readonly withReceived?: boolean;
  /** Called for each look, because taps write while they run. */
  readonly readInputs: () => Promise<CheckInputs>;
  /** Milliseconds. The deadline for spans to arrive. */
  readonly waitMs: number;
  /** Milliseconds without growth after which a trace counts as complete. */
  readonly settleMs: number;
  readonly signal: AbortSignal;
  /** Called before each pause. */
  readonly onWait?: (waiting: Waiting) => void;
}

export interface Waiting {
  /** What the first open trace waits for. */
  readonly awaited: readonly Awaited[];
  /** The number of traces that are waited for, of `all`. */
  readonly open: number;
  readonly all: number;
  /** Milliseconds until the deadline. */
  readonly leftMs: number;
}

/** The spans of the requested traces, of traces that began as the other side of their calls, and of all other traces in a receiver. */
export interface Collected extends CollectedSpans {
  /** Ids of the traces without spans. */
  readonly missing: readonly string[];
  /** If no span arrived under any requested id: the spans of other traces that began during the requests. */
  readonly elsewhere: readonly Span[];
}

const readsAtOnce = 8;
/** A trace whose newest span ended this long ago is judged at once: its spans are no longer in transit. */
const oldMs = 60_000;
/**
 * Exporters send at intervals: after a pause, the next export may take one more interval. The factor is above 1 because an observed pause
 * is usually shorter than the interval.
 */
const quietPauses = 1.5;
/** The share of the time for searches of all services of a remote source. */
const searchShare = 0.1;

interface Trace {
  readonly id: string;
  readonly spans: readonly Span[];
  /** The CLIENT span of this tool's request that caused it. */
  readonly request: Span | null;
  /** Whether a request of this tool caused it, in this trace or in another. */
  readonly isCaused: boolean;
  /** When it last grew, or when the waiting began. */
  readonly grewAt: number;
  /** Calls without their other side, as of the last look. */
  readonly looseEnds: readonly Span[];
  /** Spans and edges that can still change the verdict on it. */
  readonly awaited: readonly Awaited[];
  /** Identifies the data of the last judgement: the trace is judged anew when this changes. */
  readonly judgedOn: string;
  readonly isOver: boolean;
}

/** Times on the clock of this process. */
interface Arrivals {
  /** When spans arrived last, or when the waiting began. */
  readonly lastAt: number;
  /** The longest pause between two arrivals, or before the first. */
  readonly longestPauseMs: number;
}

interface State {
  readonly traces: readonly Trace[];
  /** Spans of traces that began as the other side of a loose end. */
  readonly others: readonly Span[];
  readonly arrivals: Arrivals;
  /** The time from which all services of a remote source may be searched again. */
  readonly searchAt: number;
  /** Ids of detached traces (see `findDetached`) and of traces of possible callers (see `findCallers`); null until they are searched for, once everything else is complete. */
  readonly detached: ReadonlySet<string> | null;
  /**
   * For a receiver: when the traces were complete for the first time, in milliseconds. Spans that arrived or began before are judged too.
   * Later traces belong to other callers, which may never stop.
   */
  readonly receivedUntil: number | null;
  /** The last judgement of any trace. */
  readonly judged: JudgedSpans | null;
}

/**
 * Reads traces until nothing can change the verdict on any of them, or they have settled, or the deadline passes.
 * @throws {SourceError} when the source cannot be read; the signal's reason when it is aborted.
 */
export async function collectTraces(options: CollectOptions): Promise<Collected> {
  const { signal, source } = options;
  const beganAt = Date.now();
  const since = options.answeredAt ?? beganAt;
  const deadline = beganAt + options.waitMs;
  let state = begin(options, since);
  let elsewhereSince: number | null = null;
  let looksMs = 0;

  for (let isFirst = true; ; isFirst = false) {
    signal.throwIfAborted();
    // Taken before the look, which does not see spans that arrive during it.
    const now = Date.now();
    const revision = source.revision ?? 0;
    const isLast = now >= deadline;
    state = await look(state, { isFirst, isLast }, options);
    const isEmpty = state.traces.every((trace) => trace.spans.length === 0);
    if (isEmpty && state.others.length > 0) {
      const linked = findLinked(state);
      if (linked !== null) return concludeElsewhere(state, linked);
      elsewhereSince ??= Date.now();
      const isWhole = options.services.length > 0 || state.traces.every((trace) => isAnswered(trace, state));
      if (isLast || (isWhole && now - elsewhereSince >= settleTime(state.arrivals, options))) {
        return concludeElsewhere(state, state.others);
      }
    }
    if (isLast || state.traces.every((trace) => trace.isOver)) {
      if (options.withReceived === true) state = await addReceived(state, isLast, options);
      else if (state.detached === null) state = await addDetached(state, isLast, options);
    }
    const open = state.traces.filter((trace) => !trace.isOver);
    const [first] = open;
    if (first === undefined || isLast) return conclude(state, options);
    const lookedAt = Date.now();
    looksMs += lookedAt - now;
    options.onWait?.({
      awaited: first.awaited,
      open: open.length,
      all: state.traces.length,
      leftMs: deadline - lookedAt,
    });
    const due = Math.min(deadline, findDue(state, elsewhereSince, options));
    await waitForTurn({
      source,
      revision,
      elapsedMs: lookedAt - since,
      lookMs: lookedAt - now,
      looksMs,
      dueMs: Math.max(0, due - lookedAt),
      signal,
    });
  }
}

/** The next time at which a wait ends by time alone; infinity if only the deadline ends it. */
function findDue(state: State, elsewhereSince: number | null, options: CollectOptions): number {
  const settleMs = settleTime(state.arrivals, options);
  const elsewhereAt = (elsewhereSince ?? Number.POSITIVE_INFINITY) + settleMs;
  const wholeAt = state.arrivals.lastAt + quietTime(state.arrivals, options);
  return state.traces
    .filter(({ spans, isOver }) => spans.length > 0 && !isOver)
    .map(({ grewAt, awaited }) => (awaited.length === 0 ? wholeAt : grewAt + settleMs))
    .reduce(
      (least, due) => Math.min(least, due),
      // After this time the other traces account for only some of the requests, and do not end the wait.
      elsewhereAt > Date.now() ? elsewhereAt : Number.POSITIVE_INFINITY,
    );
}

/** How long no span may arrive before conclusions are drawn from missing spans. */
function settleTime({ longestPauseMs }: Arrivals, { settleMs }: CollectOptions): number {
  return Math.max(settleMs, longestPauseMs * quietPauses);
}

/** How long no span may arrive before complete traces count as all that the requests caused. */
function quietTime({ longestPauseMs }: Arrivals, { settleMs }: CollectOptions): number {
  return Math.min(settleMs, longestPauseMs * quietPauses);
}

function begin({ traceIds, spans = [], requests = [], answeredAt }: CollectOptions, since: number): State {
  const given = groupByTrace(spans);
  const requestOf = new Map(requests.map((request) => [request.traceId, request]));
  const isCaused = answeredAt !== undefined;
  const traces = traceIds.map((id) => ({
    ...toTrace(id, given.get(id) ?? []),
    request: requestOf.get(id) ?? null,
    isCaused,
  }));
  const pause = spans.length > 0 ? Date.now() - since : 0;
  const arrivals = { lastAt: since + pause, longestPauseMs: pause };
  return { traces, others: [], arrivals, searchAt: 0, detached: null, receivedUntil: null, judged: null };
}

function toTrace(id: string, spans: readonly Span[]): Trace {
  return {
    id,
    spans,
    request: null,
    isCaused: false,
    grewAt: Date.now(),
    looseEnds: [],
    awaited: [{ kind: 'any-span' }],
    judgedOn: '',
    isOver: false,
  };
}

/** Reads the open traces, searches for the other sides of their calls, and judges the traces that have changed. */
async function look(
  before: State,
  { isFirst, isLast }: { readonly isFirst: boolean; readonly isLast: boolean },
  options: CollectOptions,
): Promise<State> {
  const { source, services, signal } = options;
  const read = await mapConcurrently(before.traces, readsAtOnce, async (trace) => {
    const isGiven = isFirst && trace.spans.length > 0;
    return trace.isOver || isGiven ? trace : grow(trace, await source.readTrace(trace.id, signal));
  });
  const inputs = await options.readInputs();
  const traces = read.map((trace, index) =>
    trace.isOver || (!isFirst && trace === before.traces[index])
      ? trace
      : { ...trace, looseEnds: findLooseEnds(withRequest(trace), inputs.expectation) },
  );
  const open = traces.filter((trace) => !trace.isOver);
  const arrived = noteArrivals(before.arrivals, countSpans(traces) > countSpans(before.traces));
  // Decided before the search, which takes time: a trace settles only if this look searches thoroughly.
  const settleMs = settleTime(arrived, options);
  const settled = new Set(open.filter((trace) => isSettled(trace, settleMs)).map((trace) => trace.id));
  const searchedAt = Date.now();
  const isThorough = isLast || settled.size > 0 || searchedAt >= before.searchAt;
  const found = await findOtherSides({
    source,
    expectation: inputs.expectation,
    services,
    looseEnds: open.flatMap((trace) => trace.looseEnds),
    isThorough,
    known: new Set(traces.map((trace) => trace.id)),
    signal,
  });
  const others = mergeSpans(before.others, found);
  const arrivals = noteArrivals(arrived, others.length > before.others.length);
  const state = {
    ...before,
    others,
    arrivals,
    searchAt: isThorough ? Date.now() + (Date.now() - searchedAt) / searchShare : before.searchAt,
  };
  const quietFor = Date.now() - arrivals.lastAt;
  let { judged } = before;
  const close = (trace: Trace): Trace => {
    // A trace without spans stays open, even if other sides of its calls are found.
    if (trace.isOver || trace.spans.length === 0) return trace;
    const judgedOn = [trace.spans.length, others.length, inputs.wire.length].join();
    let { awaited } = trace;
    if (judgedOn !== trace.judgedOn) ({ awaited, judged } = judgeTrace(trace, others, inputs, options));
    const isCertain =
      awaited.length === 0 &&
      (!trace.isCaused || requiresEdges(inputs) || quietFor >= quietTime(arrivals, options));
    const isOver = settled.has(trace.id) || isCertain;
    return { ...trace, judgedOn, awaited, isOver };
  };
  const closed = traces.map(close);
  return { ...state, traces: closed, judged };
}

function judgeTrace(
  trace: Trace,
  others: readonly Span[],
  inputs: CheckInputs,
  { withReceived }: CollectOptions,
): { readonly awaited: readonly Awaited[]; readonly judged: JudgedSpans } {
  const spans = [...withRequest(trace), ...selectOtherSides(others, trace.looseEnds)];
  const store = storeOf(spans);
  const judgement = judge(store, inputs);
  const awaited = findAwaited(judgement, inputs);
  const isHiding = withReceived === true && mayHaveHiddenCalls(trace, inputs);
  return {
    awaited: isHiding ? [...awaited, { kind: 'unknown-services' }] : awaited,
    judged: { spans, store, wire: inputs.wire, result: judgement.result },
  };
}

/** Whether the expectations require edges: then spans of other services are not awaited. */
function requiresEdges({ expectation }: CheckInputs): boolean {
  return expectation.edges.some((edge) => edge.rule === 'must');
}

function noteArrivals({ lastAt, longestPauseMs }: Arrivals, hasArrived: boolean): Arrivals {
  if (!hasArrived) return { lastAt, longestPauseMs };
  const now = Date.now();
  return { lastAt: now, longestPauseMs: Math.max(longestPauseMs, now - lastAt) };
}

function countSpans(traces: readonly Trace[]): number {
  return traces.reduce((sum, { spans }) => sum + spans.length, 0);
}

/** Adds the detached traces and, where traces are named by their ids, those that may have caused them; and waits for them too. */
async function addDetached(state: State, isLast: boolean, options: CollectOptions): Promise<State> {
  const { source, signal } = options;
  const spans = [...state.traces.flatMap((trace) => trace.spans), ...state.others];
  const isNamed = options.answeredAt === undefined && options.spans === undefined;
  const hasTime = !isLast || source.isInMemory === true;
  const callers = isNamed && hasTime ? await findCallers(source, spans, signal) : [];
  const found = groupByTrace([...callers, ...(await findDetached(source, [...spans, ...callers], signal))]);
  const detached = new Set(found.keys());
  if (detached.size === 0) return { ...state, detached };
  const traces = [...state.traces, ...[...found].map(([id, ofTrace]) => toTrace(id, ofTrace))];
  return look({ ...state, traces, detached }, { isFirst: true, isLast }, options);
}

/** Adds all other traces of a receiver, and waits for them too. */
async function addReceived(state: State, isLast: boolean, options: CollectOptions): Promise<State> {
  const { source, signal } = options;
  const query = { service: null, startTimeMin: 0, limit: Number.MAX_SAFE_INTEGER };
  // The first search has no upper limit, because a service's clock may be wrong.
  const startTimeMax = state.receivedUntil ?? Number.MAX_SAFE_INTEGER;
  const arrived = groupByTrace(await source.searchTraces({ ...query, startTimeMax }, signal));
  const known = new Set([
    ...state.traces.map((trace) => trace.id),
    ...state.others.map((span) => span.traceId),
  ]);
  const fresh = [...arrived].filter(([id]) => !known.has(id));
  const traces = [...state.traces, ...fresh.map(([id, spans]) => toTrace(id, spans))];
  const next = { ...state, traces, receivedUntil: state.receivedUntil ?? Date.now() };
  return fresh.length === 0 ? next : look(next, { isFirst: true, isLast }, options);
}

/**
 * Whether a request's trace has spans of only one service. If its client is not instrumented, its calls show only in the traces of the
 * called services, which arrive with the next export of those.
 */
function mayHaveHiddenCalls({ isCaused, spans }: Trace, inputs: CheckInputs): boolean {
  return (
    isCaused && !requiresEdges(inputs) && spans.every((span) => span.serviceName === spans[0]?.serviceName)
  );
}

/** Whether another trace began as the other side of this trace's call, and not of another caller's call at the same time. */
function isAnswered(trace: Trace, { others }: State): boolean {
  return selectOtherSides(others, trace.looseEnds).length > 0;
}

function conclude({ traces, others, detached, judged }: State, { services }: CollectOptions): Collected {
  const requests = traces.flatMap(({ request }) => request ?? []);
  const spans = traces.flatMap((trace) => trace.spans);
  const called = new Set([...services, ...listReached(spans, requests)]);
  const direct = [...groupByTrace(others).values()].filter((trace) => beginsAt(trace, called)).flat();
  const isShown = ({ request, spans: { length }, looseEnds }: Trace): boolean => {
    if (selectOtherSides(direct, looseEnds).length > 0) return true;
    // The request's span is left out in two cases. If its trace has no span, it would look like a call to a peer without spans. If
    // another service began a trace during the request, it would look like a call to that service, although a service without spans may
    // stand in between.
    const isLoose = looseEnds.some((span) => span.spanId === request?.spanId);
    return length > 0 && !(isLoose && request !== null && selectOtherSides(others, [request]).length > 0);
  };
  const shown = [
    ...traces.flatMap((trace) => (isShown(trace) ? withRequest(trace) : trace.spans)),
    ...others,
  ];
  return {
    spans: shown,
    judged: judged !== null && isSameList(judged.spans, shown) ? judged : null,
    missing: traces.filter((trace) => trace.spans.length === 0).map((trace) => trace.id),
    elsewhere: [],
    detached: detached ?? new Set(),
  };
}

function beginsAt(trace: readonly Span[], services: ReadonlySet<string>): boolean {
  return trace.some((span) => isEntry(span) && isRoot(span) && services.has(span.serviceName ?? ''));
}

/**
 * Finds the traces whose entry spans link to the requests. The links prove that the requests caused them, and not other callers that send
 * the same requests at the same time. Null until each request has such a trace.
 */
function findLinked({ traces, others }: State): readonly Span[] | null {
  const entries = others.filter((span) => isEntry(span) && isRoot(span));
  const linked = traces.map(({ request }) =>
    request === null ? undefined : entries.find((entry) => isLinkedTo(entry, request)),
  );
  if (linked.includes(undefined)) return null;
  const ids = new Set(linked.map((entry) => entry?.traceId));
  return others.filter((span) => ids.has(span.traceId));
}

function concludeElsewhere({ traces }: State, elsewhere: readonly Span[]): Collected {
  const missing = traces.map((trace) => trace.id);
  return { spans: [], judged: null, missing, elsewhere, detached: new Set() };
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
    const end = toMilliseconds(span.endTimeUnixNano);
    return end > latest ? end : latest;
  }, 0);
  return now - grewAt >= settleMs || now - newest >= oldMs;
}

/** The later reading of a trace replaces the earlier one: it has at least as many spans. */
function mergeSpans(before: readonly Span[], now: readonly Span[]): readonly Span[] {
  const fresh = new Set(now.map((span) => span.traceId));
  return [...before.filter((span) => !fresh.has(span.traceId)), ...now];
}
