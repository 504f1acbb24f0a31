import { findEdges } from '../calls/edge.ts';
import { none, TraceGraph } from '../graph/trace-graph.ts';
import type { ReadExport } from '../source/export-reader.ts';
import type { ExportRequest } from '../source/export-request.ts';
import type { SpanStore } from '../span/span-store.ts';
import { SpanWriter } from '../span/span-writer.ts';
import { mapBy } from '../util/group-by.ts';
import { type CallVerdict, judgedApart } from './edge-counters.ts';
import { bytesPerId, IdMemory, readWords } from './id-memory.ts';
import { type JudgedCall, judgeBatch, listCalled, listWholeCalls, type WholeCalls } from './judge-batch.ts';
import { type Arrival, SpanSegments } from './span-segments.ts';

export interface TraceJudgeOptions {
  /** Milliseconds. A trace is closed when no span of it has come for so long. */
  readonly closeAfterMs: number;
  /** For spans and what is remembered of their traces. */
  readonly maxBytes: number;
  /** Told of each call once. */
  readonly count: (call: CallVerdict, calls: number) => void;
  /** Told of an error of the engine: the traces of that batch are dropped, and the next ones are judged. */
  readonly onFault: (error: unknown) => void;
}

/** Why traces are closed: `age` is that of a trace that never rests. */
export const closeReasons = ['inactive', 'age', 'memory', 'stop'] as const;
export type CloseReason = (typeof closeReasons)[number];

/** Totals since the first start, for `propagation_sink_…_total`. */
export interface JudgeTotals {
  received: number;
  invalid: number;
  late: number;
  repeated: number;
  judged: number;
  tracesJudged: number;
  batches: number;
  failedBatches: number;
  judgeMs: number;
  readonly closed: Record<CloseReason, number>;
}

export const noTotals: JudgeTotals = {
  ...{
    received: 0,
    invalid: 0,
    late: 0,
    repeated: 0,
    judged: 0,
    tracesJudged: 0,
    batches: 0,
    failedBatches: 0,
    judgeMs: 0,
  },
  closed: { inactive: 0, age: 0, memory: 0, stop: 0 },
};

/**
 * Exporters send what has ended within so long (5 s is the stock delay of batch processors). By as much after their last end traces are closed
 * at least, so that they are closed in the order in which they ended, and the two halves of a broken trace meet in a batch.
 */
const exportDelayMs = 5_000;
/** A trace without an end, such as that of a loop, is closed after this time. */
export const longestOpenMs = 600_000;
/** Closed traces are judged together: so many spans, some 0.2 s of work, or those of so long. */
const spansPerBatch = 20_000;
const batchMs = 5_000;
/** More closed traces than the batches of a few seconds are a backlog. */
const mostBatchesWaiting = 10;
/** Traces that were judged stay for the next batches: the other halves of broken calls may come, and counts need company. */
const contextMs = 300_000;
const contextSpans = 10_000;
/**
 * Verdicts that are argued from a span that is not there are counted as broken after this time: an exporter may try again for a minute. So many
 * spans can wait; without the wait it is undecided.
 */
const absenceMs = 60_000;
const waitingSpans = 10_000;
/** Of the memory: with more in use traces are judged early, until less is. */
const crowdedShare = 0.875;
const roomyShare = 0.75;
/** As much as this part of the memory is taken, beside it, by each of four generations of ids. */
const idsShare = 1 / 16;
/** A trace and a row take these bytes beside the columns, for objects and lists. Traces of three spans take half of that, measured after a garbage collection. */
const bytesPerTrace = 500;
const bytesPerRow = 12;
/** Of the rows: so many of spans that left, before segments are emptied. */
const wasteShare = 0.5;
/** Between two ticks: what is due is looked for by second. */
export const tickMs = 1_000;
const noSpans = { calm: 0, waiting: 0 };

interface HeldTrace {
  readonly id: string;
  readonly rows: number[];
  readonly openedAt: number;
  arrivedAt: number;
  dueAt: number;
  state: 'open' | 'closed' | 'judged';
  closedAt: number;
  isEarly: boolean;
  /** The first so many rows were judged. */
  judgedRows: number;
  /** Another part of the trace was judged and is no longer here. */
  readonly isRest: boolean;
  /** The places in `rows` of sides of calls that were counted, where any were that are not whole. */
  counted: Set<number> | null;
  /** Counted when the trace leaves. */
  pending: readonly PendingCall[];
}

