import { discard } from '../span/byte-source.ts';
import type { Bytes, Words } from '../span/span-store.ts';

/** The ids of spans, an element (or several words, as in `SpanColumns`) a row. */
export interface IdColumns {
  readonly size: number;
  readonly traceIds: Words;
  readonly hasShortTraceId: Bytes;
  readonly spanIds: Words;
}

/**
 * Rows by trace id and span id, and numbers for traces; both by open addressing on the columns themselves. Each trace has a region of
 * slots of its own: its spans stand near each other in a file, and so do its slots in memory.
 */
export class SpanIndex {
  readonly traceCount: number;
  /** The number of its trace, for each row. */
  readonly traces: Words;
  /** The first row of each trace. */
  readonly firstRows: Words;
  /** Rows with the ids of an earlier one, ascending. */
  readonly repeated: readonly number[];
  readonly #columns: IdColumns;
  /** See `#entryFor`; 0 where free. */
  #traceSlots: Words;
  /** One more than a row, and 0 where free. */
  #spanSlots: Words = noSlots;
  /** The first slot of each trace, and the end of the last. */
  readonly #regions: Words;
  readonly #preferred: number[] = [];

  constructor(columns: IdColumns) {
    this.#columns = columns;
    const { size } = columns;
    // Slots that are never written take no memory, and a table that grows is filled anew.
    this.#traceSlots = new Uint32Array(slotsFor(size));
    this.traces = new Uint32Array(size);
    // Pages that are never written take no memory.
    const [firstRows, spanCounts] = [new Uint32Array(size), new Uint32Array(size)];
    let traceCount = 0;
    const recent = new Uint32Array(recentTraces);
    for (let row = 0; row < size; row += 1) {
      // Spans of one trace often stand near each other: then the table, which is large, is not asked.
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

  /** Gives the memory of the slots back, until a trace or a span is looked for again. */
  rest(): void {
    discard(this.#traceSlots.buffer);
    discard(this.#spanSlots.buffer);
    this.#traceSlots = noSlots;
    this.#spanSlots = noSlots;
  }

  /** The row of a span, or -1. @param ids Has its 2 words at element `at`. */
  findSpan(trace: number, ids: Words, at: number): number {
    if (this.#spanSlots === noSlots) this.#fillSpanSlots();
    return (this.#spanSlots[this.#findSpanSlot(trace, ids, at)] ?? 0) - 1;
  }

  /** From now on, `row` is found for its ids. */
  prefer(row: number): void {
    this.#preferred.push(row);
    this.#place(row);
  }

  #place(row: number): void {
    this.#spanSlots[this.#findSpanSlot(this.traces[row] ?? 0, this.#columns.spanIds, row)] = row + 1;
  }

  /** The number of a trace, or -1. @param ids Has its id at element `at`. */
  findTrace(ids: Pick<IdColumns, 'traceIds' | 'hasShortTraceId'>, at: number): number {
    if (this.#traceSlots === noSlots) this.#fillTraceSlots(this.firstRows, this.traceCount);
    return this.#traceIn(this.#findTraceSlot(ids, at, hashTrace(ids.traceIds, at), this.firstRows));
  }

  /** Makes at least twice as many slots as there are traces, in place of those that are there. */
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

  /** Returns the rows with the ids of an earlier one. */
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

  /** One more than the trace, which is less than there are slots, and above it the bits of the hash that do not choose the slot. */
  #entryFor(trace: number, hash: number): number {
    return (hash & -this.#traceSlots.length) | (trace + 1);
  }

  /** The slot of a trace, or the free one in its place. Ids elsewhere in memory are compared only where the whole hash is equal. */
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

  /** The slot of a span, or the free one in its place. A region has at least one free slot. */
  #findSpanSlot(trace: number, ids: Words, at: number): number {
    const { spanIds } = this.#columns;
    const slots = this.#spanSlots;
    // Signed, because V8 allocates memory for larger numbers.
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
/** In place of slots that were given back. */
const noSlots: Words = new Uint32Array(0);
/** Of so many traces the number is found without the table: they fit into the cache of a core. A power of two. */
const recentTraces = 4096;

/** A power of two. */
function slotsFor(count: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(fewestSlots, count)));
}

/** Of the last 96 bits: the first 32 may be a time. */
function hashTrace(traceIds: Words, at: number): number {
  return mix(mix(traceIds[at * 4 + 2] ?? 0, traceIds[at * 4 + 3] ?? 0), traceIds[at * 4 + 1] ?? 0);
}

/** Regions for the spans of each trace, of which at most two thirds are taken. */
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

/** Ids may differ in a few bits only: each bit of a word must reach each bit of the hash (murmur3, "fmix32"). */
function mix(hash: number, word: number): number {
  let mixed = Math.imul(hash ^ word, 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return mixed ^ (mixed >>> 16);
}
