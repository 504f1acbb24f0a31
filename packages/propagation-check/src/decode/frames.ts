import { DecodeError } from './decode-error.ts';

const prefixBytes = 4;

/**
 * Whether the bytes begin like a file that the Collector's file exporter writes with `format: proto`:
 * the length of an export request in four bytes (big-endian), then the request.
 */
export function isFramed(bytes: Uint8Array): boolean {
  return bytes.length > prefixBytes && bytes[prefixBytes] === 0x0a && readLength(bytes, 0) > 1;
}

/** Where an export request begins and ends. @throws {DecodeError} without a place. */
export function readFrame(bytes: Uint8Array, start: number): { readonly body: number; readonly end: number } {
  if (bytes.length < start + prefixBytes) throw new DecodeError('the file is cut off');
  const body = start + prefixBytes;
  const end = body + readLength(bytes, start);
  if (end > bytes.length) throw new DecodeError('the export request is cut off');
  return { body, end };
}

/** The end of the last whole export request; 0 if there is none. */
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
