import { once } from 'node:events';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { convertLegacyHttpOptions } from '@opentelemetry/otlp-exporter-base/node-http';
import type { Batch } from './batch.ts';

/** Where spans go, as the standard variables have it: URL, headers, certificates, time for one request. */
export type Destination = ReturnType<typeof convertLegacyHttpOptions>;

/** What became of one attempt. Source: OTLP specification, "OTLP/HTTP response". */
export type Outcome =
  | Delivered
  /** The batch itself is not acceptable. */
  | { readonly kind: 'refused'; readonly reason: string }
  /**
   * The next attempt may succeed. `status` is null where there was no answer; `code` is the status as text, or an error's
   * code.
   */
  | {
      readonly kind: 'failed';
      readonly reason: string;
      readonly code: string;
      readonly status: number | null;
      readonly retryAfterMillis: number | null;
    };

/** The receiver has answered for all spans: `rejected` of them it has not taken and never will, for the reason in `message`. */
export interface Delivered {
  readonly kind: 'delivered';
  /** Not checked: the receiver may claim more than it was sent. */
  readonly rejected: number;
  readonly message: string;
}

/** Statuses that are about this batch. All others are about the receiver, its access or the way, and can change. */
const permanentStatuses: ReadonlySet<number> = new Set([400, 413, 415, 422]);
/** As much of an answer is read, in bytes. */
const maxAnswerLength = 64 * 1024;
/** Longer than this nobody is told to wait. */
const maxRetryAfterMillis = 60_000;

/** What a person can do about a failure, by its code and message; null where nothing is known. */
export type Explain = (code: string, message: string) => string | null;

export type Post = (batch: Batch, stop: AbortSignal) => Promise<Outcome>;

/** Makes the function that sends one batch, once. It never rejects; connections are kept alive. */
export async function createPost(destination: Destination, explain: Explain): Promise<Post> {
  const url = new URL(destination.url);
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  const agent = await destination.agentFactory(url.protocol);
  return async (batch, stop) => {
    const late = AbortSignal.timeout(destination.timeoutMillis);
    try {
      const headers = { ...(await destination.headers()), 'content-encoding': 'gzip' };
      const signal = AbortSignal.any([late, stop]);
      const sent = request(url, { method: 'POST', agent, headers, signal });
      // Whoever waits for the answer learns of an error there; one that comes later must not end the process.
      sent.on('error', () => {});
      sent.end(batch.body);
      const [answer] = await once(sent, 'response', { signal });
      const body = await readBody(answer);
      return readAnswer(answer.statusCode, answer.headers['retry-after'], body, explain);
    } catch (error) {
      const code = late.aborted ? 'late' : readCode(error);
      const said = late.aborted ? `no answer within ${destination.timeoutMillis} ms` : describe(error);
      return {
        kind: 'failed',
        reason: explain(code, said) ?? said,
        code,
        status: null,
        retryAfterMillis: null,
      };
    }
  };
}

function readAnswer(status: number, retryAfter: string | undefined, body: string, explain: Explain): Outcome {
  if (status >= 200 && status < 300) return { kind: 'delivered', ...readPartialSuccess(body) };
  const code = String(status);
  const known = explain(code, body);
  const reason = known ?? `status ${status}${body === '' ? '' : `, ${JSON.stringify(body.slice(0, 200))}`}`;
  // What a person can do something about is not about this batch.
  return permanentStatuses.has(status) && known === null
    ? { kind: 'refused', reason }
    : { kind: 'failed', reason, code, status, retryAfterMillis: readRetryAfter(retryAfter) };
}

/** The beginning of the answer. Where it breaks off, its status has already said what counts. */
async function readBody(answer: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of answer) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= maxAnswerLength) break;
    }
  } catch {
    // Broken off.
  }
  return Buffer.concat(chunks).toString();
}

/** Source: OTLP specification, "Partial Success". 64-bit integers are strings in its JSON. */
export function readPartialSuccess(body: string): Pick<Delivered, 'rejected' | 'message'> {
  try {
    const { rejectedSpans, errorMessage } = JSON.parse(body).partialSuccess ?? {};
    const rejected = Math.floor(Number(rejectedSpans ?? 0));
    return { rejected: rejected > 0 ? rejected : 0, message: String(errorMessage ?? '') };
  } catch {
    return { rejected: 0, message: '' };
  }
}

/** Source: RFC 9110, section 10.2.3: seconds or a date. */
function readRetryAfter(value: string | undefined): number | null {
  if (value === undefined) return null;
  const millis = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return millis > 0 ? Math.min(millis, maxRetryAfterMillis) : null;
}

/** Where several addresses were tried, the error has no message, only a code. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || ('code' in error ? String(error.code) : error.name);
}

function readCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
