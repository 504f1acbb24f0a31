import { isUtf8 } from 'node:buffer';
import type { SpanWriter } from '../span/span-writer.ts';
import { sourceOf } from '../span/value-table.ts';
import { type Decoded, decodeBytes, type Format, isSingleRequest } from './detect-format.ts';
import { OtlpJsonScanner } from './scan-otlp-json.ts';
import { OtlpProtobufScanner } from './scan-otlp-protobuf.ts';

/** Beside the spans of some bytes or of a file. */
export interface DecodedInto {
  readonly format: Format;
  /** For people: what was left out, and what the format does not hold. */
  readonly notes: readonly string[];
}

/**
 * Decodes spans whose format is recognised by content, into columns.
 * @throws {DecodeError} as `decodeBytes`.
 */
export function decodeInto(writer: SpanWriter, bytes: Uint8Array): DecodedInto {
  if (isUtf8(bytes) && new OtlpJsonScanner(writer).scan(sourceOf(bytes), 0, bytes.length)) {
    return { format: 'otlp-json', notes: [] };
  }
  if (isSingleRequest(bytes) && new OtlpProtobufScanner(writer).scan(sourceOf(bytes), 0, bytes.length)) {
    return { format: 'otlp-protobuf', notes: [] };
  }
  return addDecoded(writer, decodeBytes(bytes));
}

export function addDecoded(writer: SpanWriter, { format, spans, notes = [] }: Decoded): DecodedInto {
  for (const span of spans) writer.addSpan(span);
  return { format, notes };
}
