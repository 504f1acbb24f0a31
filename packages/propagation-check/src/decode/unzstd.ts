import * as zlib from 'node:zlib';
import { DecodeError } from './decode-error.ts';
import { readFrame } from './frames.ts';
import { getAnew, TooLargeError } from './gunzip.ts';

const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const lengthBytes = 4;

/** Whether bytes are zstd data that this Node can uncompress: since 22.15. Otherwise `refuseOtherBytes` names them. */
export function isZstd(bytes: Uint8Array): boolean {
  return 'zstdDecompressSync' in zlib && (isPlain(bytes) || isPlain(bytes.subarray(lengthBytes)));
}

/**
 * Uncompresses zstd data, also messages with their lengths in front, as the Collector's file exporter writes them with
 * `compression: zstd`. Messages in JSON become lines, those in protobuf keep a length in front.
 * @param maxBytes Limit of the result; nothing beyond it is uncompressed.
 * @throws {DecodeError} when the data is damaged, cut off, or larger.
 */
export function unzstd(bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (isPlain(bytes)) return advise('', () => uncompress(bytes, maxBytes, maxBytes));
  const parts: Uint8Array[] = [];
  let left = maxBytes;
  for (let start = 0; start < bytes.length; ) {
    const { message, end } = advise(`byte ${start}: `, () => {
      const frame = readFrame(bytes, start);
      return { message: uncompress(bytes.subarray(frame.body, frame.end), left, maxBytes), end: frame.end };
    });
    const framed = message[0] === openBrace ? [message, lineFeed] : [lengthOf(message), message];
    for (const part of framed) left -= part.length;
    if (left < 0) throw tooLarge(maxBytes);
    parts.push(...framed);
    start = end;
  }
  return Buffer.concat(parts);
}

/** Adds the place of a message and advice to the error of damaged data. */
function advise<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DecodeError) || error instanceof TooLargeError) throw error;
    throw new DecodeError(`${place}${error.message}; ${getAnew}`);
  }
}

const openBrace = 0x7b;
const lineFeed = Buffer.from('\n');

function isPlain(bytes: Uint8Array): boolean {
  return magic.equals(bytes.subarray(0, magic.length));
}

function lengthOf(message: Uint8Array): Buffer {
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(message.length);
  return length;
}

/** @throws {DecodeError} without advice. */
function uncompress(bytes: Uint8Array, left: number, maxBytes: number): Uint8Array {
  try {
    return zlib.zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, left) });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    if (error.code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes);
    throw new DecodeError(`zstd: ${error.message}`);
  }
}

function tooLarge(maxBytes: number): TooLargeError {
  return new TooLargeError(`zstd: uncompressed data is larger than ${maxBytes} bytes`);
}
