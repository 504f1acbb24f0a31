import { DecodeError } from './decode-error.ts';

/** The formats that are read piece by piece, so that a file can have any size and several threads can read it. */
export type PieceFormat = 'json-lines' | 'otlp-protobuf';

/** Reads pieces of a file into columns. A piece has whole lines, or whole export requests with their length prefixes. */
export interface PieceReader {
  /**
   * Reads one piece; the next call must wait until it resolves.
   * @returns The number of places in the piece: lines or bytes.
   * @throws {PieceError} with the place of a fault. The spans before it are written.
   */
  read(piece: Uint8Array): Promise<number>;
}

/** A fault in a piece. `place` is counted from the beginning of the piece. */
export class PieceError extends Error {
  readonly place: number;

  constructor(place: number, message: string) {
    super(message);
    this.place = place;
  }
}

/** Makes the error that the decoder of the whole file would throw. @param before The number of places in the pieces before. */
export function toDecodeError(
  format: PieceFormat,
  { place, message }: PieceError,
  before: number,
): DecodeError {
  return new DecodeError(
    format === 'json-lines' ? `line ${before + place}: ${message}` : `byte ${before + place}: ${message}`,
  );
}
