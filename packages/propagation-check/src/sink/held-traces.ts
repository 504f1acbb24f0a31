import type { ReadExport } from '../source/export-reader.ts';
import type { ExportRequest } from '../source/export-request.ts';
import type { SpanStore } from '../span/span-store.ts';
import { SpanWriter } from '../span/span-writer.ts';
import { IdMemory, readWords } from './id-memory.ts';
import type { JudgedCall } from './judge-batch.ts';
import { type Arrival, SpanSegments } from './span-segments.ts';

/** Bytes of a trace and a row for objects and lists, beside the columns: twice what traces of three spans take after a garbage collection. */
const bytesPerTrace = 500;
const bytesPerRow = 12;
/** Segments are compacted when this share of their rows belongs to spans that left. */
const wasteShare = 0.5;

export interface HeldTrace {
  readonly id: string;
  readonly rows: number[];
  readonly openedAt: number;
  arrivedAt: number;
  dueAt: number;
  /** `dropped`: its rows are no longer its own. */
  state: 'open' | 'closed' | 'judged' | 'dropped';
  closedAt: number;
  isEarly: boolean;
  /** How many rows were judged, from the first on. */
  judgedRows: number;
  /** Another part of the trace was judged and is no longer here. */
  readonly isRest: boolean;
  /** The places in `rows` of the sides of counted calls that are not whole; null where there are none. */
  counted: Set<number> | null;
  /** Counted when the trace leaves. */
  pending: readonly PendingCall[];
}

/** A row of a trace, by its place in `rows`. */
export interface Place {
  readonly trace: HeldTrace;
  readonly index: number;
}

export interface PendingCall {
  readonly call: JudgedCall;
  /** Of its sides. */
  readonly places: readonly Place[];
}

/** Traces as one store. */
export interface CollectedTraces {
  readonly traces: readonly HeldTrace[];
  readonly store: SpanStore;
  readonly placeOf: (row: number) => Place;
  /** Whether a row was not judged before. */
  readonly isNew: (row: number) => boolean;
}

/** The traces whose spans are in memory. */
export class HeldTraces {
  readonly #segments = new SpanSegments();
  readonly #traces = new Map<string, HeldTrace>();
  /** Distinguishes late spans of a judged trace from a new trace. */
  readonly #judgedIds: IdMemory;
  #rows = 0;
  #unjudged = 0;

  /** @param mostIds Of traces that were judged. */
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

  /** Estimates the memory that dropping the trace frees. */
  bytesOf({ rows }: HeldTrace): number {
    const perRow = this.#segments.bytes / Math.max(1, this.#rows) + bytesPerRow;
    return rows.length * perRow + bytesPerTrace;
  }

  all(): Iterable<HeldTrace> {
    return this.#traces.values();
  }

  /** Keeps the spans of an export. @throws {DecodeError} when it cannot be read. */
  read(request: ExportRequest): { readonly read: ReadExport; readonly arrivals: readonly Arrival[] } {
    return this.#segments.add(request);
  }

  /** Adds arrived spans to their trace, and returns it. */
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

  /** @returns How many of its spans were not judged before. */
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

  /** Moves the spans of nearly empty segments together. */
  compact(): void {
    const { rows } = this.#segments;
    if (rows - this.#rows > rows * wasteShare)
      this.#segments.compact(Array.from(this.#traces.values(), (trace) => trace.rows));
  }

  /** @param border The traces that may have their other half in a later batch. */
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
