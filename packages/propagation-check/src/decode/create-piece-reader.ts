import type { SpanWriter } from '../span/span-writer.ts';
import { FramedProtobufReader } from './framed-protobuf.ts';
import { OtlpLinesReader } from './otlp-lines-reader.ts';
import type { PieceFormat, PieceReader } from './piece-reader.ts';

export function createPieceReader(format: PieceFormat, writer: SpanWriter): PieceReader {
  return format === 'json-lines' ? new OtlpLinesReader(writer) : new FramedProtobufReader(writer);
}
