import type { Segment } from './tcp-segment.ts';

/** Bytes of one direction of a connection in their order. */
export interface Ordered {
  readonly time: number;
  readonly bytes: Buffer;
  /** Whether bytes before these are missing in the capture. */
  readonly isAfterGap: boolean;
}

/** So many bytes may wait for one that is missing: it was not captured, and will not come. */
const mostWaiting = 1_048_576;
const wrap = 2 ** 32;

/** Puts the segments of one direction in the order of their sequence numbers, each byte once. */
export class SegmentOrder {
  /** The number of the byte that comes next; null before the first. */
  #next: number | null = null;
  #waiting: readonly Segment[] = [];

  /** What can be read now that this segment is there. */
  add(segment: Segment): readonly Ordered[] {
    const { sequence, isSyn, payload } = segment;
    if (isSyn) {
      this.#next = (sequence + 1) % wrap;
      this.#waiting = [];
    }
    if (payload.length === 0) return [];
    const isFirst = this.#next === null;
    this.#next ??= sequence;
    this.#waiting = [...this.#waiting, segment];
    const ready = this.#takeReady(isFirst);
    const waiting = this.#waiting.reduce((sum, one) => sum + one.payload.length, 0);
    return waiting > mostWaiting ? [...ready, ...this.flush()] : ready;
  }

  /** What is left, across gaps. */
  flush(): readonly Ordered[] {
    const found: Ordered[] = [];
    while (this.#waiting.length > 0) {
      const next = this.#next ?? 0;
      const [first] = [...this.#waiting].sort(
        (left, right) => ahead(left.sequence, next) - ahead(right.sequence, next),
      );
      if (first === undefined) break;
      this.#next = first.sequence;
      found.push(...this.#takeReady(true));
    }
    return found;
  }

  #takeReady(isAfterGap: boolean): readonly Ordered[] {
    const ready: Ordered[] = [];
    for (;;) {
      const next = this.#next ?? 0;
      const fit = this.#waiting.find(({ sequence, payload }) => {
        const behind = ahead(next, sequence);
        return behind >= 0 && behind < payload.length;
      });
      // What came again is left out.
      this.#waiting = this.#waiting.filter(
        (segment) => segment !== fit && ahead(segment.sequence, next) + segment.payload.length > 0,
      );
      if (fit === undefined) return ready;
      const bytes = fit.payload.subarray(ahead(next, fit.sequence));
      ready.push({ time: fit.time, bytes, isAfterGap: isAfterGap && ready.length === 0 });
      this.#next = (next + bytes.length) % wrap;
    }
  }
}

/** How far a number is ahead of another; numbers begin anew after 2^32. */
function ahead(sequence: number, of: number): number {
  const distance = (sequence - of + wrap) % wrap;
  return distance < wrap / 2 ? distance : distance - wrap;
}
