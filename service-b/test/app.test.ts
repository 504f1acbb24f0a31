import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import {
  collectSpans,
  fetchJson,
  type JsonObject,
  readAttribute,
  SERVER,
  startService,
} from 'service-kit/testing';
import { buildApp } from '../src/app.ts';
import { readConfig } from '../src/config.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const callerSpanId = 'b7ad6b7169203331';
const traceparent = `00-${traceId}-${callerSpanId}-01`;

describe('without telemetry', () => {
  const app = buildApp(readConfig({ LOG_LEVEL: 'silent' }));
  after(() => app.close());

  test('answers nulls instead of failing', async () => {
    const response = await app.inject({ url: '/work', headers: { traceparent } });
    assert.equal(response.statusCode, 200);
    assert.deepEqual(response.json(), {
      service: 'service-b',
      received_traceparent: traceparent,
      trace_id: null,
      span_id: null,
      parent_span_id: null,
      baggage: {},
    });
  });

  test('listens on its port, and trusts this machine', () => {
    const { name, port, trustIncoming } = readConfig({});
    assert.deepEqual([name, port], ['service-b', 8082]);
    assert.deepEqual(trustIncoming, [
      { family: 'ipv4', address: '127.0.0.0', prefix: 8 },
      { family: 'ipv6', address: '::1', prefix: 128 },
    ]);
  });

  test('is healthy', async () => {
    const response = await app.inject('/healthz');
    assert.deepEqual([response.statusCode, response.json()], [200, { status: 'ok' }]);
  });
});

for (const mode of ['auto', 'manual'] as const) {
  describe(`with PROPAGATION=${mode}`, async () => {
    const unreadable = `${traceparent}, ${traceparent}`;
    const { answers, lines, spans, health } = await askForWork(mode, [
      { traceparent, tracestate: 'vendor=1', baggage: 'hello=world,a=b%20c', authorization: 'secret' },
      {},
      { traceparent: unreadable },
      { traceparent: traceparent.replace(/01$/, '00') },
    ]);
    const [continued, alone, unread, unsampled] = answers;
    const findServerSpan = (answer: JsonObject | undefined) =>
      spans.filter(({ kind, spanId }) => kind === SERVER && spanId === answer?.span_id);

    test('continues the trace of a caller', () => {
      const [server, ...others] = findServerSpan(continued);
      assert.deepEqual(others, []);
      assert.deepEqual(
        [server?.name, server?.traceId, server?.parentSpanId, server?.service],
        ['GET /work', traceId, callerSpanId, 'service-b'],
      );
      assert.deepEqual(continued, {
        service: 'service-b',
        received_traceparent: traceparent,
        trace_id: traceId,
        span_id: server?.spanId,
        parent_span_id: callerSpanId,
        baggage: { hello: 'world', a: 'b c' },
      });
    });

    test('becomes a root without a traceparent', () => {
      const [server] = findServerSpan(alone);
      assert.equal(server?.parentSpanId, undefined);
      assert.deepEqual(alone, {
        service: 'service-b',
        received_traceparent: null,
        trace_id: server?.traceId,
        span_id: server?.spanId,
        parent_span_id: null,
        baggage: {},
      });
    });

    test('becomes a root with an invalid traceparent', () => {
      assert.deepEqual([unread?.received_traceparent, unread?.parent_span_id], [unreadable, null]);
      assert.notEqual(unread?.trace_id, traceId);
      assert.equal(findServerSpan(unread).length, 1);
    });

    test('names the caller as parent when the caller does not sample', () => {
      assert.deepEqual([unsampled?.trace_id, unsampled?.parent_span_id], [traceId, callerSpanId]);
      assert.deepEqual(findServerSpan(unsampled), []);
    });

    test('makes no span for health checks', () => {
      assert.deepEqual(health, [200, 200]);
      assert.equal(spans.filter(({ kind }) => kind === SERVER).length, 3);
    });

    test('records the received headers in its span, of baggage and tracestate only the keys', () => {
      const [server] = findServerSpan(continued);
      assert.ok(server);
      const recorded = ['traceparent', 'tracestate', 'baggage', 'authorization'].map((name) =>
        readAttribute(server, `http.request.header.${name}`),
      );
      assert.deepEqual(recorded, [[traceparent], ['vendor=REDACTED'], ['hello=world,a=REDACTED'], undefined]);
      assert.equal(readAttribute(server, 'http.route'), '/work');
    });

    test('puts the ids of the SERVER span into its log, once for each request', () => {
      const completed = lines.filter(({ msg }) => msg === 'request completed');
      assert.deepEqual(
        completed.map(({ trace_id, span_id }) => ({ trace_id, span_id })),
        answers.map(({ trace_id, span_id }) => ({ trace_id, span_id })),
      );
    });

    test('logs the propagation headers, and no others, in manual mode', () => {
      const [received] = lines.filter(({ msg }) => msg === 'received propagation headers');
      if (mode === 'auto') return assert.equal(received, undefined);
      assert.deepEqual(
        [received?.headers, received?.hello, received?.trace_id],
        [{ traceparent, tracestate: 'vendor=REDACTED', baggage: 'hello=world,a=REDACTED' }, 'world', traceId],
      );
      assert.deepEqual(
        findServerSpan(continued)[0]?.attributes.find(({ key }) => key === 'baggage.hello')?.value,
        { stringValue: 'world' },
      );
    });
  });
}

/** Sends the requests one after the other and stops the service, which exports all spans. */
async function askForWork(mode: 'auto' | 'manual', requests: readonly Record<string, string>[]) {
  using collector = await collectSpans();
  await using service = await startService('service-b', {
    PROPAGATION: mode,
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
  });
  const answers: JsonObject[] = [];
  for (const headers of requests) answers.push((await fetchJson(`${service.url}/work`, { headers })).body);
  const probes = [fetchJson(`${service.url}/healthz`), fetchJson(`${service.url}/healthz?probe=1`)];
  const health = (await Promise.all(probes)).map(({ status }) => status);
  await service.stop();
  return { answers, health, lines: service.lines, spans: collector.spans };
}
