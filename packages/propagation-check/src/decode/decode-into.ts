import { isUtf8 } from 'node:buffer';
import type { SpanWriter } from '../span/span-writer.ts';
import { sourceOf } from '../span/value-table.ts';
import { decodeBytes, type Format, isSingleRequest } from './detect-format.ts';
import { OtlpJsonScanner } from './scan-otlp-json.ts';
import { OtlpProtobufScanner } from './scan-otlp-protobuf.ts';

/**
 * Decodes spans whose format is recognised by content, into columns.
 * @throws {DecodeError} as `decodeBytes`.
 */
export function decodeInto(writer: SpanWriter, bytes: Uint8Array): Format {
  if (isUtf8(bytes) && new OtlpJsonScanner(writer).scan(sourceOf(bytes), 0, bytes.length)) {
    return 'otlp-json';
  }
  if (isSingleRequest(bytes) && new OtlpProtobufScanner(writer).scan(sourceOf(bytes), 0, bytes.length)) {
    return 'otlp-protobuf';
  }
  const { format, spans } = decodeBytes(bytes);
  for (const span of spans) writer.addSpan(span);
  return format;
}
