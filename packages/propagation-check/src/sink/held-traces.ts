import type { ReadExport } from '../source/export-reader.ts';
import type { ExportRequest } from '../source/export-request.ts';
import type { SpanStore } from '../span/span-store.ts';
import { SpanWriter } from '../span/span-writer.ts';
import { IdMemory, readWords } from './id-memory.ts';
import type { JudgedCall } from './judge-batch.ts';
import { type Arrival, SpanSegments } from './span-segments.ts';

/** Bytes of a trace and of a row for objects and lists, in addition to columns: twice the measured size of traces with three spans. */
const bytesPerTrace = 500;
const bytesPerRow = 12;
/** Segments are compacted when this share of their rows is released. */
const wasteShare = 0.5;

export interface HeldTrace {
  readonly id: string;
  readonly rows: number[];
  readonly openedAt: number;
  arrivedAt: number;
  dueAt: number;
  /** `dropped`: its rows may be reused. */
  state: 'open' | 'closed' | 'judged' | 'dropped';
  closedAt: number;
  isEarly: boolean;
  /** How many of its first rows were judged. */
  judgedRows: number;
  /** These are late spans: an earlier part of the trace was judged and dropped. */
  readonly isRest: boolean;
  /** Indexes in `rows` of the sides of calls that are counted and not whole; null where there are none. */
  counted: Set<number> | null;
  /** Calls that are counted when the trace leaves the window. */
  pending: readonly PendingCall[];
}

/** A row of a trace, by its index in `rows`. */
export interface Place {
  readonly trace: HeldTrace;
  readonly index: number;
}

export interface PendingCall {
  readonly call: JudgedCall;
  /** The sides of the call. */
  readonly places: readonly Place[];
}

/** Several traces in one store. */
export interface CollectedTraces {
  readonly traces: readonly HeldTrace[];
  readonly store: SpanStore;
  readonly placeOf: (row: number) => Place;
  /** Whether the row has not been judged before. */
  readonly isNew: (row: number) => boolean;
}

export class HeldTraces {
  readonly #segments = new SpanSegments();
  readonly #traces = new Map<string, HeldTrace>();
  /** Tells late spans of a judged trace from a new trace. */
  readonly #judgedIds: IdMemory;
  #rows = 0;
  #unjudged = 0;

  /** @param mostIds How many judged traces are remembered. */
  constructor(mostIds: number) {
    this.#judgedIds = new IdMemory(mostIds);
  }

  get bytes(): number {
    return this.#segments.bytes + this.#traces.size * bytesPerTrace + this.#rows * bytesPerRow;
  }

  /** Spans that are not judged yet. */
  get unjudged(): number {
    return this.#unjudged;
  }

  /** Estimates the memory that is released with the trace. */
  bytesOf({ rows }: HeldTrace): number {
    const perRow = this.#segments.bytes / Math.max(1, this.#rows) + bytesPerRow;
    return rows.length * perRow + bytesPerTrace;
  }

  all(): Iterable<HeldTrace> {
    return this.#traces.values();
  }

  /** Stores the spans of an export. @throws {DecodeError} when the export cannot be read. */
  read(request: ExportRequest): { readonly read: ReadExport; readonly arrivals: readonly Arrival[] } {
    return this.#segments.add(request);
  }

  /** Adds arrived spans to their trace. @returns The trace. */
  extend({ traceId, rows }: Arrival, begin: (id: string, isRest: boolean) => HeldTrace): HeldTrace {
    let trace = this.#traces.get(traceId);
    if (trace === undefined) {
      trace = begin(traceId, this.#judgedIds.has(...readWords(traceId)));
      this.#traces.set(traceId, trace);
    }
    for (const row of rows) trace.rows.push(row);
    this.#rows += rows.length;
    this.#unjudged += rows.length;
    return trace;
  }

  /** @returns How many of its spans had not been judged before. */
  markJudged(trace: HeldTrace): number {
    const fresh = trace.rows.length - trace.judgedRows;
    this.#unjudged -= fresh;
    trace.judgedRows = trace.rows.length;
    if (fresh > 0) this.#judgedIds.add(...readWords(trace.id));
    return fresh;
  }

  /** Removes the trace and its spans. */
  drop(trace: HeldTrace): void {
    if (trace.state === 'dropped') return;
    trace.state = 'dropped';
    this.#segments.release(trace.rows);
    this.#rows -= trace.rows.length;
    this.#traces.delete(trace.id);
  }

  /** Moves the spans of sparse segments together. */
  compact(): void {
    const { rows } = this.#segments;
    if (rows - this.#rows > rows * wasteShare)
      this.#segments.compact(Array.from(this.#traces.values(), (trace) => trace.rows));
  }

  /** @param border Traces whose other half may come in a later batch. */
  collect(traces: readonly HeldTrace[], border: ReadonlySet<HeldTrace> = new Set()): CollectedTraces {
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
    const store = writer.finish();
    const atBorder = () => Uint8Array.from(owners, (trace) => Number(border.has(trace)));
    return {
      traces,
      store: border.size === 0 ? store : { ...store, atBorder: atBorder() },
      placeOf,
      isNew: (row) => (indexes[row] ?? 0) >= (owners[row]?.judgedRows ?? 0),
    };
  }
}

function* listRows(traces: readonly HeldTrace[]): Generator<number> {
  for (const { rows } of traces) yield* rows;
}