/** A row of a trace, by its place in `rows`. */
interface Place {
  readonly trace: HeldTrace;
  readonly index: number;
}

interface PendingCall {
  readonly call: JudgedCall;
  /** Of its sides. */
  readonly places: readonly Place[];
}

/** The spans and traces that the judge holds now. */
export interface JudgeState {
  readonly open: number;
  /** Spans that are not judged yet. */
  readonly spans: number;
  readonly bytes: number;
  /** Milliseconds since the first of the closed traces could have been judged. */
  readonly behindMs: number;
}

/**
 * Takes spans, closes traces that rest, and judges them in batches, in bounded memory. A call is counted once: whole ones and those whose
 * cause later spans cannot change at once, others when their trace leaves the last batches. Time is given, so that it is a pure machine.
 */
export class TraceJudge {
  readonly #options: TraceJudgeOptions;
  readonly #segments = new SpanSegments();
  readonly #traces = new Map<string, HeldTrace>();
  /** Traces, to tell the rest of one from a new one, and calls, to tell a rest from an export that is sent again. */
  readonly #judgedTraces: IdMemory;
  readonly #judgedCalls: IdMemory;
  /** By second: the traces that may be due then. */
  readonly #due = new Map<number, HeldTrace[]>();
  #nextSecond: number | null = null;
  readonly #closed: HeldTrace[] = [];
  /** In the order in which they were judged. */
  #context: HeldTrace[] = [];
  /** Of context: traces to which spans were added. */
  #grown = new Set<HeldTrace>();
  #closedSpans = 0;
  #closedSince: number | null = null;
  #open = 0;
  #rows = 0;
  #unjudgedRows = 0;
  readonly totals: JudgeTotals;

  /** @param before Totals of an earlier process. */
  constructor(options: TraceJudgeOptions, before: JudgeTotals = noTotals) {
    this.#options = options;
    this.totals = structuredClone(before);
    const mostIds = Math.floor((options.maxBytes * idsShare) / bytesPerId);
    this.#judgedTraces = new IdMemory(mostIds);
    this.#judgedCalls = new IdMemory(mostIds);
  }

  get bytes(): number {
    return this.#segments.bytes + this.#traces.size * bytesPerTrace + this.#rows * bytesPerRow;
  }

