import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import { test } from 'node:test';
import {
  CLIENT,
  collectSpans,
  ERROR,
  fetchJson,
  issue,
  issueTlsFiles,
  startService,
} from 'service-kit/testing';

const spanId = 'b'.repeat(16);

test('over TLS the trace continues in a service B that requires a certificate, and in no other', async (t) => {
  await using tls = await issueTlsFiles();
  const { authority: ca, certificate: cert, key } = tls.credentials;
  const serviceB = createServer({ ca, cert, key, requestCert: true }, (request, response) => {
    // Closes the connection, so that the next call needs a new handshake.
    response
      .setHeader('connection', 'close')
      .setHeader('content-type', 'application/json')
      .end(
        JSON.stringify({
          received_traceparent: request.headers.traceparent ?? null,
          trace_id: null,
          parent_span_id: spanId,
        }),
      );
  });
  t.after(() => serviceB.close());
  await once(serviceB.listen(0, '127.0.0.1'), 'listening');
  const address = serviceB.address();
  assert.ok(typeof address === 'object' && address !== null);
  using collector = await collectSpans();
  await using service = await startService('service-a', {
    ...tls.env,
    SERVICE_B_URL: `https://localhost:${address.port}`,
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
  });

  const { status, body } = await fetchJson(`${service.url}/call-b`);
  assert.equal(status, 200);
  await tls.write(await issue());
  const refused = await fetchJson(`${service.url}/call-b`);
  assert.deepEqual([refused.status, refused.body.error], [502, 'service_b_unreachable']);
  assert.match(String(refused.body.message), /certificate/);

  await service.stop();
  const sent = collector.spans.filter(({ kind, status }) => kind === CLIENT && status.code !== ERROR);
  assert.deepEqual(
    sent.map((span) => `00-${span.traceId}-${span.spanId}-03`),
    [body.traceparent_header],
  );
});
