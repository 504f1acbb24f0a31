/** Bytes to read from, with a view of the same bytes for reading words. */
export interface ByteSource {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Not a `Buffer`, even where one is given: code that meets objects of one class alone is faster. */
export function sourceOf({ buffer, byteOffset, length }: Uint8Array): ByteSource {
  return {
    bytes: new Uint8Array(buffer, byteOffset, length),
    view: new DataView(buffer, byteOffset, length),
  };
}

/** The array, or one at least twice as long with the same beginning, when it has to hold `length`. */
export function grown(array: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  if (length <= array.length) return array;
  const longer = new Uint32Array(Math.max(length, array.length * 2));
  longer.set(array);
  return longer;
}

/**
 * Gives memory back at once that nobody reads again; the garbage collector sees no hurry where arrays are few and large.
 * Node 20 leaves it to the collector.
 */
export function discard(buffer: ArrayBuffer): void {
  if ('transfer' in ArrayBuffer.prototype && buffer.byteLength > 0) buffer.transfer(0);
}
