import { findLastFrameEnd } from '../decode/frames.ts';
import type { PieceFormat } from '../decode/piece-reader.ts';
import type { Piece } from './read-pieces.ts';

/** Large enough that handing it to a thread costs nothing, small enough that a few of them are little memory. */
const pieceBytes = 4 * 1024 * 1024;

/**
 * Cuts a stream into pieces of whole units.
 * @param findEnd Gives the end of the last whole unit in the bytes; 0 where there is none.
 * @param size Of a piece; it grows where a unit is longer.
 */
export async function* cutPieces(
  chunks: AsyncIterable<Uint8Array>,
  findEnd: (bytes: Uint8Array<ArrayBuffer>) => number,
  size = pieceBytes,
): AsyncGenerator<Piece> {
  const free: ArrayBuffer[] = [];
  const release = (buffer: ArrayBuffer) => {
    if (buffer.byteLength === size) free.push(buffer);
  };
  let bytes = new Uint8Array(size);
  let length = 0;
  for await (const chunk of chunks) {
    let taken = 0;
    while (taken < chunk.length) {
      const part = chunk.subarray(taken, taken + bytes.length - length);
      bytes.set(part, length);
      length += part.length;
      taken += part.length;
      if (length < bytes.length) continue;
      const end = findEnd(bytes);
      const buffer = end === 0 ? undefined : free.pop();
      const next = new Uint8Array(
        buffer ?? new ArrayBuffer(end === 0 ? length * 2 : Math.max(size, length - end)),
      );
      next.set(bytes.subarray(end));
      if (end > 0) yield { buffer: bytes.buffer, length: end, release };
      length -= end;
      bytes = next;
    }
  }
  if (length > 0) yield { buffer: bytes.buffer, length, release };
}

const newline = 0x0a;

/** By format: the end of the last whole unit, as `cutPieces` asks for. */
export const endFinders: Readonly<Record<PieceFormat, (bytes: Uint8Array<ArrayBuffer>) => number>> = {
  'json-lines': ({ buffer, length }) => Buffer.from(buffer, 0, length).lastIndexOf(newline) + 1,
  'otlp-protobuf': findLastFrameEnd,
};
