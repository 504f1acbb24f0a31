import type { ByteSource } from '../span/byte-source.ts';

const wordBytes = 8;

/** Bytes that are compared with the input at many offsets. */
export class Literal {
  readonly length: number;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  /** Whether the bytes can be compared eight at a time, as doubles: not if eight of them are zero (equal to -0) or NaN (equal to nothing). */
  readonly #isDoubles: boolean;

  constructor(bytes: Uint8Array) {
    // Not `slice`, which shares memory if `bytes` is a Buffer.
    this.#bytes = new Uint8Array(bytes);
    this.#view = new DataView(this.#bytes.buffer);
    this.length = bytes.length;
    this.#isDoubles = this.length >= wordBytes && areComparable(this.#view);
  }

  isAt({ bytes, view }: ByteSource, start: number): boolean {
    const { length } = this;
    if (start + length > bytes.length) return false;
    if (!this.#isDoubles) {
      for (let index = 0; index < length; index += 1)
        if (this.#bytes[index] !== bytes[start + index]) return false;
      return true;
    }
    const own = this.#view;
    const last = length - wordBytes;
    for (let index = 0; index < last; index += wordBytes)
      if (own.getFloat64(index, true) !== view.getFloat64(start + index, true)) return false;
    return own.getFloat64(last, true) === view.getFloat64(start + last, true);
  }
}

function areComparable(view: DataView): boolean {
  const last = view.byteLength - wordBytes;
  for (let index = 0; index < last; index += wordBytes) if (!isComparable(view, index)) return false;
  return isComparable(view, last);
}

function isComparable(view: DataView, at: number): boolean {
  const word = view.getFloat64(at, true);
  return word !== 0 && !Number.isNaN(word);
}
