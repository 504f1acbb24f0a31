import { DecodeError } from './decode-error.ts';

/** The formats that are read piece by piece: a file of any size, on several threads. */
export type PieceFormat = 'json-lines' | 'otlp-protobuf';

/** Reads pieces of a file into columns; each is whole lines, or whole export requests with their lengths. */
export interface PieceReader {
  /**
   * One piece at a time.
   * @returns How far the piece goes, in places: lines, or bytes.
   * @throws {PieceError} where it is wrong. The spans before that are written.
   */
  read(piece: Uint8Array): Promise<number>;
}

/** A piece is wrong at a place that is counted from its beginning. */
export class PieceError extends Error {
  readonly place: number;

  constructor(place: number, message: string) {
    super(message);
    this.place = place;
  }
}

/** The error as the decoder of the whole file tells it. @param before Places of the pieces before. */
export function toDecodeError(
  format: PieceFormat,
  { place, message }: PieceError,
  before: number,
): DecodeError {
  return new DecodeError(
    format === 'json-lines' ? `line ${before + place}: ${message}` : `byte ${before + place}: ${message}`,
  );
}
