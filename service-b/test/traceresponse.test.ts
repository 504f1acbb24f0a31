import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectSpans } from './support/collect-spans.ts';
import { startService } from './support/start-service.ts';

const ids = '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331';

for (const mode of ['auto', 'manual'] as const) {
  for (const sampled of ['00', '01']) {
    test(`PROPAGATION=${mode}: answers with its SERVER span and the flag ${sampled}`, async () => {
      using collector = await collectSpans();
      await using service = await startService({
        PROPAGATION: mode,
        OTEL_TRACES_EXPORTER: 'otlp',
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
      });
      const headers = { traceparent: `00-${ids}-${sampled}` };
      const response = await fetch(`${service.url}/work`, { headers });
      const answer = response.headers.get('traceresponse') ?? '';
      const [version, traceId, spanId, flags] = answer.split('-');
      assert.deepEqual([version, flags], ['00', sampled]);
      assert.ok(!ids.includes(spanId ?? ''));
      const body: unknown = await response.json();
      assert.partialDeepStrictEqual(body, { trace_id: traceId, span_id: spanId });
      const health = await fetch(`${service.url}/healthz`, { headers });
      assert.equal(health.headers.get('traceresponse'), null);
    });
  }
}

test('answers without the header where nothing is instrumented', async () => {
  await using service = await startService({ FAULT: 'late-initialisation' });
  const response = await fetch(`${service.url}/work`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('traceresponse'), null);
});

test('a caller that is not service A is not told', async () => {
  await using service = await startService({ TRUST_INCOMING: '192.0.2.1' });
  const response = await fetch(`${service.url}/work`, { headers: { traceparent: `00-${ids}-01` } });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('traceresponse'), null);
});
