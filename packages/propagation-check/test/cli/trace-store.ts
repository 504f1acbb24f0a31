import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { answer, startHttpServer, targetOf } from '../source/http-server.ts';

/** A span of a test. */
export interface StoredSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly service: string;
  readonly kind: 'SERVER' | 'CLIENT' | 'INTERNAL';
  readonly name: string;
  /** Milliseconds since the Unix epoch. */
  readonly start: number;
  readonly end: number;
  readonly attributes?: Readonly<Record<string, string | number>>;
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
}

export const makeId = (bytes: number) => randomBytes(bytes).toString('hex');

export type Call = Readonly<Record<'request' | 'client' | 'server', StoredSpan>>;

/** web receives a request and calls orders: the request, and the two sides of the call. Without a parent the request is a root span. */
export function makeCall(start: number, traceId = makeId(16), parentSpanId?: string): Call {
  const http = { 'http.request.method': 'GET' };
  const request = {
    ...{ traceId, spanId: makeId(8), ...(parentSpanId === undefined ? {} : { parentSpanId }) },
    ...{ service: 'web', kind: 'SERVER' as const, name: 'GET /', start, end: start + 100 },
    attributes: { ...http, 'url.path': '/' },
  };
  const client = {
    ...{ traceId, spanId: makeId(8), parentSpanId: request.spanId },
    ...{ service: 'web', kind: 'CLIENT' as const, name: 'GET', start: start + 10, end: start + 90 },
    attributes: { ...http, 'url.full': 'http://orders:8082/work', 'http.response.status_code': 200 },
  };
  const server = {
    ...{ traceId, spanId: makeId(8), parentSpanId: client.spanId },
    ...{ service: 'orders', kind: 'SERVER' as const, name: 'GET /work', start: start + 20, end: start + 80 },
    attributes: { ...http, 'url.path': '/work' },
  };
  return { request, client, server };
}

export interface TraceStore {
  readonly url: URL;
  /** The value for `--source`. */
  readonly source: string;
  /** The paths of all requests with their queries, in order. */
  readonly asked: readonly string[];
  add(...spans: readonly StoredSpan[]): void;
}

/**
 * A trace store with the parts of Jaeger's API v3 that the checker uses. Spans can be added while it runs.
 * @param onAsk Called for each request, which is answered when this has ended.
 */
export async function startTraceStore(
  test: TestContext,
  onAsk: (target: URL, store: TraceStore) => void | Promise<void> = () => {},
): Promise<TraceStore> {
  const spans: StoredSpan[] = [];
  const asked: string[] = [];
  const url = await startHttpServer(test, async (request, response) => {
    const target = targetOf(request);
    asked.push(`${target.pathname}${target.search}`);
    await onAsk(target, store);
    if (target.pathname === '/api/v3/services') {
      answer(response, 200, { services: [...new Set(spans.map(({ service }) => service))] });
      return;
    }
    const found = find(spans, target);
    if (found.length === 0) answer(response, 404, { error: { httpCode: 404, message: 'No traces found' } });
    else answer(response, 200, { result: { resourceSpans: found.map(encodeSpan) } });
  });
  const store: TraceStore = {
    url,
    source: `jaeger=${url.origin}`,
    asked,
    add: (...more) => void spans.push(...more),
  };
  return store;
}

function find(spans: readonly StoredSpan[], { pathname, searchParams }: URL): readonly StoredSpan[] {
  const id = /^\/api\/v3\/traces\/([0-9a-f]+)$/.exec(pathname)?.[1];
  if (id !== undefined) return spans.filter((span) => span.traceId === id);
  const service = searchParams.get('query.service_name');
  const min = Date.parse(searchParams.get('query.start_time_min') ?? '');
  const max = Date.parse(searchParams.get('query.start_time_max') ?? '');
  const matches = spans.filter((span) => span.service === service && span.start >= min && span.start <= max);
  const newest = matches.toSorted((left, right) => right.start - left.start).map((span) => span.traceId);
  const ids = new Set([...new Set(newest)].slice(0, Number(searchParams.get('query.search_depth'))));
  return spans.filter((span) => ids.has(span.traceId));
}

const kinds = { INTERNAL: 1, SERVER: 2, CLIENT: 3 } as const;

export function encodeSpan({ service, kind, start, end, attributes = {}, ...span }: StoredSpan) {
  return {
    resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
    scopeSpans: [
      {
        spans: [
          {
            ...span,
            kind: kinds[kind],
            startTimeUnixNano: toNano(start),
            endTimeUnixNano: toNano(end),
            attributes: Object.entries(attributes).map(([key, value]) => ({
              key,
              value: typeof value === 'string' ? { stringValue: value } : { intValue: value },
            })),
          },
        ],
      },
    ],
  };
}

function toNano(milliseconds: number): string {
  return `${BigInt(Math.round(milliseconds * 1_000)) * 1_000n}`;
}

/** Sends spans to an OTLP/HTTP receiver of this machine. */
export async function exportSpans(port: number, ...spans: readonly StoredSpan[]): Promise<void> {
  await fetch(`http://127.0.0.1:${port}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: spans.map(encodeSpan) }),
  });
}
