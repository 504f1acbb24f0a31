/** The HTTP call to service B. No propagation code: that is done around it, or by the instrumentations. */
import type { EventEmitter } from 'node:events';
import { type Span, SpanStatusCode } from '@opentelemetry/api';
import { onClose } from 'service-kit/on-close';

/** As the global `fetch`, narrowed to what is used. */
export type Fetch = (url: URL, init: RequestInit) => Promise<Pick<Response, 'status' | 'headers' | 'text'>>;

/** The fields of B's answer to `GET /work` that service A needs. */
export interface Work {
  readonly received_traceparent: string | null;
  readonly trace_id: string | null;
  readonly parent_span_id: string | null;
}

export const statusOf = {
  service_b_unreachable: 502,
  service_b_bad_answer: 502,
  service_b_timeout: 504,
  // nginx's status for a caller that has gone. Nobody gets it.
  caller_gone: 499,
} as const;

/** B gave no usable answer, or nobody waits for it any more. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly code: keyof typeof statusOf;

  constructor(code: CallError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/**
 * Asks B for its work and reads the whole answer.
 * @param caller Nobody waits for the answer once it emits `close`: calls would go on beyond the limit on requests.
 * @throws {CallError} when B is unreachable, slower than `timeoutMillis`, or answers nonsense, and for a caller that is gone.
 */
export async function callB(url: URL, timeoutMillis: number, caller: EventEmitter, fetch: Fetch) {
  // One controller and a timer: `AbortSignal.any` and `AbortSignal.timeout` cost several times as much.
  const call = new AbortController();
  const giveUp = () => call.abort(new DOMException('no answer in time', 'TimeoutError'));
  const timer = setTimeout(giveUp, timeoutMillis);
  const forgetCaller = onClose(caller, () => call.abort());
  try {
    const response = await fetch(url, { signal: call.signal, redirect: 'manual' });
    const body = await response.text();
    const problem = explainBadHead(response.status, response.headers.get('content-type'));
    if (problem !== null) throw new CallError('service_b_bad_answer', `${url} ${problem}`);
    return parseWork(url, body);
  } catch (error) {
    if (error instanceof CallError) throw error;
    const { aborted, reason } = call.signal;
    if (aborted && reason.name === 'TimeoutError')
      throw new CallError('service_b_timeout', `${url} did not answer within ${timeoutMillis} ms`, error);
    if (aborted) throw new CallError('caller_gone', `${url} is asked no longer: the caller is gone`, error);
    throw new CallError('service_b_unreachable', `${url} is unreachable: ${describeCause(error)}`, error);
  } finally {
    clearTimeout(timer);
    forgetCaller();
  }
}

/** Response hook for instrumentation-undici, whose CLIENT span ends before `callB` can say that the answer is bad. */
export function markBadAnswer(
  span: Span,
  { response }: { readonly response: { readonly statusCode: number; readonly headers: readonly Buffer[] } },
): void {
  // undici's raw headers: name, value, name, value.
  const index = response.headers.findIndex((name, at) => at % 2 === 0 && /^content-type$/i.test(`${name}`));
  const message = explainBadHead(response.statusCode, index === -1 ? null : `${response.headers[index + 1]}`);
  if (message !== null) span.setStatus({ code: SpanStatusCode.ERROR, message });
}

/** Why the body of an answer with this status and content type is not read; null where it is. */
function explainBadHead(status: number, contentType: string | null): string | null {
  if (status !== 200) return `answered with status ${status} instead of 200`;
  if (!/^application\/json\b/i.test(contentType ?? '')) {
    return `answered with content type ${JSON.stringify(contentType)} instead of application/json`;
  }
  return null;
}

function parseWork(url: URL, body: string): Work {
  let work: unknown;
  try {
    work = JSON.parse(body);
  } catch {}
  if (isWork(work)) return work;
  throw new CallError('service_b_bad_answer', `${url} answered with something else than work`);
}

function isWork(value: unknown): value is Work {
  return ['received_traceparent', 'trace_id', 'parent_span_id'].every((name) => {
    const field: unknown = Reflect.get(Object(value), name);
    return field === null || typeof field === 'string';
  });
}

/** A span that has ended with its caller is left alone. */
export function recordError(span: Span | undefined, error: CallError): void {
  if (!span?.isRecording()) return;
  span.recordException(error);
  span.setAttribute('error.type', error.code);
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
}

/** `fetch` says only "fetch failed"; its cause knows why, and knows it by code where several addresses were tried. */
function describeCause(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  return cause.message || ('code' in cause ? String(cause.code) : cause.name);
}
