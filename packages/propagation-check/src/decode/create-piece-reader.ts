import type { SpanWriter } from '../span/span-writer.ts';
import type { PieceFormat, PieceReader } from './piece-reader.ts';

/** Creates the reader of a format, and loads only its module. */
export async function createPieceReader(format: PieceFormat, writer: SpanWriter): Promise<PieceReader> {
  if (format === 'json-lines') {
    const { OtlpLinesReader } = await import('./otlp-lines-reader.ts');
    return new OtlpLinesReader(writer);
  }
  const { FramedProtobufReader } = await import('./framed-protobuf.ts');
  return new FramedProtobufReader(writer);
}
