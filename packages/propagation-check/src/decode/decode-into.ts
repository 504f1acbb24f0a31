import { isUtf8 } from 'node:buffer';
import { sourceOf } from '../span/byte-source.ts';
import type { SpanWriter } from '../span/span-writer.ts';
import { isSingleRequest } from './detect-piece-format.ts';
import type { OtherSignal } from './other-signals.ts';
import type { Decoded, Format } from './reading.ts';
import { OtlpJsonScanner } from './scan-otlp-json.ts';

/** Beside the spans of some bytes or of a file. */
export interface DecodedInto {
  readonly format: Format;
  /** For people: what was left out, and what the format does not hold. */
  readonly notes: readonly string[];
  /** As in `Decoded`. */
  readonly otherSignals: readonly OtherSignal[];
}

/**
 * Decodes spans whose format is recognised by content, into columns. Loads the decoders that the bytes need.
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

/** As `decodeInto`, of gzip and zip too. @param maxBytes Of the uncompressed data. */
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

/** Loaded where no span is: few files need it. */
export async function listOtherSignals(bytes: Uint8Array): Promise<readonly OtherSignal[]> {
  return (await import('./other-signals.ts')).listOtherSignals(bytes);
}
