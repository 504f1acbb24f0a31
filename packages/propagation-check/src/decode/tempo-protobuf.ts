import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import type { Span } from '../span/span.ts';
import { DecodeError, prefixPath } from './decode-error.ts';
import { decodeOtlpProtobuf } from './otlp-protobuf.ts';
import { quoteValue } from './quote-value.ts';

const field = { trace: 1, status: 3, message: 4 } as const;

/**
 * Decodes Tempo's protobuf answer of `/api/v2/traces/{id}`: a message whose field 1 is a `TracesData`.
 * (The answer of `/api/traces/{id}` is a `TracesData` itself: `decodeOtlpProtobuf`.)
 *
 * Source: Tempo, `tempo.proto`, `TraceByIDResponse`.
 * @throws {DecodeError} with a byte offset; also when Tempo answered only a part of the trace, which must not be judged.
 */
export function decodeTempoProtobuf(bytes: Uint8Array): readonly Span[] {
  const { traces, isPartial, message } = readEnvelope(bytes);
  if (isPartial)
    throw new DecodeError(`status: Tempo answered only a part of the trace: ${quoteValue(message)}`);
  return traces.flatMap((trace) => {
    try {
      return decodeOtlpProtobuf(trace);
    } catch (error) {
      throw prefixPath('trace', error);
    }
  });
}

interface Envelope {
  readonly traces: readonly Uint8Array[];
  readonly isPartial: boolean;
  readonly message: string;
}

function readEnvelope(bytes: Uint8Array): Envelope {
  const reader = new BinaryReader(bytes);
  const traces: Uint8Array[] = [];
  let isPartial = false;
  let message = '';
  let start = 0;
  try {
    while (reader.pos < reader.len) {
      start = reader.pos;
      const [number, type] = reader.tag();
      if (number === field.trace && type === WireType.LengthDelimited) traces.push(reader.bytes());
      else if (number === field.status && type === WireType.Varint) isPartial = reader.int32() === 1;
      else if (number === field.message && type === WireType.LengthDelimited) message = reader.string();
      else reader.skip(type, number);
    }
  } catch {
    throw new DecodeError(`byte ${start}: not Tempo's protobuf answer`);
  }
  return { traces, isPartial, message };
}
