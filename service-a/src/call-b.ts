/** The HTTP call to service B. No propagation code: that is done around it, or by the instrumentations. */

/** As the global `fetch`, narrowed to what is used. */
export type Fetch = (url: URL, init: RequestInit) => Promise<FetchAnswer>;

export type FetchAnswer = Pick<Response, 'status' | 'headers' | 'body' | 'text'>;

/** What service A needs of B's answer to `GET /work`. */
export interface Work {
  readonly received_traceparent: string | null;
  readonly trace_id: string | null;
  readonly parent_span_id: string | null;
}

/** B gave no usable answer, or nobody waits for it any more. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly code: 'service_b_unreachable' | 'service_b_timeout' | 'service_b_bad_answer' | 'caller_gone';

  constructor(code: CallError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/**
 * Asks B for `/work` below `serviceB` and reads the whole answer.
 * @param gone Aborted when nobody waits for the answer any more.
 * @throws {CallError} when B is unreachable, slower than `timeoutMillis`, or answers nonsense, and for a caller that is gone.
 */
export async function callB(
  serviceB: URL,
  timeoutMillis: number,
  gone: AbortSignal,
  fetch: Fetch,
): Promise<Work> {
  const url = new URL(`${serviceB.pathname.replace(/\/$/, '')}/work`, serviceB);
  const late = AbortSignal.timeout(timeoutMillis);
  let response: FetchAnswer;
  let body: string;
  try {
    response = await fetch(url, { signal: AbortSignal.any([late, gone]), redirect: 'manual' });
    body = await response.text();
  } catch (error) {
    if (gone.aborted)
      throw new CallError('caller_gone', `${url} is asked no longer: the caller is gone`, error);
    if (late.aborted) {
      throw new CallError('service_b_timeout', `${url} did not answer within ${timeoutMillis} ms`, error);
    }
    throw new CallError('service_b_unreachable', `${url} is unreachable: ${describeCause(error)}`, error);
  }

  const fault = explainBadHead(response.status, response.headers.get('content-type'));
  if (fault !== null) throw new CallError('service_b_bad_answer', `${url} ${fault}`);
  const work = parseJson(body);
  if (!isWork(work))
    throw new CallError('service_b_bad_answer', `${url} answered with something else than work`);
  return work;
}

/** What is wrong with an answer of this status and content type, or null where its body may be read. */
export function explainBadHead(status: number, contentType: string | null): string | null {
  if (status !== 200) return `answered with status ${status} instead of 200`;
  if (!/^application\/json\b/i.test(contentType ?? '')) {
    return `answered with content type ${JSON.stringify(contentType)} instead of application/json`;
  }
  return null;
}

/** Undefined for text that is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isWork(value: unknown): value is Work {
  return (
    typeof value === 'object' &&
    value !== null &&
    'received_traceparent' in value &&
    'trace_id' in value &&
    'parent_span_id' in value &&
    [value.received_traceparent, value.trace_id, value.parent_span_id].every(
      (field) => field === null || typeof field === 'string',
    )
  );
}

/** `fetch` says only "fetch failed"; its cause knows why, and knows it by code where several addresses were tried. */
function describeCause(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  return cause.message || ('code' in cause ? String(cause.code) : cause.name);
}
