import { promisify } from 'node:util';
import { gunzip as gunzipCallback } from 'node:zlib';
import { DecodeError } from './decode-error.ts';

const gunzipAsync = promisify(gunzipCallback);

/** The uncompressed data is larger than allowed: a mistake, or an attack ("zip bomb"). */
export class TooLargeError extends DecodeError {}

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Uncompresses gzip data.
 * @param maxBytes Of the result; nothing beyond it is uncompressed.
 * @throws {TooLargeError} when the result would be larger.
 * @throws {DecodeError} when the data is not gzip, damaged or cut off.
 */
export async function gunzip(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  try {
    return await gunzipAsync(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    if (error.code === 'ERR_BUFFER_TOO_LARGE') {
      throw new TooLargeError(`gzip: uncompressed data is larger than ${maxBytes} bytes`);
    }
    const reason = error.code === 'Z_BUF_ERROR' ? 'ends early, as if it was cut off' : error.message;
    throw new DecodeError(`gzip: ${reason}`);
  }
}
