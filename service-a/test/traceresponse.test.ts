import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectSpans } from './support/collect-spans.ts';
import { listen } from './support/listen.ts';
import { startService } from './support/start-service.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const callerSpanId = 'b7ad6b7169203331';

for (const mode of ['auto', 'manual'] as const) {
  for (const sampled of ['00', '01']) {
    test(`PROPAGATION=${mode}: an error too is answered with its SERVER span and the flag ${sampled}`, async () => {
      using collector = await collectSpans();
      using serviceB = await listen((request) => request.socket.destroy());
      await using service = await startService({
        PROPAGATION: mode,
        OTEL_TRACES_EXPORTER: 'otlp',
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
        SERVICE_B_URL: serviceB.url,
        TRUST_INCOMING: 'always',
      });
      const headers = { traceparent: `00-${traceId}-${callerSpanId}-${sampled}` };
      const response = await fetch(`${service.url}/call-b`, { headers });
      assert.equal(response.status, 502);
      const [, spanId, flags] =
        /^00-0af7651916cd43dd8448eb211c80319c-([0-9a-f]{16})-(..)$/.exec(
          response.headers.get('traceresponse') ?? '',
        ) ?? [];
      assert.equal(flags, sampled);
      assert.notEqual(spanId, callerSpanId);
      const health = await fetch(`${service.url}/healthz`, { headers });
      assert.equal(health.headers.get('traceresponse'), null);
    });
  }
}

for (const mode of ['auto', 'manual'] as const) {
  test(`PROPAGATION=${mode}: a caller from outside is not told, whatever it asks for`, async () => {
    using serviceB = await listen((request) => request.socket.destroy());
    await using service = await startService({ PROPAGATION: mode, SERVICE_B_URL: serviceB.url });
    for (const [path, status] of [
      ['/call-b', 502],
      ['/nothing', 404],
      ['/healthz', 200],
    ] as const) {
      const response = await fetch(`${service.url}${path}`, {
        headers: { traceparent: `00-${traceId}-${callerSpanId}-01` },
      });
      assert.deepEqual([response.status, response.headers.get('traceresponse')], [status, null]);
    }
  });
}
