import type { SpanWriter } from '../span/span-writer.ts';
import { OtlpLinesReader } from './otlp-lines-reader.ts';
import type { PieceFormat, PieceReader } from './piece-reader.ts';

export function createPieceReader(_format: PieceFormat, writer: SpanWriter): PieceReader {
  return new OtlpLinesReader(writer);
}