  state(now: number): JudgeState {
    const behindMs = this.#closedSince === null ? 0 : Math.max(0, now - this.#closedSince - batchMs - tickMs);
    return { open: this.#open, spans: this.#unjudgedRows, bytes: this.bytes, behindMs };
  }

  /** @param now Milliseconds since the epoch. @throws {DecodeError} when the export cannot be read. */
  take(request: ExportRequest, now: number): ReadExport {
    const { read, arrivals } = this.#segments.add(request);
    this.totals.received += read.spanCount;
    this.totals.invalid += read.rejected.length;
    for (const arrival of arrivals) this.#arrive(arrival, now);
    return read;
  }

  /** Whether there is a batch that need not wait for the next second. */
  get isReady(): boolean {
    return this.#closedSpans >= spansPerBatch;
  }

  /** Whether so many closed traces wait that spans come faster than they are judged. */
  get isBehind(): boolean {
    return this.#closedSpans >= spansPerBatch * mostBatchesWaiting;
  }

  /** Closes the traces that are due, and judges one batch when it is time: what arrives meanwhile waits for no more than that. */
  tick(now: number): void {
    this.#closeDue(now);
    const isCrowded = this.bytes > this.#options.maxBytes * crowdedShare;
    if (isCrowded) this.#closeEarly(now);
    const isDue = this.#closedSince !== null && now - this.#closedSince >= batchMs;
    if (isCrowded || isDue || this.isReady) this.#judge(now);
    this.#leave(now, isCrowded ? noSpans : undefined);
    if (isCrowded) this.#compact();
  }

  /** Closes the traces that have rested longest, until there will be room. Traces of which spans may be under way stay. */
  #closeEarly(now: number): void {
    let left = this.bytes - this.#options.maxBytes * roomyShare;
    const perRow = this.#segments.bytes / Math.max(1, this.#rows) + bytesPerRow;
    for (const second of [...this.#due.keys()].sort((one, other) => one - other)) {
      if (left <= 0) break;
      for (const trace of this.#due.get(second) ?? []) {
        if (left <= 0) break;
        if (trace.state !== 'open' || now - trace.arrivedAt < exportDelayMs) continue;
        this.#close(trace, 'memory', now);
        left -= trace.rows.length * perRow + bytesPerTrace;
      }
      const open = this.#due.get(second)?.filter((trace) => trace.state === 'open') ?? [];
      if (open.length > 0) this.#due.set(second, open);
      else this.#due.delete(second);
    }
  }

  /** Closes everything, and judges one batch of it. @returns Whether there are more. */
  finish(now: number): boolean {
    for (const trace of this.#traces.values()) if (trace.state === 'open') this.#close(trace, 'stop', now);
    if (this.#judge(now)) return true;
    this.#leave(now, noSpans);
    return false;
  }

  #arrive({ traceId, rows, endedAt }: Arrival, now: number): void {
    this.#rows += rows.length;
    this.#unjudgedRows += rows.length;
    const trace = this.#traces.get(traceId) ?? this.#begin(traceId, now);
    for (const row of rows) trace.rows.push(row);
    if (trace.isRest) this.totals.late += rows.length;
    if (trace.state === 'judged') {
      this.#grown.add(trace);
      this.#wait(rows.length, now);
    }
    if (trace.state === 'closed') this.#closedSpans += rows.length;
    if (trace.state !== 'open') return;
    const since = Math.min(Math.max(endedAt, now - exportDelayMs), now) + exportDelayMs;
    trace.arrivedAt = now;
    trace.dueAt = Math.min(
      Math.max(trace.dueAt, since + this.#options.closeAfterMs),
      trace.openedAt + longestOpenMs,
    );
  }

  #begin(id: string, now: number): HeldTrace {
    const trace: HeldTrace = {
      ...{ id, rows: [], openedAt: now, arrivedAt: now, dueAt: now + this.#options.closeAfterMs },
      ...{
        state: 'open',
        closedAt: 0,
        isEarly: false,
        judgedRows: 0,
        isRest: this.#judgedTraces.has(...readWords(id)),
      },
      ...{ counted: null, pending: [] },
    };
    this.#traces.set(id, trace);
    this.#open += 1;
    this.#schedule(trace);
    return trace;
  }

  #schedule(trace: HeldTrace): void {
    const second = Math.ceil(trace.dueAt / tickMs);
    const list = this.#due.get(second);
    if (list === undefined) this.#due.set(second, [trace]);
    else list.push(trace);
    this.#nextSecond = Math.min(this.#nextSecond ?? second, second);
  }

  #closeDue(now: number): void {
    const last = Math.floor(now / tickMs);
    for (let second = this.#nextSecond ?? last + 1; second <= last; second += 1) {
      const due = this.#due.get(second) ?? [];
      this.#due.delete(second);
      this.#nextSecond = second + 1;
      // In the order in which they ended: the two halves of a broken trace come into one batch, though their exports came apart.
      for (const trace of due.sort((one, other) => one.dueAt - other.dueAt)) {
        if (trace.state !== 'open') continue;
        if (trace.dueAt > now) this.#schedule(trace);
        else this.#close(trace, now - trace.openedAt >= longestOpenMs ? 'age' : 'inactive', now);
      }
    }
  }

  #close(trace: HeldTrace, reason: CloseReason, now: number): void {
    trace.state = 'closed';
    trace.closedAt = now;
    trace.isEarly = reason !== 'inactive';
    this.totals.closed[reason] += 1;
    this.#open -= 1;
    this.#closed.push(trace);
    this.#wait(trace.rows.length, now);
  }

