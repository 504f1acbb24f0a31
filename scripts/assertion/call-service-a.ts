import { randomBytes } from 'node:crypto';
import { mapConcurrently } from 'propagation-check/kit';
import { z } from 'zod';
import { AnswerError, parseAnswer } from './answer.ts';
import type { Call, Silence } from './run.ts';

export interface CallOptions {
  /** Service A's base URL. */
  readonly serviceA: URL;
  readonly requests: number;
  readonly concurrency: number;
  /** Timeout of each request in milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Sends the requests, each with the trace context of its caller: a service at the edge must begin a new trace (statement 4).
 * Resolves with their results in order. An answer that cannot be judged is a result, not an error. */
export function callServiceA(options: CallOptions): Promise<readonly Call[]> {
  const base = options.serviceA.href.replace(/\/*$/, '/');
  const url = new URL('call-b', base);
  return mapConcurrently(Array.from({ length: options.requests }), options.concurrency, () =>
    callOnce(url, options),
  );
}

async function callOnce(url: URL, { timeoutMs, signal }: CallOptions): Promise<Call> {
  const sentAt = Date.now();
  const silent = (silence: Silence): Call => ({ answer: null, silence, sentAt, answeredAt: Date.now() });
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      redirect: 'error',
      headers: { traceparent: `00-${randomHex(16)}-${randomHex(8)}-01` },
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    const body = await readBody(response);
    if (response.status !== 200) return silent(explainStatus(url, response.status, body));
    return { answer: parseAnswer(body), silence: null, sentAt, answeredAt: Date.now() };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof AnswerError) {
      return silent({
        hop: 'service A',
        reason: `${url} answered, but not as service A does: ${error.message}`,
      });
    }
    const why = timeout.aborted ? `no answer within ${timeoutMs} ms` : describe(error);
    return silent({
      hop: 'service A',
      reason: `${url} cannot be reached: ${why}${why.includes('ECONNREFUSED') ? '; is service A running there?' : ''}`,
    });
  }
}

function randomHex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}

/** Much more than an answer, which has some hundred bytes. */
const maxBodyBytes = 1_048_576;

async function readBody(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxBodyBytes) throw new AnswerError(`more than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Service A's answer with 502 and 504, when service B is unreachable, slow or another program. */
const errorSchema = z.object({ error: z.string().startsWith('service_b_'), message: z.string() });

/** A gateway in front of service A answers 502 and 504 too, but with another body. */
function explainStatus(url: URL, status: number, body: string): Silence {
  const message = readErrorOfServiceB(body);
  if (message !== null) return { hop: 'service B', reason: `service A answered ${status}: ${message}` };
  const said = body === '' ? 'no body' : body.slice(0, 300);
  const gateway =
    status === 502 || status === 504 ? ', not in the words of service A (a gateway in front of it?)' : '';
  return { hop: 'service A', reason: `${url} answered ${status}${gateway}: ${said}` };
}

/** The error of service B that service A reports; null for any other body. */
function readErrorOfServiceB(body: string): string | null {
  try {
    const read = errorSchema.safeParse(JSON.parse(body));
    return read.success ? read.data.message : null;
  } catch {
    return null;
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0].message;
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message;
}
