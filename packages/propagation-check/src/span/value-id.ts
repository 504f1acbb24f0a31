import { grown } from './byte-source.ts';

/** Id of the empty text: columns of texts are zero where nothing was written. */
export const emptyText = 0;

/** Set in raw ids. In columns they are unsigned; the writer handles them signed, because V8 allocates memory for larger numbers. */
export const rawBit = 0x8000_0000;

export function isRaw(id: number): boolean {
  return (id | 0) < 0;
}

/** The ids of one table by those of another one, in the order in which that made them. */
export class IdMap {
  #ids = new Uint32Array(1_024);
  #size = 0;

  push(id: number): void {
    this.#ids = grown(this.#ids, this.#size + 1);
    this.#ids[this.#size] = id;
    this.#size += 1;
  }

  /** Translates a column. @param rawOffset Is added to raw ids. */
  copy(from: Uint32Array, to: Uint32Array, start: number, rawOffset: number): void {
    const ids = this.#ids;
    for (let index = 0; index < from.length; index += 1) {
      const id = from[index] ?? 0;
      to[start + index] = isRaw(id) ? id + rawOffset : (ids[id] ?? 0);
    }
  }
}
