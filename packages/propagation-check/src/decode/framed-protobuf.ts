import type { Span } from '../span/span.ts';
import type { SpanWriter } from '../span/span-writer.ts';
import { sourceOf } from '../span/value-table.ts';
import { checkMemory } from './check-memory.ts';
import { DecodeError } from './decode-error.ts';
import { decodeOtlpProtobuf } from './otlp-protobuf.ts';
import { PieceError, type PieceReader } from './piece-reader.ts';
import { OtlpProtobufScanner } from './scan-otlp-protobuf.ts';

const prefixBytes = 4;

/**
 * Whether the bytes begin as the Collector's file exporter writes `format: proto`:
 * the length of an export request in four bytes (big-endian), then the request.
 */
export function isFramed(bytes: Uint8Array): boolean {
  return bytes.length > prefixBytes && bytes[prefixBytes] === 0x0a && readLength(bytes, 0) > 1;
}

/**
 * Decodes such a file.
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

/** Where an export request begins and ends. @throws {DecodeError} without a place. */
function readFrame(bytes: Uint8Array, start: number): { readonly body: number; readonly end: number } {
  if (bytes.length < start + prefixBytes) throw new DecodeError('the file is cut off');
  const body = start + prefixBytes;
  const end = body + readLength(bytes, start);
  if (end > bytes.length) throw new DecodeError('the export request is cut off');
  return { body, end };
}

/** @throws {DecodeError} without a place. */
function decodeFrame(request: Uint8Array): readonly Span[] {
  try {
    return decodeOtlpProtobuf(request);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new DecodeError(`in the export request that begins here: ${error.message}`);
  }
}

/** The end of the last export request that is whole; 0 where none is. */
export function findLastFrameEnd(bytes: Uint8Array): number {
  let end = 0;
  while (bytes.length >= end + prefixBytes) {
    const next = end + prefixBytes + readLength(bytes, end);
    if (next > bytes.length) break;
    end = next;
  }
  return end;
}

function readLength(bytes: Uint8Array, offset: number): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, prefixBytes).readUInt32BE();
}

/** Reads such a file into columns: each request with the scanner, and with the strict decoder where that refuses. */
export class FramedProtobufReader implements PieceReader {
  readonly #writer: SpanWriter;
  readonly #scanner: OtlpProtobufScanner;

  constructor(writer: SpanWriter) {
    this.#writer = writer;
    this.#scanner = new OtlpProtobufScanner(writer);
  }

  /** @param bytes Whole requests; only the last of the file may be cut off. */
  read(bytes: Uint8Array): number {
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
