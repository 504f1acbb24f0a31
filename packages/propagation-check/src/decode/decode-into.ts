import { isUtf8 } from 'node:buffer';
import { sourceOf } from '../span/byte-source.ts';
import type { SpanWriter } from '../span/span-writer.ts';
import { isSingleRequest } from './detect-piece-format.ts';
import type { OtherSignal } from './other-signals.ts';
import type { Decoded, Format } from './reading.ts';
import { OtlpJsonScanner } from './scan-otlp-json.ts';

/** The result of decoding into columns, apart from the spans. */
export interface DecodedInto {
  readonly format: Format;
  /** Messages for the user: content that was left out, and data that the format lacks. */
  readonly notes: readonly string[];
  /** See `Decoded`. */
  readonly otherSignals: readonly OtherSignal[];
}

/**
 * Decodes spans into columns; the format is recognised by content. Loads only the decoders that the bytes need.
 * @throws {DecodeError} as `decodeBytes`.
 */
export async function decodeInto(writer: SpanWriter, bytes: Uint8Array): Promise<DecodedInto> {
  const before = writer.rows;
  if (isUtf8(bytes) && new OtlpJsonScanner(writer).scan(sourceOf(bytes), 0, bytes.length)) {
    const otherSignals = writer.rows === before ? await listOtherSignals(bytes) : [];
    return { format: 'otlp-json', notes: [], otherSignals };
  }
  if (isSingleRequest(bytes)) {
    const { OtlpProtobufScanner } = await import('./scan-otlp-protobuf.ts');
    if (new OtlpProtobufScanner(writer).scan(sourceOf(bytes), 0, bytes.length))
      return { format: 'otlp-protobuf', notes: [], otherSignals: [] };
  }
  const { decodeBytes } = await import('./detect-format.ts');
  return addDecoded(writer, decodeBytes(bytes));
}

/** As `decodeInto`, also for gzip and zip. @param maxBytes Limit of the uncompressed size. */
export async function decodeCompressedInto(
  writer: SpanWriter,
  bytes: Uint8Array,
  maxBytes: number,
): Promise<DecodedInto> {
  const { decodeCompressed } = await import('./detect-format.ts');
  return addDecoded(writer, await decodeCompressed(bytes, maxBytes));
}

function addDecoded(
  writer: SpanWriter,
  { format, spans, notes = [], otherSignals = [] }: Decoded,
): DecodedInto {
  for (const span of spans) writer.addSpan(span);
  return { format, notes, otherSignals };
}

/** Loads its module only for data without spans, which is rare. */
export async function listOtherSignals(bytes: Uint8Array): Promise<readonly OtherSignal[]> {
  return (await import('./other-signals.ts')).listOtherSignals(bytes);
}
