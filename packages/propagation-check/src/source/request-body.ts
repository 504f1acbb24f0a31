import type { Readable } from 'node:stream';
import { rpcCode } from './otlp-response.ts';

/** A request that is answered with an error status, and the reason. */
export class RefusedRequest extends Error {
  readonly status: number;
  /** A `google.rpc.Code`. */
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

  /** @throws {RefusedRequest} when less memory is left. The client may retry: OTLP defines 503 as retryable. */
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
  /** The size of one body as sent, and of the same body uncompressed. */
  readonly maxBytes: number;
  readonly memory: BodyMemory;
}

/** Runs asynchronous work one after the other. */
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
 * Reads a body to its end and passes it to `use`; its memory stays reserved until `use` has finished.
 * @param envelopeBytes Bytes of the protocol that do not count for the limit.
 * @throws {RefusedRequest} when the body is too large, or too many bodies arrive at once.
 */
export async function useBody<Used>(
  body: Readable,
  { maxBytes, memory }: BodyLimits,
  use: (bytes: Uint8Array) => Promise<Used>,
  envelopeBytes = 0,
): Promise<Used> {
  let taken = 0;
  const take = (bytes: number) => {
    memory.take(bytes);
    taken += bytes;
  };
  try {
    return await use(await readBytes(body, { maxBytes, envelopeBytes }, take));
  } finally {
    memory.giveBack(taken);
  }
}

export function refuseSize(maxBytes: number): RefusedRequest {
  return new RefusedRequest(
    413,
    rpcCode.resourceExhausted,
    `the request body is larger than ${maxBytes} bytes`,
  );
}

function readBytes(
  body: Readable,
  { maxBytes, envelopeBytes }: { readonly maxBytes: number; readonly envelopeBytes: number },
  take: (bytes: number) => void,
): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Not `for await`, which destroys the connection before the refusal can be answered.
  return new Promise((resolve, reject) => {
    const stop = (reason: unknown) => {
      body.pause();
      body.removeAllListeners('data');
      reject(reason);
    };
    body.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes + envelopeBytes) return stop(refuseSize(maxBytes));
      try {
        take(chunk.length);
      } catch (refusal) {
        return stop(refusal);
      }
      chunks.push(chunk);
    });
    body.on('end', () => resolve(Buffer.concat(chunks)));
    body.on('error', reject);
    body.on('close', () => reject(new Error('the client went away')));
  });
}
