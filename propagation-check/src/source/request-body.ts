import type { IncomingMessage } from 'node:http';
import { gunzip } from '../decode/gunzip.ts';
import { rpcCode } from './otlp-response.ts';

/** A request that is answered with an error status, and why. */
export class RefusedRequest extends Error {
  readonly status: number;
  /** Of `google.rpc.Code`. */
  readonly code: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/**
 * Reads and uncompresses a request's body.
 * @param maxBytes Of the body as sent, and again uncompressed.
 * @throws {RefusedRequest} when it is too large or its encoding is not known.
 * @throws {DecodeError} when it is not the gzip data it says it is.
 */
export async function readRequestBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding !== 'gzip' && encoding !== 'identity' && encoding !== '') {
    throw new RefusedRequest(415, rpcCode.invalidArgument, 'content-encoding must be gzip or none', {
      'accept-encoding': 'gzip',
    });
  }
  const bytes = await readBytes(request, maxBytes);
  return encoding === 'gzip' ? gunzip(bytes, maxBytes) : bytes;
}

async function readBytes(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = () =>
    new RefusedRequest(413, rpcCode.resourceExhausted, `the request body is larger than ${maxBytes} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  // Not `for await`, which destroys the connection before the refusal can be answered.
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes) {
        request.pause();
        request.removeAllListeners('data');
        reject(tooLarge());
        return;
      }
      chunks.push(chunk);
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
  });
}
