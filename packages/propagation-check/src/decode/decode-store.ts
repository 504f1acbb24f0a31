import { isUtf8 } from 'node:buffer';
import type { SpanStore } from '../span/span-store.ts';
import { SpanWriter, storeOf } from '../span/span-writer.ts';
import { sourceOf } from '../span/value-table.ts';
import { type Decoded, decodeBytes, type Format, isSingleRequest } from './detect-format.ts';
import { OtlpJsonScanner } from './scan-otlp-json.ts';
import { OtlpProtobufScanner } from './scan-otlp-protobuf.ts';

export interface DecodedStore {
  readonly format: Format;
  readonly store: SpanStore;
  /** For people: what was left out, and what the format does not hold. */
  readonly notes: readonly string[];
}

/**
 * Decodes spans whose format is recognised by content, into columns.
 * @throws {DecodeError} as `decodeBytes`.
 */
export function decodeStore(bytes: Uint8Array): DecodedStore {
  const writer = new SpanWriter();
  if (isUtf8(bytes) && new OtlpJsonScanner(writer).scan(sourceOf(bytes), 0, bytes.length)) {
    return { format: 'otlp-json', store: writer.finish(), notes: [] };
  }
  if (isSingleRequest(bytes) && new OtlpProtobufScanner(writer).scan(sourceOf(bytes), 0, bytes.length)) {
    return { format: 'otlp-protobuf', store: writer.finish(), notes: [] };
  }
  return toStore(decodeBytes(bytes));
}

export function toStore({ format, spans, notes = [] }: Decoded): DecodedStore {
  return { format, store: storeOf(spans), notes };
}
