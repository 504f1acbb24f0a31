/** The plug-in on a real server, without instrumentation: the span is made by hand, as in manual mode. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { context, propagation, ROOT_CONTEXT, type Span, SpanKind, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { RPCType, setRPCMetadata } from '@opentelemetry/core';
import { type ReadableSpan, TracerProvider } from '@opentelemetry/sdk-trace';
import fastify from 'fastify';
import { parseTrust, TrustBoundary } from '../src/index.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

async function ask(trust: string, headers: Readonly<Record<string, string>>) {
  const boundary = new TrustBoundary({ trust: parseTrust(trust) });
  const started: Span[] = [];
  const provider = new TracerProvider({
    spanProcessors: [boundary.spanProcessor],
  });
  propagation.disable();
  propagation.setGlobalPropagator(boundary.propagator);
  const app = fastify();
  app.addHook('onRequest', (request, reply, done) => {
    const caller = propagation.extract(ROOT_CONTEXT, request.headers);
    const span = provider.getTracer('test').startSpan('GET', { kind: SpanKind.SERVER }, caller);
    started.push(span);
    reply.raw.once('close', () => span.end());
    context.with(setRPCMetadata(trace.setSpan(caller, span), { type: RPCType.HTTP, span }), done);
  });
  await app.register(boundary.fastify);
  app.get('/timed', (_request, reply) => reply.header('server-timing', 'db;dur=53').send('ok'));
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const answer = await fetch(`${url}/timed`, { headers });
  await app.close();
  const [span] = started;
  assert.ok(span);
  return { answer, span };
}

for (const flags of ['00', '01']) {
  test(`a trusted caller's trace goes on, and the answer names the SERVER span, flags ${flags}`, async () => {
    const { answer, span } = await ask('127.0.0.0/8', { traceparent: `00-${traceId}-${spanId}-${flags}` });
    const own = `00-${traceId}-${span.spanContext().spanId}-${flags}`;
    assert.equal(span.spanContext().traceId, traceId);
    assert.notEqual(span.spanContext().spanId, spanId);
    assert.equal(answer.headers.get('traceresponse'), own);
    assert.equal(answer.headers.get('server-timing'), `db;dur=53, trace;desc=${own}`);
  });
}

test('a caller that is not trusted gets a trace of its own, a link, and no answer', async () => {
  const { answer, span } = await ask('10.0.0.0/8', {
    traceparent: `00-${traceId}-${spanId}-01`,
    'x-forwarded-for': '10.1.2.3',
  });
  assert.notEqual(span.spanContext().traceId, traceId);
  assert.ok(isReadable(span));
  assert.deepEqual(
    span.links.map((link) => [link.context.traceId, link.context.spanId]),
    [[traceId, spanId]],
  );
  assert.deepEqual(
    [answer.headers.get('traceresponse'), answer.headers.get('server-timing')],
    [null, 'db;dur=53'],
  );
});

function isReadable(span: Span): span is Span & Pick<ReadableSpan, 'links'> {
  return 'links' in span;
}
