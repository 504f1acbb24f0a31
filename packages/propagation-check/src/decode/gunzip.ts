import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createGunzip, gunzip as gunzipCallback } from 'node:zlib';
import { DecodeError } from './decode-error.ts';

const gunzipAsync = promisify(gunzipCallback);

/** The uncompressed data is larger than allowed: a mistake, or an attack ("zip bomb"). */
export class TooLargeError extends DecodeError {}

/** Advice for compressed data that end early or are damaged. */
export const getAnew = 'copy or fetch it again once it is written whole';

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Uncompresses gzip data.
 * @param maxBytes Limit of the result; nothing beyond it is uncompressed.
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
    throw describeFault(error);
  }
}

/** Uncompresses gzip data as it arrives. @throws {DecodeError} when it is not gzip, damaged or cut off. */
export async function* gunzipChunks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = Readable.from(copyChunks(chunks), { objectMode: false });
  const output = input.pipe(createGunzip());
  input.once('error', (error) => output.destroy(error));
  try {
    for await (const chunk of output) yield chunk;
  } catch (error) {
    const isOfGzip = error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
    throw isOfGzip ? describeFault(error) : error;
  } finally {
    input.destroy();
  }
}

/** Copies each chunk: a stream reads ahead, and the source may reuse its buffer. */
async function* copyChunks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield Buffer.from(chunk);
}

function describeFault(error: Error & { readonly code?: unknown }): DecodeError {
  return new DecodeError(
    `gzip: ${error.code === 'Z_BUF_ERROR' ? 'ends early, as if it was cut off' : error.message}; ${getAnew}`,
  );
}
