import { randomBytes } from 'node:crypto';
import { Agent, request } from 'undici';
import { ownServiceName } from '../calls/own-service.ts';
import { thresholds } from '../rules/thresholds.ts';
import { describeHttpFailure, type Peer } from '../source/http-failure.ts';
import type { AttributeValue, Span } from '../span/span.ts';
import { mapConcurrently } from '../util/map-concurrently.ts';
import type { Entries } from './parse-argument.ts';

export interface DriveOptions {
  readonly url: URL;
  readonly method: string;
  readonly headers: Entries;
  readonly body: string | null;
  readonly baggage: Entries;
  readonly requests: number;
  readonly concurrency: number;
  /** The timeout of each request, in milliseconds. */
  readonly timeoutMs: number;
  readonly ca: string | null;
  readonly signal: AbortSignal;
  /** Called after each answer and each failure with the number of finished requests. */
  readonly onAnswer: (done: number) => void;
}

export interface DrivenRequest {
  /** The request as a CLIENT span of this tool: the parent of the SERVER span of the called service. */
  readonly span: Span;
  readonly status: number | null;
  /** Why there was no answer; null when there was one. */
  readonly failure: string | null;
}

const calledService: Peer = {
  name: 'the service',
  port: 'its port',
  headerOption: '--request-header',
};

/**
 * Sends each request as the sampled root of a new trace. A failed request is a result, not an error. The first requests are sent one after
 * the other: if a service loses the context, only requests that overlap no other show which of them made which call.
 */
export async function driveRequests(options: DriveOptions): Promise<readonly DrivenRequest[]> {
  const agent = new Agent({
    connections: options.concurrency,
    connect: { timeout: options.timeoutMs, ...(options.ca === null ? {} : { ca: options.ca }) },
  });
  try {
    let done = 0;
    const drive = (requests: number, concurrency: number): Promise<readonly DrivenRequest[]> =>
      mapConcurrently(Array.from({ length: requests }), concurrency, async () => {
        const driven = await driveOnce(agent, options);
        done += 1;
        options.onAnswer(done);
        return driven;
      });
    const { requests, concurrency } = options;
    // At most half are sent alone: some faults show only when requests overlap.
    const alone = Math.min(thresholds.fewestDetached, Math.floor(requests / 2));
    return [...(await drive(alone, 1)), ...(await drive(requests - alone, concurrency))];
  } finally {
    await agent.destroy();
  }
}

async function driveOnce(agent: Agent, options: DriveOptions): Promise<DrivenRequest> {
  const traceId = randomBytes(16).toString('hex');
  const spanId = randomBytes(8).toString('hex');
  const { url, method, signal, timeoutMs } = options;
  const timeout = AbortSignal.timeout(timeoutMs);
  const start = now();
  const finish = (status: number | null, failure: string | null): DrivenRequest => ({
    span: toSpan({ traceId, spanId, url, method, start, end: now(), status }),
    status,
    failure,
  });
  try {
    const response = await request(url, {
      dispatcher: agent,
      // undici takes any method that is a token.
      method,
      headers: {
        ...options.headers,
        ...encodeBaggage(options.baggage),
        traceparent: `00-${traceId}-${spanId}-01`,
      },
      body: options.body,
      signal: AbortSignal.any([signal, timeout]),
    });
    await response.body.dump({ limit: Number.MAX_SAFE_INTEGER });
    return finish(response.statusCode, null);
  } catch (error) {
    signal.throwIfAborted();
    const reason = timeout.aborted
      ? `no answer within ${timeoutMs} ms (--timeout)`
      : describeHttpFailure(calledService, error);
    return finish(null, reason);
  }
}

/** Source: W3C Baggage, 3.3.1. */
function encodeBaggage(baggage: Entries): Entries {
  const members = Object.entries(baggage).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
  return members.length === 0 ? {} : { baggage: members.join(',') };
}

/** Nanoseconds since the Unix epoch. */
function now(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1_000)) * 1_000n;
}

interface Facts {
  readonly traceId: string;
  readonly spanId: string;
  readonly url: URL;
  readonly method: string;
  readonly start: bigint;
  readonly end: bigint;
  readonly status: number | null;
}

/** Source: OpenTelemetry semantic conventions, HTTP client span. */
function toSpan({ traceId, spanId, url, method, start, end, status }: Facts): Span {
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  const attributes: readonly (readonly [string, AttributeValue])[] = [
    ['http.request.method', method],
    ['url.full', `${url.origin}${url.pathname}`],
    ['server.address', url.hostname],
    ['server.port', port],
    ...(status === null ? [] : [['http.response.status_code', status] as const]),
  ];
  return {
    traceId,
    spanId,
    parentSpanId: null,
    traceState: '',
    flags: null,
    name: method,
    kind: 'CLIENT',
    startTimeUnixNano: start,
    endTimeUnixNano: end,
    attributes: new Map(attributes),
    links: [],
    status: { code: status === null || status >= 400 ? 'ERROR' : 'UNSET', message: '' },
    serviceName: ownServiceName,
    resource: new Map([['service.name', ownServiceName]]),
    scopeName: ownServiceName,
  };
}
