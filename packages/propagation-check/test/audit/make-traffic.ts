import { createHash } from 'node:crypto';
import type { StoredSpan } from '../cli/trace-store.ts';

export interface Traffic {
  /** The time of the first call. Milliseconds since the epoch. */
  readonly from: number;
  readonly calls: number;
  /** Milliseconds between two calls. */
  readonly every?: number;
  /** One call in this many loses its context; without it none does. */
  readonly brokenEvery?: number;
  readonly client?: string;
  readonly server?: string;
}

/** Requests to a service, each with a call to another one. */
export function makeTraffic(traffic: Traffic): readonly StoredSpan[] {
  return Array.from({ length: traffic.calls }, (_, call) => makeCall(traffic, call)).flat();
}

function makeCall(traffic: Traffic, call: number): readonly StoredSpan[] {
  const {
    from,
    every = 1_000,
    brokenEvery = Number.POSITIVE_INFINITY,
    client = 'web',
    server = 'orders',
  } = traffic;
  const start = from + call * every;
  const id = (part: number, digits: number) =>
    createHash('sha256').update(`${client} ${server} ${from} ${call} ${part}`).digest('hex').slice(0, digits);
  const traceId = id(1, 32);
  const isBroken = call % brokenEvery === brokenEvery - 1;
  const http = { 'http.request.method': 'GET' };
  return [
    {
      ...{ traceId, spanId: id(1, 16), service: client, kind: 'SERVER', name: 'GET /' },
      ...{ start, end: start + 100, attributes: { ...http, 'url.path': '/' } },
    },
    {
      ...{
        traceId,
        spanId: id(2, 16),
        parentSpanId: id(1, 16),
        service: client,
        kind: 'CLIENT',
        name: 'GET',
      },
      ...{ start: start + 10, end: start + 90 },
      attributes: { ...http, 'url.full': `http://${server}:8082/work`, 'http.response.status_code': 200 },
    },
    {
      ...(isBroken ? { traceId: id(4, 32) } : { traceId, parentSpanId: id(2, 16) }),
      ...{ spanId: id(3, 16), service: server, kind: 'SERVER', name: 'GET /work' },
      ...{ start: start + 20, end: start + 80, attributes: { ...http, 'url.path': '/work' } },
    },
  ];
}
