import type { Span } from '../span/span.ts';
import { isSameTrace, type SpanStore, traceIdAt, viewOf } from '../span/span-store.ts';
import { SpanWriter } from '../span/span-writer.ts';
import { ExportReader, type ReadExport } from './export-reader.ts';
import type { ExportRequest } from './export-request.ts';

export interface SpanBufferLimits {
  readonly maxSpans: number;
  /** Memory for the spans, estimated from the size of their requests. */
  readonly maxBytes: number;
}

const maxDroppedTraces = 100_000;
/** The most rows, including those of dropped traces, for each kept row: then each new row costs at most one move. */
const mostRowsPerKept = 2;
/** Fewer rows are not worth moving. */
const fewRows = 10_000;

interface BufferedTrace {
  readonly rows: number[];
  bytes: number;
}

/**
 * Spans in memory, in columns, by trace. When the buffer is full it drops the oldest trace as a whole, because half a trace would look
 * broken; `droppedSpans` counts the lost spans.
 */
export class SpanBuffer {
  readonly #limits: SpanBufferLimits;
  #writer = new SpanWriter();
  #reader = new ExportReader(this.#writer);
  /** By row: the views that were made so far. */
  #views: Span[] = [];
  readonly #traces = new Map<string, BufferedTrace>();
  /** Dropped traces, whose late spans are dropped too. Bounded: the oldest entries are removed. */
  readonly #droppedTraces = new Map<string, 'for-room' | 'on-purpose'>();
  #spans = 0;
  #bytes = 0;
  #dropped = 0;

  constructor(limits: SpanBufferLimits) {
    this.#limits = limits;
  }

  get droppedSpans(): number {
    return this.#dropped;
  }

  /** Includes rows of dropped traces that were not removed yet. */
  get rows(): number {
    return this.#writer.rows;
  }

  /** @throws {DecodeError} when the export cannot be read. */
  add(request: ExportRequest): ReadExport {
    const firstRow = this.#writer.rows;
    const read = this.#reader.read(request);
    this.#index(firstRow, request.body.length / read.spanCount);
    while (this.#spans > this.#limits.maxSpans || this.#bytes > this.#limits.maxBytes) this.#dropOldest();
    if (this.#writer.rows > Math.max(fewRows, this.#spans * mostRowsPerKept)) this.#moveKept();
    return read;
  }

  /** Drops everything, and later spans of the same traces. Does not count as a loss. */
  clear(): void {
    for (const traceId of this.#traces.keys()) this.#remember(traceId, 'on-purpose');
    this.#traces.clear();
    this.#spans = 0;
    this.#bytes = 0;
  }

  /** Drops these traces and their later spans. Does not count as a loss. */
  forget(traceIds: Iterable<string>): void {
    for (const traceId of traceIds) {
      const trace = this.#traces.get(traceId);
      this.#remember(traceId, 'on-purpose');
      if (trace === undefined) continue;
      this.#traces.delete(traceId);
      this.#spans -= trace.rows.length;
      this.#bytes -= trace.bytes;
    }
  }

  trace(traceId: string): readonly Span[] {
    return this.#viewsOf(this.#traces.get(traceId)?.rows ?? []);
  }

  all(): readonly Span[] {
    return this.#viewsOf([...this.#traces.values()].flatMap(({ rows }) => rows));
  }

  /** All spans in columns; later spans are not added to them. */
  store(): SpanStore {
    if (this.#writer.rows > this.#spans) this.#moveKept();
    return this.#writer.finish();
  }

  #viewsOf(rows: readonly number[]): readonly Span[] {
    const store = this.#writer.finish();
    return rows.map((row) => {
      const view = this.#views[row] ?? viewOf(store, row);
      this.#views[row] = view;
      return view;
    });
  }

  /** @param bytes Estimated memory of one span. */
  #index(firstRow: number, bytes: number): void {
    const { columns, rows } = this.#writer;
    let trace: BufferedTrace | null = null;
    for (let row = firstRow; row < rows; row += 1) {
      if (row === firstRow || !isSameTrace(columns, row - 1, row))
        trace = this.#findTrace(traceIdAt(columns, row));
      if (trace === null) {
        if (this.#droppedTraces.get(traceIdAt(columns, row)) === 'for-room') this.#dropped += 1;
        continue;
      }
      trace.rows.push(row);
      trace.bytes += bytes;
      this.#spans += 1;
      this.#bytes += bytes;
    }
  }

  /** @returns Null if the trace was dropped. */
  #findTrace(traceId: string): BufferedTrace | null {
    const known = this.#traces.get(traceId);
    if (known !== undefined) return known;
    if (this.#droppedTraces.has(traceId)) return null;
    const trace = { rows: [], bytes: 0 };
    this.#traces.set(traceId, trace);
    return trace;
  }

  #dropOldest(): void {
    for (const [traceId, { rows, bytes }] of this.#traces) {
      this.#traces.delete(traceId);
      this.#remember(traceId, 'for-room');
      this.#spans -= rows.length;
      this.#bytes -= bytes;
      this.#dropped += rows.length;
      return;
    }
    this.#bytes = 0;
  }

  #remember(traceId: string, why: 'for-room' | 'on-purpose'): void {
    this.#droppedTraces.set(traceId, why);
    if (this.#droppedTraces.size <= maxDroppedTraces) return;
    for (const oldest of this.#droppedTraces.keys()) {
      this.#droppedTraces.delete(oldest);
      return;
    }
  }

  /** Moves the kept rows into new columns, without the rows of dropped traces. */
  #moveKept(): void {
    const store = this.#writer.finish();
    const writer = new SpanWriter();
    const views: Span[] = [];
    for (const { rows } of this.#traces.values()) {
      for (const [index, row] of rows.entries()) {
        const view = this.#views[row];
        if (view !== undefined) views[writer.rows] = view;
        rows[index] = writer.rows;
        writer.addSpan(view ?? viewOf(store, row));
      }
    }
    this.#views = views;
    this.#writer = writer;
    this.#reader = new ExportReader(writer);
  }
}
