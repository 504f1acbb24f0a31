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

/** Memory that the bodies of all requests share while they arrive. */
export class BodyMemory {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @throws {RefusedRequest} when there is not so much left. The client may try again: OTLP says so of 503. */
  take(bytes: number): void {
    if (this.#bytes + bytes > this.#maxBytes) {
      throw new RefusedRequest(503, rpcCode.unavailable, 'too many requests at one time; try again', {
        'retry-after': '1',
      });
    }
    this.#bytes += bytes;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
  }
}

export interface BodyLimits {
  /** Of one body as sent, and again uncompressed. */
  readonly maxBytes: number;
  readonly memory: BodyMemory;
}

/** Runs what it is given one after the other. */
export type InTurn = <Result>(work: () => Promise<Result>) => Promise<Result>;

export function createTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  };
}

/**
 * Reads a request's body, and gives it uncompressed to `use`, in turn: many small bodies must not become large at once.
 * @throws {RefusedRequest} when it is too large, its encoding is not known, or too many arrive at one time.
 * @throws {DecodeError} when it is not the gzip data it says it is.
 */
export async function useRequestBody<Used>(
  request: IncomingMessage,
  { maxBytes, memory }: BodyLimits,
  inTurn: InTurn,
  use: (body: Uint8Array) => Used,
): Promise<Used> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding !== 'gzip' && encoding !== 'identity' && encoding !== '') {
    throw new RefusedRequest(415, rpcCode.invalidArgument, 'content-encoding must be gzip or none', {
      'accept-encoding': 'gzip',
    });
  }
  let taken = 0;
  const take = (bytes: number) => {
    memory.take(bytes);
    taken += bytes;
  };
  try {
    const bytes = await readBytes(request, maxBytes, take);
    return await inTurn(async () => use(encoding === 'gzip' ? await gunzip(bytes, maxBytes) : bytes));
  } finally {
    memory.giveBack(taken);
  }
}

async function readBytes(
  request: IncomingMessage,
  maxBytes: number,
  take: (bytes: number) => void,
): Promise<Uint8Array> {
  const tooLarge = () =>
    new RefusedRequest(413, rpcCode.resourceExhausted, `the request body is larger than ${maxBytes} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  // Not `for await`, which destroys the connection before the refusal can be answered.
  return new Promise((resolve, reject) => {
    const stop = (reason: unknown) => {
      request.pause();
      request.removeAllListeners('data');
      reject(reason);
    };
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes) return stop(tooLarge());
      try {
        take(chunk.length);
      } catch (refusal) {
        return stop(refusal);
      }
      chunks.push(chunk);
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
  });
}
