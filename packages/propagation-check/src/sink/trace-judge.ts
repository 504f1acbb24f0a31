import type { ReadExport } from '../source/export-reader.ts';
import type { ExportRequest } from '../source/export-request.ts';
import { DueTraces, inOrderOfEnd, tickMs } from './due-traces.ts';
import { type HeldTrace, HeldTraces } from './held-traces.ts';
import { bytesPerId } from './id-memory.ts';
import { type CloseReason, type JudgeTotals, noTotals } from './judge-totals.ts';
import { type CountCalls, JudgedCalls } from './judged-calls.ts';
import type { Arrival } from './span-segments.ts';
import { noRoom, TraceWindow, usualRoom } from './trace-window.ts';

export interface TraceJudgeOptions {
  /** A trace is closed when no span of it has arrived for this long. Milliseconds. */
  readonly closeAfterMs: number;
  /** The memory for spans and traces. */
  readonly maxBytes: number;
  readonly count: CountCalls;
  /** Called with an error of the engine. The traces of that batch are dropped, and later batches are judged. */
  readonly onFault: (error: unknown) => void;
}

/**
 * Exporters send ended spans within this time (5 s is the default delay of batch processors). No trace is closed sooner after its last span
 * ended. So traces are closed in the order of their ends, and both halves of a broken trace come into one batch.
 */
const exportDelayMs = 5_000;
/** A trace that never becomes quiet, such as that of a loop, is closed after this time. */
export const longestOpenMs = 600_000;
/** A batch has this many spans (about 0.2 s of work), or the traces that were closed within this time. */
const spansPerBatch = 20_000;
const batchMs = 5_000;
/** The share of a batch's traces, at its end, whose other half may be in the next batch: the two halves of a broken trace end close together. */
const borderShare = 1 / 20;
/** More waiting batches, a few seconds of work, are a backlog. */
const mostBatchesWaiting = 10;
/** Shares of the memory. Above `crowdedShare` traces are judged early, until `roomyShare` is reached. */
const crowdedShare = 0.875;
const roomyShare = 0.75;
/** Each of the four generations of ids takes this share of the memory, in addition to `maxBytes`. */
const idsShare = 1 / 16;

/** The spans and traces in memory. */
export interface JudgeState {
  readonly open: number;
  /** Spans that are not judged yet. */
  readonly spans: number;
  readonly bytes: number;
  /** Milliseconds since the first of the closed traces could have been judged. */
  readonly behindMs: number;
}

/**
 * Receives spans, closes traces that are quiet, and judges them in batches, in bounded memory. Each call is counted once: at once where it is
 * whole or later spans cannot change its cause, otherwise when its trace leaves the window. Callers pass the time in, so that tests can set it.
 */
export class TraceJudge {
  readonly #options: TraceJudgeOptions;
  readonly #held: HeldTraces;
  readonly #calls: JudgedCalls;
  readonly #due = new DueTraces();
  readonly #window = new TraceWindow();
  #open = 0;
  /** In the order in which the traces were closed. */
  readonly #closed: HeldTrace[] = [];
  /** Spans of closed traces, and new spans of traces in the window. */
  #waitingSpans = 0;
  #waitingSince: number | null = null;
  readonly totals: JudgeTotals;

  /** @param before The totals of an earlier process. */
  constructor(options: TraceJudgeOptions, before: JudgeTotals = noTotals) {
    this.#options = options;
    this.totals = structuredClone(before);
    const mostIds = Math.floor((options.maxBytes * idsShare) / bytesPerId);
    this.#held = new HeldTraces(mostIds);
    this.#calls = new JudgedCalls(options.count, mostIds);
  }

  get bytes(): number {
    return this.#held.bytes;
  }

