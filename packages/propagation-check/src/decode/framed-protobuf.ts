import type { Span } from '../span/span.ts';
import { checkMemory } from './check-memory.ts';
import { DecodeError } from './decode-error.ts';
import { decodeOtlpProtobuf } from './otlp-protobuf.ts';

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
    const body = start + prefixBytes;
    const end = body + readLength(bytes, start);
    if (end > bytes.length) throw new DecodeError(`byte ${start}: the export request is cut off`);
    try {
      for (const span of decodeOtlpProtobuf(bytes.subarray(body, end))) spans.push(span);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw new DecodeError(`byte ${start}: in the export request that begins here: ${error.message}`);
    }
    start = end;
  }
  return spans;
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
  if (bytes.length < offset + prefixBytes) throw new DecodeError(`byte ${offset}: the file is cut off`);
  return Buffer.from(bytes.subarray(offset, offset + prefixBytes)).readUInt32BE();
}
