/** Bytes to read from, with a view of the same bytes for reading words. */
export interface ByteSource {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** A plain `Uint8Array` even for a `Buffer`: V8 optimizes code that sees objects of one class. */
export function sourceOf({ buffer, byteOffset, length }: Uint8Array): ByteSource {
  return {
    bytes: new Uint8Array(buffer, byteOffset, length),
    view: new DataView(buffer, byteOffset, length),
  };
}

/** The array if it can hold `length` elements, otherwise a copy at least twice as long. */
export function grown(array: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  if (length <= array.length) return array;
  const longer = new Uint32Array(Math.max(length, array.length * 2));
  longer.set(array);
  return longer;
}

/**
 * Frees memory that is no longer read. The garbage collector does not hurry to free a few large arrays. On Node 20, which lacks `transfer`,
 * it is left to the collector.
 */
export function discard(buffer: ArrayBuffer): void {
  if ('transfer' in ArrayBuffer.prototype && buffer.byteLength > 0) buffer.transfer(0);
}
