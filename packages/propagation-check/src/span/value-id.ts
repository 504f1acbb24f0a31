import { grown } from './byte-source.ts';

/** The id of the empty text, so that columns that were never written hold empty texts. */
export const emptyText = 0;

/** Set in raw ids. Columns store ids unsigned; the writer handles them signed, because V8 allocates larger numbers on the heap. */
export const rawBit = 0x8000_0000;

export function isRaw(id: number): boolean {
  return (id | 0) < 0;
}

/** Maps the ids of another table, in the order in which it created them, to ids of this table. */
export class IdMap {
  #ids = new Uint32Array(1_024);
  #size = 0;

  push(id: number): void {
    this.#ids = grown(this.#ids, this.#size + 1);
    this.#ids[this.#size] = id;
    this.#size += 1;
  }

  /** Translates a column. @param rawOffset Added to raw ids. */
  copy(from: Uint32Array, to: Uint32Array, start: number, rawOffset: number): void {
    const ids = this.#ids;
    for (let index = 0; index < from.length; index += 1) {
      const id = from[index] ?? 0;
      to[start + index] = isRaw(id) ? id + rawOffset : (ids[id] ?? 0);
    }
  }
}
