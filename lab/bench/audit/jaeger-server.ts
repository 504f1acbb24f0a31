/** A server process of the bench: Jaeger's API v3 with traces of the last hour, which are generated for each request. */
import { createServer } from 'node:http';

const traces = Number(process.argv[2]);
const services = 20;
const hourMs = 3_600_000;
/** Every n-th call arrives without its context. */
const brokenEvery = 100;
/** The audit starts after this server, so its window begins later: traces begin later too, so that none is outside the window. */
const lateMs = 60_000;
const from = Date.now() - hourMs + lateMs;
const apart = (hourMs - lateMs - 2_000) / traces;

function answerServices() {
  return { services: Array.from({ length: services }, (_, at) => `service-${at}`) };
}

function answerTraces(query: URLSearchParams) {
  const time = (name: string) => Date.parse(query.get(`query.${name}`) ?? '');
  const first = Math.max(0, Math.ceil((time('start_time_min') - from) / apart));
  const last = Math.min(traces - 1, Math.floor((time('start_time_max') - from) / apart));
  const service = query.get('query.service_name') ?? '';
  const most = Number(query.get('query.search_depth'));
  const resourceSpans = [];
  for (let trace = last, count = 0; trace >= first && count < most; trace -= 1) {
    const parts = makeParts(trace).filter(({ services: found }) => found.includes(service));
    for (const part of parts) resourceSpans.push(...part.resourceSpans);
    count += parts.length;
  }
  return { result: { resourceSpans } };
}

/** The trace of a request; two traces when its call has lost its context. */
function makeParts(trace: number) {
  const caller = `service-${trace % (services / 2)}`;
  const callee = `service-${services / 2 + ((trace * 7) % (services / 2))}`;
  const isBroken = trace % brokenEvery === 0;
  const traceId = toId(trace * 2 + 1, 32);
  const start = from + trace * apart;
  const path = `/items/${trace}`;
  const server = { kind: 2, name: 'GET /items/:id' };
  const http = { 'http.request.method': 'GET' };
  const called = describe(callee, [
    {
      ...{
        traceId: isBroken ? toId(trace * 2 + 2, 32) : traceId,
        spanId: toId(trace * 4 + 3, 16),
        ...server,
      },
      ...(isBroken ? {} : { parentSpanId: toId(trace * 4 + 2, 16) }),
      ...toTimes(start + 3, start + 13),
      attributes: toAttributes({ ...http, 'url.path': path }),
    },
  ]);
  const calling = describe(caller, [
    {
      ...{ traceId, spanId: toId(trace * 4 + 1, 16), ...server, ...toTimes(start, start + 20) },
      attributes: toAttributes({ ...http, 'url.path': path }),
    },
    {
      ...{ traceId, spanId: toId(trace * 4 + 2, 16), parentSpanId: toId(trace * 4 + 1, 16), kind: 3 },
      ...{ name: 'GET', ...toTimes(start + 2, start + 14) },
      attributes: toAttributes({ ...http, 'url.full': `http://${callee}:8080${path}` }),
    },
  ]);
  return isBroken
    ? [
        { services: [caller], resourceSpans: [calling] },
        { services: [callee], resourceSpans: [called] },
      ]
    : [{ services: [caller, callee], resourceSpans: [calling, called] }];
}

function describe(service: string, spans: readonly object[]) {
  return {
    resource: { attributes: toAttributes({ 'service.name': service }) },
    scopeSpans: [{ scope: { name: '@opentelemetry/instrumentation-http' }, spans }],
  };
}

function toId(number: number, digits: number): string {
  return number.toString(16).padStart(digits, '0');
}

function toTimes(start: number, end: number) {
  const toNano = (milliseconds: number) => `${BigInt(Math.round(milliseconds * 1_000)) * 1_000n}`;
  return { startTimeUnixNano: toNano(start), endTimeUnixNano: toNano(end) };
}

function toAttributes(attributes: Readonly<Record<string, string>>) {
  return Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } }));
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://jaeger');
  const body = pathname === '/api/v3/services' ? answerServices() : answerTraces(searchParams);
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.(typeof address === 'object' && address !== null ? address.port : 0);
});
