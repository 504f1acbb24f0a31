import { discard } from '../span/byte-source.ts';
import type { Bytes, Words } from '../span/span-store.ts';

/** The ids of spans; each row has one element or several words, as in `SpanColumns`. */
export interface IdColumns {
  readonly size: number;
  readonly traceIds: Words;
  readonly hasShortTraceId: Bytes;
  readonly spanIds: Words;
}

/**
 * Finds rows by trace id and span id, and numbers traces. Both are hash tables with open addressing that compare the columns themselves.
 * Each trace has its own region of slots: its spans are close together in a file, so its slots are close together in memory.
 */
export class SpanIndex {
  readonly traceCount: number;
  /** The trace number of each row. */
  readonly traces: Words;
  /** The first row of each trace. */
  readonly firstRows: Words;
  /** Rows that have the ids of an earlier row, ascending. */
  readonly repeated: readonly number[];
  readonly #columns: IdColumns;
  /** Entries as `#entryFor` makes them; 0 where free. */
  #traceSlots: Words;
  /** The row plus one; 0 where free. */
  #spanSlots: Words = noSlots;
  /** The first slot of each trace, then the end of the last region. */
  readonly #regions: Words;
  readonly #preferred: number[] = [];

  constructor(columns: IdColumns) {
    this.#columns = columns;
    const { size } = columns;
    // Slots that are never written take no memory. A table that grows is filled again.
    this.#traceSlots = new Uint32Array(slotsFor(size));
    this.traces = new Uint32Array(size);
    // Memory pages that are never written are not allocated.
    const [firstRows, spanCounts] = [new Uint32Array(size), new Uint32Array(size)];
    let traceCount = 0;
    const recent = new Uint32Array(recentTraces);
    for (let row = 0; row < size; row += 1) {
      // Spans of one trace are often close together; then the small cache answers, not the large table.
      const hash = hashTrace(columns.traceIds, row);
      const place = hash & (recentTraces - 1);
      const last = recent[place] ?? 0;
      if (last < traceCount && this.#hasSameTrace(columns, row, firstRows[last] ?? 0)) {
        this.traces[row] = last;
        spanCounts[last] = (spanCounts[last] ?? 0) + 1;
        continue;
      }
      const slot = this.#findTraceSlot(columns, row, hash, firstRows);
      let trace = this.#traceIn(slot);
      if (trace < 0) {
        trace = traceCount;
        firstRows[trace] = row;
        traceCount += 1;
        this.#traceSlots[slot] = this.#entryFor(trace, hash);
        if (traceCount * 1.5 > this.#traceSlots.length) this.#fillTraceSlots(firstRows, traceCount);
      }
      this.traces[row] = trace;
      spanCounts[trace] = (spanCounts[trace] ?? 0) + 1;
      recent[place] = trace;
    }
    this.traceCount = traceCount;
    this.firstRows = firstRows.subarray(0, traceCount);
    this.#regions = divideSlots(spanCounts.subarray(0, traceCount));
    discard(spanCounts.buffer);
    this.repeated = this.#fillSpanSlots();
  }

  /** Frees the slots; the next look-up fills them again. */
  rest(): void {
    discard(this.#traceSlots.buffer);
    discard(this.#spanSlots.buffer);
    this.#traceSlots = noSlots;
    this.#spanSlots = noSlots;
  }

  /** The row of a span, or -1. @param ids The span id is the 2 words at element `at`. */
  findSpan(trace: number, ids: Words, at: number): number {
    if (this.#spanSlots === noSlots) this.#fillSpanSlots();
    return (this.#spanSlots[this.#findSpanSlot(trace, ids, at)] ?? 0) - 1;
  }

  /** Makes look-ups of the row's ids find this row. */
  prefer(row: number): void {
    this.#preferred.push(row);
    this.#place(row);
  }

  #place(row: number): void {
    this.#spanSlots[this.#findSpanSlot(this.traces[row] ?? 0, this.#columns.spanIds, row)] = row + 1;
  }

  /** The number of a trace, or -1. @param ids The trace id is at element `at`. */
  findTrace(ids: Pick<IdColumns, 'traceIds' | 'hasShortTraceId'>, at: number): number {
    if (this.#traceSlots === noSlots) this.#fillTraceSlots(this.firstRows, this.traceCount);
    return this.#traceIn(this.#findTraceSlot(ids, at, hashTrace(ids.traceIds, at), this.firstRows));
  }

  /** Replaces the slots by at least twice as many as there are traces. */
  #fillTraceSlots(firstRows: Words, traceCount: number): void {
    discard(this.#traceSlots.buffer);
    this.#traceSlots = new Uint32Array(slotsFor(traceCount * 2));
    const mask = this.#traceSlots.length - 1;
    for (let trace = 0; trace < traceCount; trace += 1) {
      const hash = hashTrace(this.#columns.traceIds, firstRows[trace] ?? 0);
      let slot = hash & mask;
      while (this.#traceSlots[slot] !== 0) slot = (slot + 1) & mask;
      this.#traceSlots[slot] = this.#entryFor(trace, hash);
    }
  }

  /** Returns the rows that have the ids of an earlier row. */
  #fillSpanSlots(): readonly number[] {
    const { size, spanIds } = this.#columns;
    this.#spanSlots = new Uint32Array(this.#regions[this.traceCount] ?? 0);
    const repeated: number[] = [];
    for (let row = 0; row < size; row += 1) {
      const slot = this.#findSpanSlot(this.traces[row] ?? 0, spanIds, row);
      if (this.#spanSlots[slot] === 0) this.#spanSlots[slot] = row + 1;
      else repeated.push(row);
    }
    for (const row of this.#preferred) this.#place(row);
    return repeated;
  }

  /** The number of the trace in a slot, or -1. */
  #traceIn(slot: number): number {
    return ((this.#traceSlots[slot] ?? 0) & (this.#traceSlots.length - 1)) - 1;
  }

  /**
   * The low bits hold the trace number plus one, which is below the number of slots. The high bits hold the bits of the hash that do not
   * choose the slot.
   */
  #entryFor(trace: number, hash: number): number {
    return (hash & -this.#traceSlots.length) | (trace + 1);
  }

  /**
   * The slot of a trace, or the free slot where it belongs. Compares ids, which are elsewhere in memory, only if the whole hash is equal.
   */
  #findTraceSlot(
    ids: Pick<IdColumns, 'traceIds' | 'hasShortTraceId'>,
    at: number,
    hash: number,
    firstRows: Words,
  ): number {
    const slots = this.#traceSlots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const entry = (slots[slot] ?? 0) | 0;
      const isAlike = ((entry ^ hash) & ~mask) === 0;
      if (entry === 0 || (isAlike && this.#hasSameTrace(ids, at, firstRows[(entry & mask) - 1] ?? 0)))
        return slot;
      slot = (slot + 1) & mask;
    }
  }

  #hasSameTrace(ids: Pick<IdColumns, 'traceIds' | 'hasShortTraceId'>, at: number, row: number): boolean {
    const left = ids.traceIds;
    const right = this.#columns.traceIds;
    return (
      left[at * 4 + 3] === right[row * 4 + 3] &&
      left[at * 4 + 2] === right[row * 4 + 2] &&
      left[at * 4 + 1] === right[row * 4 + 1] &&
      left[at * 4] === right[row * 4] &&
      ids.hasShortTraceId[at] === this.#columns.hasShortTraceId[row]
    );
  }

  /** The slot of a span, or the free slot where it belongs. Each region has at least one free slot. */
  #findSpanSlot(trace: number, ids: Words, at: number): number {
    const { spanIds } = this.#columns;
    const slots = this.#spanSlots;
    // Signed, because V8 allocates larger numbers on the heap.
    const high = (ids[at * 2] ?? 0) | 0;
    const low = (ids[at * 2 + 1] ?? 0) | 0;
    const start = this.#regions[trace] ?? 0;
    const end = this.#regions[trace + 1] ?? 0;
    let slot = start + scale(mix(low, high), end - start);
    for (;;) {
      const row = (slots[slot] ?? 0) - 1;
      if (row < 0 || (((spanIds[row * 2 + 1] ?? 0) | 0) === low && ((spanIds[row * 2] ?? 0) | 0) === high))
        return slot;
      slot += 1;
      if (slot === end) slot = start;
    }
  }
}

const fewestSlots = 16;
/** Stands for slots that were freed. */
const noSlots: Words = new Uint32Array(0);
/** Traces whose number is cached; the cache fits into that of a CPU core. A power of two. */
const recentTraces = 4096;

/** Rounds up to a power of two. */
function slotsFor(count: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(fewestSlots, count)));
}

/** Hashes the last 96 bits: the first 32 may be a time. */
function hashTrace(traceIds: Words, at: number): number {
  return mix(mix(traceIds[at * 4 + 2] ?? 0, traceIds[at * 4 + 3] ?? 0), traceIds[at * 4 + 1] ?? 0);
}

/** Sizes the region of each trace so that at most two thirds are used. */
function divideSlots(spanCounts: Words): Words {
  const regions = new Uint32Array(spanCounts.length + 1);
  for (let trace = 0; trace < spanCounts.length; trace += 1) {
    const spans = spanCounts[trace] ?? 0;
    regions[trace + 1] = (regions[trace] ?? 0) + spans + (spans >>> 1) + 1;
  }
  return regions;
}

/** A hash of 32 bits as a number below `size`. */
function scale(hash: number, size: number): number {
  return Math.floor(((hash >>> 0) / 2 ** 32) * size);
}

/** Ids may differ in a few bits only, so each bit of a word must affect each bit of the hash (murmur3, "fmix32"). */
function mix(hash: number, word: number): number {
  let mixed = Math.imul(hash ^ word, 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return mixed ^ (mixed >>> 16);
}
