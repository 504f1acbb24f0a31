/** The HTTP call to service B. Contains no propagation code: `manual.ts` or the instrumentations propagate the context. */
import type { EventEmitter } from 'node:events';
import { type Span, SpanStatusCode } from '@opentelemetry/api';
import { onClose } from 'service-kit/on-close';

/** The global `fetch`, narrowed to the used parts. */
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
  // nginx's status for a disconnected caller. It is recorded, but never sent.
  caller_gone: 499,
} as const;

/** B gave no usable answer, or the caller has disconnected. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly code: keyof typeof statusOf;

  constructor(code: CallError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/**
 * Calls B and reads the whole answer.
 * @param caller The call is aborted when it emits `close`: otherwise calls of disconnected callers would exceed the limit on requests.
 * @throws {CallError} when B is unreachable, slower than `timeoutMillis` or gives an invalid answer, and when the caller has disconnected.
 */
export async function callB(url: URL, timeoutMillis: number, caller: EventEmitter, fetch: Fetch) {
  // One controller and a timer, because `AbortSignal.any` and `AbortSignal.timeout` cost several times as much.
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

/** Response hook for instrumentation-undici, whose CLIENT span ends before `callB` can record a bad answer. */
export function markBadAnswer(
  span: Span,
  { response }: { readonly response: { readonly statusCode: number; readonly headers: readonly Buffer[] } },
): void {
  // undici's raw headers alternate names and values.
  const index = response.headers.findIndex((name, at) => at % 2 === 0 && /^content-type$/i.test(`${name}`));
  const message = explainBadHead(response.statusCode, index === -1 ? null : `${response.headers[index + 1]}`);
  if (message !== null) span.setStatus({ code: SpanStatusCode.ERROR, message });
}

/** Why the body of an answer with this status and content type is not read; null if it is read. */
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

/** Records the error on the span, unless the span has already ended because the caller disconnected. */
export function recordError(span: Span | undefined, error: CallError): void {
  if (!span?.isRecording()) return;
  span.recordException(error);
  span.setAttribute('error.type', error.code);
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
}

/** `fetch` reports only "fetch failed". The cause has the reason, or only a code if several addresses were tried. */
function describeCause(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  return cause.message || ('code' in cause ? String(cause.code) : cause.name);
}
