import { sourceOf } from '../span/byte-source.ts';
import type { Span } from '../span/span.ts';
import type { SpanWriter } from '../span/span-writer.ts';
import { checkMemory } from './check-memory.ts';
import { DecodeError } from './decode-error.ts';
import { readFrame } from './frames.ts';
import { findOtherSignal } from './other-signals.ts';
import { decodeOtlpProtobuf } from './otlp-protobuf.ts';
import { PieceError, type PieceReader } from './piece-reader.ts';
import { OtlpProtobufScanner } from './scan-otlp-protobuf.ts';

/**
 * Decodes length-prefixed export requests, as `isFramed` recognises them.
 * @throws {DecodeError} with the byte offset of the request that is cut off or not readable.
 */
export function decodeFramedProtobuf(bytes: Uint8Array): readonly Span[] {
  checkMemory(bytes, 'protobuf');
  const spans: Span[] = [];
  for (let start = 0; start < bytes.length; ) {
    try {
      const { body, end } = readFrame(bytes, start);
      for (const span of decodeFrame(bytes.subarray(body, end))) spans.push(span);
      start = end;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw new DecodeError(`byte ${start}: ${error.message}`);
    }
  }
  return spans;
}

/** Decodes the spans of an export request in a file. A request of metrics or logs has none. @throws {DecodeError} as `decodeOtlpProtobuf`. */
export function decodeRequestOfFile(request: Uint8Array): readonly Span[] {
  try {
    return decodeOtlpProtobuf(request);
  } catch (error) {
    if (findOtherSignal(request) === null) throw error;
    return [];
  }
}

/** @throws {DecodeError} without a place. */
function decodeFrame(request: Uint8Array): readonly Span[] {
  try {
    return decodeRequestOfFile(request);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new DecodeError(`in the export request that begins here: ${error.message}`);
  }
}

/** Reads length-prefixed export requests into columns: each with the scanner, or with the strict decoder where the scanner refuses. */
export class FramedProtobufReader implements PieceReader {
  readonly #writer: SpanWriter;
  readonly #scanner: OtlpProtobufScanner;

  constructor(writer: SpanWriter) {
    this.#writer = writer;
    this.#scanner = new OtlpProtobufScanner(writer);
  }

  /** @param bytes Whole requests; only the last of the file may be cut off. */
  async read(bytes: Uint8Array): Promise<number> {
    const source = sourceOf(bytes);
    for (let start = 0; start < bytes.length; ) {
      try {
        const { body, end } = readFrame(bytes, start);
        if (!this.#scanner.scan(source, body, end)) {
          for (const span of decodeFrame(bytes.subarray(body, end))) this.#writer.addSpan(span);
        }
        start = end;
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        throw new PieceError(start, error.message);
      }
    }
    return bytes.length;
  }
}
