/** The plug-in on a real server, without instrumentation: SERVER spans are made by hand, as in manual mode. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { context, propagation, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { RPCType, setRPCMetadata } from '@opentelemetry/core';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import fastify from 'fastify';
import { parseTrust, TrustBoundary } from '../src/index.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

async function ask(trust: string, path: string, headers: Readonly<Record<string, string>>) {
  const boundary = new TrustBoundary({ trust: parseTrust(trust) });
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({
    spanProcessors: [boundary.spanProcessor, new SimpleSpanProcessor({ exporter })],
  });
  propagation.disable();
  propagation.setGlobalPropagator(boundary.propagator);
  const app = fastify();
  // Other requests may come in before the headers of this one are read.
  app.addHook('onRequest', async () => new Promise((resolve) => setImmediate(resolve)));
  app.addHook('onRequest', (request, reply, done) => {
    if (request.url === '/healthz') return done();
    const caller = propagation.extract(ROOT_CONTEXT, request.headers);
    const span = provider.getTracer('test').startSpan('GET', { kind: SpanKind.SERVER }, caller);
    reply.raw.once('close', () => span.end());
    context.with(setRPCMetadata(trace.setSpan(caller, span), { type: RPCType.HTTP, span }), done);
  });
  await app.register(boundary.fastify);
  app.get('/timed', (_request, reply) => {
    provider.getTracer('test').startSpan('work').end();
    return reply.header('server-timing', 'db;dur=53').send('ok');
  });
  app.get('/healthz', async () => 'ok');
  app.get('/error', async () => {
    throw new Error('no');
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const answer = await fetch(`${url}${path}`, { headers });
  await app.close();
  return {
    status: answer.status,
    traceresponse: answer.headers.get('traceresponse'),
    timing: answer.headers.get('server-timing'),
    span: exporter.getFinishedSpans().find(({ kind }) => kind === SpanKind.SERVER),
    inner: exporter.getFinishedSpans().find(({ kind }) => kind === SpanKind.INTERNAL),
  };
}

for (const flags of ['00', '01']) {
  test(`a trusted caller's trace goes on, and the answer names the SERVER span, flags ${flags}`, async () => {
    const headers = { traceparent: `00-${traceId}-${spanId}-${flags}` };
    const { traceresponse, timing, span } = await ask('127.0.0.0/8', '/timed', headers);
    assert.match(String(traceresponse), new RegExp(`^00-${traceId}-[0-9a-f]{16}-${flags}$`));
    assert.equal(timing, `db;dur=53, trace;desc=${traceresponse}`);
    // A trace that is not sampled has no span to compare with.
    assert.equal(span?.parentSpanContext?.spanId, flags === '01' ? spanId : undefined);
    assert.equal(span?.spanContext().spanId, flags === '01' ? traceresponse?.slice(36, 52) : undefined);
    assert.equal(span?.links.length, flags === '01' ? 0 : undefined);
  });
}

describe('a trusted caller is answered', () => {
  for (const [path, status] of [
    ['/error', 500],
    ['/nothing', 404],
  ] as const) {
    test(`with ${status} as well`, async () => {
      const answer = await ask('127.0.0.1', path, {});
      assert.equal(answer.status, status);
      assert.equal(answer.traceresponse?.slice(36, 52), answer.span?.spanContext().spanId);
      assert.equal(answer.timing, `trace;desc=${answer.traceresponse}`);
    });
  }

  test('but not where there is no SERVER span', async () => {
    const { status, traceresponse, timing } = await ask('127.0.0.1', '/healthz', {});
    assert.deepEqual([status, traceresponse, timing], [200, null, null]);
  });
});

describe('a caller that is not trusted', () => {
  const headers = { traceparent: `00-${traceId}-${spanId}-01`, 'x-forwarded-for': '10.1.2.3' };

  for (const [path, status, own] of [
    ['/timed', 200, 'db;dur=53'],
    ['/error', 500, null],
    ['/nothing', 404, null],
    ['/healthz', 200, null],
  ] as const) {
    test(`gets no answer with ${path}`, async () => {
      const { traceresponse, timing, ...answer } = await ask('10.0.0.0/8', path, headers);
      assert.deepEqual([answer.status, traceresponse, timing], [status, null, own]);
    });
  }

  test('gets a trace of its own, with a link at its first span', async () => {
    const { span, inner } = await ask('10.0.0.0/8', '/timed', headers);
    assert.ok(span);
    assert.notEqual(span.spanContext().traceId, traceId);
    assert.equal(span.parentSpanContext, undefined);
    assert.deepEqual(
      span.links.map((link) => [link.context.traceId, link.context.spanId]),
      [[traceId, spanId]],
    );
    assert.deepEqual([inner?.parentSpanContext?.spanId, inner?.links], [span.spanContext().spanId, []]);
  });
});
