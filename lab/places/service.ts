/**
 * A service: `/start` makes calls, `/flush` exports the spans, and any other path answers, or calls the URL in the header `x-next` with the
 * fault in `x-next-fault`. The stock instrumentation makes the spans of HTTP/1.1; HTTP/2 has no instrumentation, so this file makes them.
 * Prints its two ports.
 */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import http2 from 'node:http2';
import { createRequire } from 'node:module';
import { context, propagation, SpanKind, trace } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { faultKey, processor } from './telemetry.ts';

// The instrumentation patches only modules that are loaded with `require`.
const http: typeof import('node:http') = createRequire(import.meta.url)('node:http');
const tracer = trace.getTracer('by-hand');
const pool = new http.Agent({ keepAlive: true, maxSockets: 2 });

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://service');
  const { 'x-next': next, 'x-next-fault': fault } = request.headers;
  if (url.pathname === '/flush') await processor.forceFlush();
  else if (url.pathname === '/start') await start(url.searchParams);
  else if (typeof next === 'string') await call(next, String(fault), false);
  response.end('{}');
}

async function start(query: URLSearchParams): Promise<void> {
  const read = (name: string): string => query.get(name) ?? '';
  const calls = Array.from({ length: Number(read('calls')) }, () => async () => {
    const next = query.has('next') ? { 'x-next': read('next'), 'x-next-fault': read('nextFault') } : {};
    await (read('protocol') === '2'
      ? callHttp2(read('url'), read('fault'))
      : call(read('url'), read('fault'), read('pooled') === 'true', next));
  });
  if (read('parallel') === 'true') await Promise.all(calls.map((one) => one()));
  else for (const one of calls) await one();
}

async function call(url: string, fault: string, isPooled: boolean, headers: object = {}): Promise<void> {
  // Stands for a client without instrumentation, which makes no span and sends no header.
  const from = fault === 'not-instrumented' ? suppressTracing(context.active()) : context.active();
  await context.with(from.setValue(faultKey, fault), async () => {
    const sent = http.get(url, { headers: { ...headers, 'x-fault': fault }, agent: isPooled ? pool : false });
    const [answer]: IncomingMessage[] = await once(sent, 'response');
    if (answer !== undefined) await once(answer.resume(), 'end');
  });
}

const sessions = new Map<string, http2.ClientHttp2Session>();

async function callHttp2(url: string, fault: string): Promise<void> {
  const { origin, pathname, hostname, port } = new URL(url);
  const known = sessions.get(origin);
  // A session ends with its tap, and another tap may then listen on the same port.
  const session = known === undefined || known.closed || known.destroyed ? http2.connect(origin) : known;
  if (session !== known) session.on('error', () => sessions.delete(origin));
  sessions.set(origin, session);
  const attributes = {
    'http.request.method': 'GET',
    'url.full': url,
    'server.address': hostname,
    'server.port': Number(port),
  };
  const span = tracer.startSpan('GET', { kind: SpanKind.CLIENT, attributes });
  const headers: Record<string, string | string[]> = { ':path': pathname, 'x-fault': fault };
  propagation.inject(trace.setSpan(context.active().setValue(faultKey, fault), span), headers);
  const stream = session.request(headers);
  await once(stream.resume(), 'close');
  span.end();
}

function answerHttp2(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): void {
  const { remoteAddress, remotePort } = stream.session?.socket ?? {};
  const { hostname, port } = new URL(`http://${headers[':authority']}`);
  const attributes = {
    'http.request.method': 'GET',
    'url.path': String(headers[':path']),
    'server.address': hostname,
    'server.port': Number(port),
    'network.peer.address': remoteAddress ?? '',
    'network.peer.port': remotePort ?? 0,
  };
  // As for a stock propagator: several headers are joined with a comma.
  const carrier = { ...headers, traceparent: [headers.traceparent ?? []].flat().join(', ') };
  const from = propagation.extract(context.active(), carrier);
  const span = tracer.startSpan('GET /work', { kind: SpanKind.SERVER, attributes }, from);
  stream.respond({ ':status': 200 });
  stream.end('{}');
  span.end();
}

const one = http.createServer((request, response) => void handle(request, response));
const two = http2.createServer();
two.on('stream', answerHttp2);
await Promise.all([one, two].map((server) => once(server.listen(0, '127.0.0.1'), 'listening')));
const ports = [one, two].map((server) => {
  const address = server.address();
  return typeof address === 'object' ? address?.port : null;
});
process.stdout.write(`${JSON.stringify(ports)}\n`);
