import { ExportReader, type ReadExport } from '../source/export-reader.ts';
import type { ExportRequest } from '../source/export-request.ts';
import { RowCopier } from '../span/row-copier.ts';
import { isSameTrace, traceIdAt } from '../span/span-store.ts';
import { SpanWriter } from '../span/span-writer.ts';

/** A segment is closed at this many rows, about 3 MB. It is released as soon as all of its spans are judged. */
const rowsPerSegment = 16_384;
/** The bits of a row's index inside its segment: enough for the spans of one export. */
const rowBits = 24;
const rowsPerNumber = 2 ** rowBits;
/** A segment with a smaller share of used rows is moved into the newest one. */
const sparseShare = 0.25;

/** A segment is closed when refused exports take more bytes of it: about the size of some exports of a batch processor. */
const mostRefusedBytes = 1_048_576;

interface Segment {
  readonly number: number;
  readonly writer: SpanWriter;
  readonly reader: ExportReader;
  /** Rows that are not released. */
  used: number;
}

/** Spans of one trace that arrived in one export, or in a part of one. */
export interface Arrival {
  readonly traceId: string;
  /** Row numbers, as `SpanSegments` assigns them. */
  readonly rows: readonly number[];
  /** The end of the last of these spans. Milliseconds since the epoch. */
  readonly endedAt: number;
}

/**
 * Holds spans in columns, in segments by the order of their arrival. A segment is dropped when its last span is released, so that memory is
 * freed without copying. The number of a row stays the same until `compact`.
 */
export class SpanSegments {
  readonly #segments = new Map<number, Segment>();
  #newest = makeSegment(0);
  /** Bytes and rows of the closed segments. */
  #closedBytes = 0;
  #closedRows = 0;
  /** Bytes of the newest segment that refused exports take. */
  #refusedBytes = 0;

  get bytes(): number {
    return this.#closedBytes + this.#newest.writer.bytes;
  }

  /** All rows in memory, including released ones. */
  get rows(): number {
    return this.#closedRows + this.#newest.writer.rows;
  }

  /** @throws {DecodeError} when the export cannot be read; then none of it is kept. */
  add(request: ExportRequest): { readonly read: ReadExport; readonly arrivals: readonly Arrival[] } {
    if (this.#newest.writer.rows >= rowsPerSegment) this.#begin();
    const { reader, writer, number } = this.#newest;
    const first = writer.rows;
    const before = writer.bytes;
    const read = this.#read(reader, request, before);
    this.#newest.used += writer.rows - first;
    return { read, arrivals: listArrivals(writer, first, number * rowsPerNumber) };
  }

  /** A writer keeps the texts of a refused export, so with too many of them the segment is closed. */
  #read(reader: ExportReader, request: ExportRequest, before: number): ReadExport {
    try {
      return reader.read(request);
    } catch (error) {
      this.#refusedBytes += this.#newest.writer.bytes - before;
      if (this.#refusedBytes > mostRefusedBytes) this.#begin();
      throw error;
    }
  }

  /** Copies rows to a writer, in order. */
  copy(rows: Iterable<number>, to: SpanWriter): void {
    const copiers = new Map<number, RowCopier>();
    for (const row of rows) {
      const number = Math.floor(row / rowsPerNumber);
      const copier = copiers.get(number) ?? new RowCopier(this.#find(number).writer.finish(), to);
      copiers.set(number, copier);
      copier.copy(row % rowsPerNumber);
    }
  }

  /** Releases rows: callers must not use them again. */
  release(rows: readonly number[]): void {
    for (const row of rows) {
      const segment = this.#find(Math.floor(row / rowsPerNumber));
      segment.used -= 1;
      if (segment.used === 0 && segment !== this.#newest) this.#drop(segment);
    }
  }

  /**
   * Empties segments with few used rows.
   * @param lists All used rows. The rows of emptied segments get new numbers, in place.
   */
  compact(lists: Iterable<number[]>): void {
    const { writer: last, used: inUse } = this.#newest;
    if (inUse < last.rows * sparseShare) this.#begin();
    const sparse = new Map<number, RowCopier>();
    for (const { number, writer, used } of this.#segments.values())
      if (used < writer.rows * sparseShare)
        sparse.set(number, new RowCopier(writer.finish(), this.#newest.writer));
    if (sparse.size === 0) return;
    const { writer, number: newest } = this.#newest;
    for (const rows of lists) {
      for (const [index, row] of rows.entries()) {
        const copier = sparse.get(Math.floor(row / rowsPerNumber));
        if (copier === undefined) continue;
        rows[index] = newest * rowsPerNumber + writer.rows;
        copier.copy(row % rowsPerNumber);
        this.#newest.used += 1;
      }
    }
    for (const number of sparse.keys()) this.#drop(this.#find(number));
  }

  #begin(): void {
    const full = this.#newest;
    this.#newest = makeSegment(full.number + 1);
    this.#refusedBytes = 0;
    if (full.used === 0) return;
    this.#segments.set(full.number, full);
    this.#closedBytes += full.writer.bytes;
    this.#closedRows += full.writer.rows;
  }

  #drop({ number, writer }: Segment): void {
    this.#segments.delete(number);
    this.#closedBytes -= writer.bytes;
    this.#closedRows -= writer.rows;
  }

  #find(number: number): Segment {
    return this.#segments.get(number) ?? this.#newest;
  }
}

function makeSegment(number: number): Segment {
  const writer = new SpanWriter();
  return { number, writer, reader: new ExportReader(writer), used: 0 };
}

function listArrivals(writer: SpanWriter, first: number, base: number): readonly Arrival[] {
  const { ends, origin } = writer.finish();
  const originMs = Number(origin) / 1e6;
  const { columns, rows: size } = writer;
  const arrivals: { traceId: string; rows: number[]; endedAt: number }[] = [];
  for (let row = first; row < size; row += 1) {
    const endedAt = originMs + (ends[row] ?? 0) / 1e6;
    const last = arrivals.at(-1);
    if (last !== undefined && isSameTrace(columns, row - 1, row)) {
      last.rows.push(base + row);
      last.endedAt = Math.max(last.endedAt, endedAt);
    } else arrivals.push({ traceId: traceIdAt(columns, row), rows: [base + row], endedAt });
  }
  return arrivals;
}