  state(now: number): JudgeState {
    const behindMs =
      this.#waitingSince === null ? 0 : Math.max(0, now - this.#waitingSince - batchMs - tickMs);
    return { open: this.#open, spans: this.#held.unjudged, bytes: this.bytes, behindMs };
  }

  /**
   * @param now Milliseconds, on the clock of `tick`. @param wallNow Milliseconds since the epoch. The two clocks diverge while the machine
   * sleeps, and when the system time is set. @throws {DecodeError} when the export cannot be read.
   */
  take(request: ExportRequest, now: number, wallNow = now): ReadExport {
    const { read, arrivals } = this.#held.read(request);
    this.totals.received += read.spanCount;
    this.totals.invalid += read.rejected.length;
    for (const arrival of arrivals) this.#arrive(arrival, now, wallNow - arrival.endedAt);
    return read;
  }

  /** Whether a whole batch waits, which need not wait for the next tick. */
  get isReady(): boolean {
    return this.#waitingSpans >= spansPerBatch;
  }

  /** Whether closed traces pile up, because spans arrive faster than they are judged. */
  get isBehind(): boolean {
    return this.#waitingSpans >= spansPerBatch * mostBatchesWaiting;
  }

  /** Closes the traces that are due, and judges at most one batch, so that exports never wait for more than one. */
  tick(now: number): void {
    for (const trace of this.#due.takeDue(now))
      this.#close(trace, now - trace.openedAt >= longestOpenMs ? 'age' : 'inactive', now);
    const isCrowded = this.bytes > this.#options.maxBytes * crowdedShare;
    if (isCrowded) this.#closeEarly(now);
    const isDue = this.#waitingSince !== null && now - this.#waitingSince >= batchMs;
    if (isCrowded || isDue || this.isReady) this.#judge(now);
    this.#leave(now, isCrowded);
    if (isCrowded) this.#held.compact();
  }

  /** Closes all traces, and judges one batch. @returns Whether closed traces are left. */
  finish(now: number): boolean {
    const open = this.#open === 0 ? [] : [...this.#held.all()].filter(({ state }) => state === 'open');
    for (const trace of inOrderOfEnd(open)) this.#close(trace, 'stop', now);
    if (this.#judge(now)) return true;
    this.#leave(now, true);
    return false;
  }

  /** @param ageMs Milliseconds since the last of the spans ended. */
  #arrive(arrival: Arrival, now: number, ageMs: number): void {
    const spans = arrival.rows.length;
    const trace = this.#held.extend(arrival, (id, isRest) => this.#begin(id, isRest, now));
    if (trace.isRest) this.totals.late += spans;
    if (trace.state === 'judged') this.#window.grow(trace);
    if (trace.state !== 'open') {
      this.#wait(spans, now);
      return;
    }
    const since = now - Math.min(Math.max(ageMs, 0), exportDelayMs) + exportDelayMs;
    trace.arrivedAt = now;
    trace.dueAt = Math.min(
      Math.max(trace.dueAt, since + this.#options.closeAfterMs),
      trace.openedAt + longestOpenMs,
    );
  }

  #begin(id: string, isRest: boolean, now: number): HeldTrace {
    const trace: HeldTrace = {
      ...{ id, rows: [], openedAt: now, arrivedAt: now, dueAt: now + this.#options.closeAfterMs },
      ...{ state: 'open', closedAt: 0, isEarly: false, judgedRows: 0, isRest },
      ...{ counted: null, pending: [] },
    };
    this.#open += 1;
    this.#due.add(trace);
    return trace;
  }

  /** Closes the traces that have been quiet longest, until enough memory will be free. Traces whose spans may still be in transit stay open. */
  #closeEarly(now: number): void {
    const excess = this.bytes - this.#options.maxBytes * roomyShare;
    const bytesOf = (trace: HeldTrace) => this.#held.bytesOf(trace);
    for (const trace of this.#due.takeRested(now - exportDelayMs, excess, bytesOf))
      this.#close(trace, 'memory', now);
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
    this.#waitingSpans += spans;
    this.#waitingSince ??= now;
  }

  /** Judges one batch. @returns Whether closed traces are left. */
  #judge(now: number): boolean {
    if (this.#waitingSince === null) return false;
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
    this.#waitingSpans = this.#closed.reduce((sum, { rows }) => sum + rows.length, 0);
    if (this.#closed.length === 0) this.#waitingSince = null;
    this.#leave(now);
    this.#held.compact();
    this.totals.judgeMs += performance.now() - begunAt;
    return this.#closed.length > 0;
  }

  /** Takes the traces that were closed first. */
  #takeBatch(): readonly HeldTrace[] {
    let [spans, end] = [0, 0];
    for (; end < this.#closed.length && spans < spansPerBatch; end += 1)
      spans += this.#closed[end]?.rows.length ?? 0;
    return this.#closed.splice(0, end);
  }

  #judgeBatch(batch: readonly HeldTrace[], now: number): void {
    const rests = batch.filter((trace) => trace.isRest);
    const whole = batch.filter((trace) => !trace.isRest);
    if (rests.length > 0) this.totals.repeated += this.#calls.judgeRests(this.#held.collect(rests));
    for (const trace of rests) this.#drop(trace);
    const together = [...this.#window.traces, ...whole];
    const isNews = whole.length > 0 || this.#window.hasGrown;
    const settled = isNews
      ? this.#calls.judge(this.#held.collect(together, findBorder(together, whole)))
      : new Set<HeldTrace>();
    for (const trace of together) this.#markJudged(trace);
    for (const trace of whole) {
      trace.state = 'judged';
      trace.closedAt = now;
    }
    for (const trace of settled) {
      this.#calls.countPending(trace, false);
      this.#drop(trace);
    }
    this.#window.settle(together.filter((trace) => !settled.has(trace)));
  }

  /** Drops the traces of a batch that the engine could not judge, and those of the window: any of them may have caused the error. */
  #abandon(batch: readonly HeldTrace[]): void {
    for (const trace of new Set([...this.#window.traces, ...batch])) this.#drop(trace);
    this.#window.settle([]);
  }

  /** Removes traces from the window, and counts their pending calls. */
  #leave(now: number, isAll = false): void {
    for (const [trace, isOver] of this.#window.takeLeaving(now, isAll ? noRoom : undefined)) {
      // Spans of a trace that was closed early may be missing only because of that.
      this.#calls.countPending(trace, isOver && !trace.isEarly);
      this.#drop(trace);
    }
  }

  #drop(trace: HeldTrace): void {
    if (trace.state !== 'dropped') this.#markJudged(trace);
    this.#held.drop(trace);
  }

  #markJudged(trace: HeldTrace): void {
    this.totals.judged += this.#held.markJudged(trace);
  }
}

/**
 * Finds the traces at the end of a batch whose other half may be in the next batch. It is needed where there is no room to keep all traces for
 * the next batch: without it, such a half would make other calls of its edge doubtful. The border is a share of the traces and not of the
 * time, because a late export gives all its traces the same time.
 * @param whole The traces that are new in the batch, in the order of their ends.
 */
function findBorder(together: readonly HeldTrace[], whole: readonly HeldTrace[]): ReadonlySet<HeldTrace> {
  const spans = together.reduce((sum, { rows }) => sum + rows.length, 0);
  const inside = spans <= usualRoom.calm ? whole.length : Math.ceil(whole.length * (1 - borderShare));
  return new Set(whole.slice(inside));
}