  #wait(spans: number, now: number): void {
    this.#closedSpans += spans;
    this.#closedSince ??= now;
  }

  /** Judges one batch. @returns Whether closed traces are left. */
  #judge(now: number): boolean {
    if (this.#closedSince === null) return false;
    const begunAt = performance.now();
    const batch = this.#takeBatch();
    try {
      this.#judgeBatch(batch, now);
      this.totals.batches += 1;
    } catch (error) {
      this.totals.failedBatches += 1;
      this.#abandon(batch);
      this.#options.onFault(error);
    }
    this.totals.tracesJudged += batch.length;
    this.#grown.clear();
    this.#closedSpans = this.#closed.reduce((sum, { rows }) => sum + rows.length, 0);
    if (this.#closed.length === 0) this.#closedSince = null;
    this.#leave(now);
    this.#compact();
    this.totals.judgeMs += performance.now() - begunAt;
    return this.#closed.length > 0;
  }

  #judgeBatch(batch: readonly HeldTrace[], now: number): void {
    const rests = batch.filter((trace) => trace.isRest);
    const whole = batch.filter((trace) => !trace.isRest);
    if (rests.length > 0) this.#judgeRests(rests);
    const settled =
      whole.length > 0 || this.#grown.size > 0
        ? this.#judgeTraces([...this.#context, ...whole], now)
        : new Set<HeldTrace>();
    for (const trace of batch) {
      trace.state = 'judged';
      this.#judgedTraces.add(...readWords(trace.id));
    }
    for (const trace of rests) this.#drop(trace);
    for (const trace of settled) this.#settle(trace);
    this.#context = [...this.#context, ...whole].filter((trace) => !settled.has(trace));
  }

  /** Drops the traces of a batch that the engine could not judge, and those beside it: one of them is at fault. */
  #abandon(batch: readonly HeldTrace[]): void {
    for (const trace of new Set([...this.#context, ...batch])) {
      if (!this.#traces.has(trace.id)) continue;
      this.#markJudged(trace);
      this.#judgedTraces.add(...readWords(trace.id));
      this.#drop(trace);
    }
    this.#context = [];
  }

  /** The traces that were closed first. */
  #takeBatch(): readonly HeldTrace[] {
    let [spans, end] = [0, 0];
    for (; end < this.#closed.length && spans < spansPerBatch; end += 1)
      spans += this.#closed[end]?.rows.length ?? 0;
    return this.#closed.splice(0, end);
  }

  /**
   * @returns Traces of broken calls that were counted. Both of a call leave the later batches together: of one alone the other would be
   * missed, among the calls of its edge.
   */
  #judgeTraces(traces: readonly HeldTrace[], now: number): ReadonlySet<HeldTrace> {
    const { store, placeOf, isNew } = this.#collect(traces);
    const { whole, final, pending, called } = judgeBatch(store, isNew);
    this.#countWhole(whole);
    for (const row of called) this.#judgedCalls.add(...callWords(store, row));
    const isCounted = ({ trace, index }: Place): boolean => trace.counted?.has(index) === true;
    const told = new Set<string>();
    const settled = new Set<HeldTrace>();
    for (const call of final) {
      const places = call.rows.map(placeOf);
      if (places.some(isCounted)) continue;
      for (const { trace, index } of places) {
        trace.counted ??= new Set();
        trace.counted.add(index);
        if (call.verdict === 'broken') settled.add(trace);
      }
      this.#options.count(call, 1);
    }
    const found = pending
      .map((call): PendingCall => ({ call, places: call.rows.map(placeOf) }))
      .filter(({ places }) => !places.some(isCounted));
    for (const { places } of found) for (const place of places) told.add(nameOf(place));
    const pendingOf = mapBy(found, ({ places: [first] }) => first?.trace);
    for (const trace of traces) {
      const isGrown = trace.judgedRows < trace.rows.length;
      // Argued with company that has left since: nothing new speaks against it.
      const kept = isGrown
        ? []
        : trace.pending.filter(
            ({ places }) => !places.some((place) => isCounted(place) || told.has(nameOf(place))),
          );
      trace.pending = [...kept, ...(pendingOf.get(trace) ?? [])];
      this.#markJudged(trace);
      if (trace.state === 'closed') trace.closedAt = now;
    }
    return settled;
  }

  /**
   * The rest of traces that were judged: their ids prove that the context arrived, so that nothing in them is broken. Calls that were judged
   * are of an export that was sent again.
   */
  #judgeRests(rests: readonly HeldTrace[]): void {
    const { store } = this.#collect(rests);
    const graph = new TraceGraph(store);
    const isFirst = (row: number): boolean => !this.#judgedCalls.has(...callWords(store, row));
    const whole = listWholeCalls(graph, findEdges(graph).groups, isFirst);
    this.#countWhole(whole);
    const called = listCalled(graph, whole);
    const first = called.filter(isFirst);
    this.totals.repeated += called.length - first.length;
    for (const row of first) {
      this.#judgedCalls.add(...callWords(store, row));
      if (!graph.isEntry(row) || graph.parents[row] !== none || graph.isRoot(row)) continue;
      const { traceId, spanId } = graph.view(row);
      const example = { traceId, spanIds: [spanId] };
      const server = graph.serviceOf(row);
      this.#options.count({ client: null, server, verdict: 'undecided', cause: judgedApart, example }, 1);
    }
    for (const trace of rests) this.#markJudged(trace);
  }

  #countWhole(whole: readonly WholeCalls[]): void {
    for (const { rows, client, server, example } of whole)
      this.#options.count({ client, server, verdict: 'intact', cause: '', example }, rows.length);
  }

  #markJudged(trace: HeldTrace): void {
    const fresh = trace.rows.length - trace.judgedRows;
    this.totals.judged += fresh;
    this.#unjudgedRows -= fresh;
    trace.judgedRows = trace.rows.length;
  }

  #collect(traces: readonly HeldTrace[]): {
    readonly store: SpanStore;
    readonly placeOf: (row: number) => Place;
    readonly isNew: (row: number) => boolean;
  } {
    const writer = new SpanWriter();
    const owners: HeldTrace[] = [];
    const indexes: number[] = [];
    for (const trace of traces) {
      for (const index of trace.rows.keys()) {
        owners.push(trace);
        indexes.push(index);
      }
    }
    this.#segments.copy(listRows(traces), writer);
    const placeOf = (row: number) => {
      const [trace, index] = [owners[row], indexes[row]];
      if (trace === undefined || index === undefined) throw new RangeError(`there is no row ${row}`);
      return { trace, index };
    };
    return {
      store: writer.finish(),
      placeOf,
      isNew: (row) => (indexes[row] ?? 0) >= (owners[row]?.judgedRows ?? 0),
    };
  }

  /** Lets traces go that were in batches long enough, and the first of those that are too many; what is pending of them is counted. */
  #leave(now: number, most = { calm: contextSpans, waiting: waitingSpans }): void {
    const waiting = new Set(
      this.#context.flatMap(({ pending }) =>
        pending
          .filter(({ call }) => call.verdict === 'broken')
          .flatMap(({ places }) => places.map(({ trace }) => trace)),
      ),
    );
    const kindOf = (trace: HeldTrace): 'waiting' | 'calm' => (waiting.has(trace) ? 'waiting' : 'calm');
    const isOver = (trace: HeldTrace): boolean =>
      now - trace.closedAt >= (waiting.has(trace) ? absenceMs : contextMs);
    const spans = { calm: 0, waiting: 0 };
    for (const trace of this.#context) spans[kindOf(trace)] += trace.rows.length;
    const leaving = new Set<HeldTrace>();
    for (const trace of this.#context) {
      const kind = kindOf(trace);
      if (leaving.has(trace) || this.#grown.has(trace) || (!isOver(trace) && spans[kind] <= most[kind]))
        continue;
      // The two traces of a broken call leave together.
      const others = trace.pending.flatMap(({ places }) => places.map((place) => place.trace));
      for (const one of new Set([trace, ...others])) {
        if (leaving.has(one) || !this.#traces.has(one.id)) continue;
        leaving.add(one);
        spans[kindOf(one)] -= one.rows.length;
      }
    }
    for (const trace of leaving) {
      // Spans may be missing because the trace was closed before its time.
      const isSure = isOver(trace) && !trace.isEarly;
      for (const { call } of trace.pending)
        this.#options.count(isSure ? call : { ...call, verdict: 'undecided' }, 1);
      this.#drop(trace);
    }
    this.#context = this.#context.filter((trace) => !leaving.has(trace));
  }

  /** Counts what is pending of a trace with a counted call, and drops it. */
  #settle(trace: HeldTrace): void {
    for (const { call } of trace.pending) this.#options.count({ ...call, verdict: 'undecided' }, 1);
    this.#drop(trace);
  }

  #drop(trace: HeldTrace): void {
    this.#segments.release(trace.rows);
    this.#rows -= trace.rows.length;
    this.#traces.delete(trace.id);
  }

  #compact(): void {
    const { rows } = this.#segments;
    if (rows - this.#rows > rows * wasteShare)
      this.#segments.compact(Array.from(this.#traces.values(), (trace) => trace.rows));
  }
}

/** Of the called side of a call: its trace and its span. */
function callWords({ traceIds, spanIds }: SpanStore, row: number): readonly [number, number] {
  const mix = (word: number): number =>
    (Math.imul(traceIds[row * 4 + 2 + word] ?? 0, mixFactor) ^ (spanIds[row * 2 + word] ?? 0)) >>> 0;
  return [mix(0), mix(1)];
}

/** Odd, so that no bit is lost: trace ids may repeat the id of their root. */
const mixFactor = 0x9e37_79b1;

function nameOf({ trace, index }: Place): string {
  return `${trace.id} ${index}`;
}

function* listRows(traces: readonly HeldTrace[]): Generator<number> {
  for (const { rows } of traces) yield* rows;
}
