import type { Segment } from './tcp-segment.ts';

/** Consecutive bytes of one direction of a connection. */
export interface Ordered {
  readonly time: number;
  /** The sequence number of the first byte, as in `Segment`. */
  readonly sequence: number;
  /** As in the segment that contained the bytes. */
  readonly acknowledged: number;
  readonly bytes: Buffer;
  /** Whether bytes before these are missing in the capture. */
  readonly isAfterGap: boolean;
}

/** A segment with the number of its first byte, which does not wrap at 2^32. */
interface Placed {
  readonly start: number;
  readonly segment: Segment;
}

/** If this many bytes wait for a missing one, it was not captured. */
const mostWaiting = 1_048_576;
/**
 * As many segments as `mostWaiting` bytes make at 128 bytes each. Inserting a segment moves all later ones, so that a longer list would
 * take quadratic time.
 */
const mostSegmentsWaiting = 8_192;
const wrap = 2 ** 32;

/** Orders the segments of one direction by sequence number and returns each byte once. */
export class SegmentOrder {
  /** The number of the next byte, not wrapped at 2^32; null before the first segment. */
  #next: number | null = null;
  /** By start. Segments before index `#taken` have been returned. */
  #waiting: Placed[] = [];
  #taken = 0;
  #waitingBytes = 0;

  /** The bytes that this segment makes available. */
  add(segment: Segment): readonly Ordered[] {
    const { sequence, isSyn, payload } = segment;
    if (isSyn) {
      this.#next = sequence + 1;
      this.#forget();
    }
    if (payload.length === 0) return [];
    const isFirst = this.#next === null;
    this.#next ??= sequence;
    this.#wait({ start: this.#next + ahead(sequence, this.#next), segment });
    const ready = this.#takeReady(isFirst);
    const isOver =
      this.#waitingBytes > mostWaiting || this.#waiting.length - this.#taken > mostSegmentsWaiting;
    return isOver ? [...ready, ...this.flush()] : ready;
  }

  /** The remaining segments, across gaps. */
  flush(): readonly Ordered[] {
    const found: Ordered[] = [];
    for (let first = this.#first(); first !== undefined; first = this.#first()) {
      this.#next = first.start;
      for (const ordered of this.#takeReady(true)) found.push(ordered);
    }
    return found;
  }

  #first(): Placed | undefined {
    return this.#waiting[this.#taken];
  }

  #forget(): void {
    this.#waiting = [];
    this.#taken = 0;
    this.#waitingBytes = 0;
  }

  #wait(placed: Placed): void {
    let [low, high] = [this.#taken, this.#waiting.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#waiting[middle]?.start ?? 0) <= placed.start) low = middle + 1;
      else high = middle;
    }
    this.#waiting.splice(low, 0, placed);
    this.#waitingBytes += placed.segment.payload.length;
  }

  #takeReady(isAfterGap: boolean): readonly Ordered[] {
    const ready: Ordered[] = [];
    let next = this.#next ?? 0;
    for (let first = this.#first(); first !== undefined && first.start <= next; first = this.#first()) {
      this.#taken += 1;
      const { time, acknowledged, payload } = first.segment;
      this.#waitingBytes -= payload.length;
      // Drops bytes that were sent again.
      const bytes = payload.subarray(next - first.start);
      if (bytes.length === 0) continue;
      const isFirst = isAfterGap && ready.length === 0;
      ready.push({ time, sequence: next % wrap, acknowledged, bytes, isAfterGap: isFirst });
      next += bytes.length;
    }
    this.#next = next;
    if (this.#first() === undefined) this.#forget();
    return ready;
  }
}

/** How far a wrapped number is ahead of an unwrapped one. */
function ahead(sequence: number, of: number): number {
  const distance = (((sequence - of) % wrap) + wrap) % wrap;
  return distance < wrap / 2 ? distance : distance - wrap;
}
