import { findLastFrameEnd } from '../decode/frames.ts';
import type { PieceFormat } from '../decode/piece-reader.ts';
import { discard } from '../span/byte-source.ts';
import type { Piece } from './read-pieces.ts';

/** Large enough that handing it to a thread costs little, small enough that a few pieces take little memory. */
const pieceBytes = 4 * 1024 * 1024;

/** Fills the bytes from their beginning. @returns How many were read; 0 at the end. */
export type Fill = (bytes: Uint8Array) => Promise<number>;

interface CutOptions {
  /** The size of a piece in bytes; a piece grows when a unit is longer. */
  readonly size?: number;
  /** Reads the next piece while one is decoded. Do not set it for an input that may pause for a long time. */
  readonly isReadAhead?: boolean;
}

/**
 * Cuts bytes into pieces of whole units.
 * @param findEnd Returns the end of the last whole unit in the bytes; 0 if there is none.
 */
export async function* cutPieces(
  fill: Fill,
  findEnd: (bytes: Uint8Array<ArrayBuffer>) => number,
  { size = pieceBytes, isReadAhead = false }: CutOptions = {},
): AsyncGenerator<Piece> {
  const free: ArrayBuffer[] = [];
  let isAtEnd = false;
  const release = (buffer: ArrayBuffer) => {
    if (isAtEnd) discard(buffer);
    else if (buffer.byteLength === size) free.push(buffer);
  };
  let bytes = new Uint8Array(size);
  let length = 0;
  let ahead: Promise<number> | null = null;
  for (;;) {
    if (length < bytes.length) {
      const more = await (ahead ?? fill(bytes.subarray(length)));
      ahead = null;
      if (more === 0) break;
      length += more;
      continue;
    }
    const end = findEnd(bytes);
    const buffer = end === 0 ? undefined : free.pop();
    const next = new Uint8Array(
      buffer ?? new ArrayBuffer(end === 0 ? length * 2 : Math.max(size, length - end)),
    );
    next.set(bytes.subarray(end));
    const cut = bytes.buffer;
    bytes = next;
    length -= end;
    if (isReadAhead && length < bytes.length) {
      ahead = fill(bytes.subarray(length));
      // A failure is thrown where `ahead` is awaited.
      ahead.catch(() => {});
    }
    if (end > 0) yield { buffer: cut, length: end, release };
  }
  isAtEnd = true;
  for (const buffer of free) discard(buffer);
  if (length > 0) yield { buffer: bytes.buffer, length, release };
}

/** Fills from chunks of any size. A chunk stays valid until the next one is requested. */
export function fillFrom(chunks: AsyncIterator<Uint8Array>): Fill {
  let rest: Uint8Array = new Uint8Array();
  return async (bytes) => {
    let length = 0;
    while (length < bytes.length) {
      if (rest.length === 0) {
        const { value, done } = await chunks.next();
        if (done === true) break;
        rest = value;
      }
      const part = rest.subarray(0, bytes.length - length);
      bytes.set(part, length);
      length += part.length;
      rest = rest.subarray(part.length);
    }
    return length;
  };
}

const newline = 0x0a;

/** Finds the end of the last whole unit of each format, for `cutPieces`. */
export const endFinders: Readonly<Record<PieceFormat, (bytes: Uint8Array<ArrayBuffer>) => number>> = {
  'json-lines': ({ buffer, length }) => Buffer.from(buffer, 0, length).lastIndexOf(newline) + 1,
  'otlp-protobuf': findLastFrameEnd,
};
