import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { listen } from 'service-kit/testing';
import { buildApp } from '../src/app.ts';
import { readConfig } from '../src/config.ts';

const spanId = 'b7ad6b7169203331';
const traceparent = `00-0af7651916cd43dd8448eb211c80319c-${spanId}-01`;

const seenUrls: (string | undefined)[] = [];
const serviceB = await listen((request, response) => {
  seenUrls.push(request.url);
  response.setHeader('content-type', 'application/json; charset=utf-8').end(
    JSON.stringify({
      received_traceparent: traceparent,
      trace_id: 'b',
      parent_span_id: spanId,
      more: true,
    }),
  );
});

const app = buildApp(readConfig({ SERVICE_B_URL: `${serviceB.url}/below/`, LOG_LEVEL: 'silent' }));
after(async () => {
  await app.close();
  serviceB[Symbol.dispose]();
});

test('compares the ids that both services saw, with and without telemetry', async () => {
  const response = await app.inject('/call-b');
  assert.equal(response.statusCode, 200);
  assert.deepEqual(response.json(), {
    same_trace: false,
    service_a_trace_id: null,
    service_b_trace_id: 'b',
    traceparent_header: traceparent,
    traceparent_parent_span_id: spanId,
    service_b_parent_span_id: spanId,
    parent_matches_traceparent: true,
  });
  assert.deepEqual(seenUrls, ['/below/work']);
});

test('is healthy', async () => {
  const response = await app.inject('/healthz');
  assert.deepEqual([response.statusCode, response.json()], [200, { status: 'ok' }]);
});

test('answers 404 for routes that it does not have', async () => {
  assert.equal((await app.inject('/nope')).statusCode, 404);
});

test('has defaults, and refuses an invalid timeout or URL', () => {
  const { name, port, trustIncoming, serviceBUrl, serviceBTimeoutMillis } = readConfig({});
  assert.deepEqual(
    [name, port, trustIncoming, serviceBUrl.href, serviceBTimeoutMillis],
    ['service-a', 8081, 'never', 'http://localhost:8082/', 2_000],
  );
  assert.throws(() => readConfig({ SERVICE_B_TIMEOUT_MS: '2s' }), { name: 'ConfigError' });
  assert.throws(() => readConfig({ SERVICE_B_URL: 'service-b:8082' }), { name: 'ConfigError' });
});
