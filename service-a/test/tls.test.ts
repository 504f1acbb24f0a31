import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type Credentials, issueCertificates } from 'stack-init';
import { ConfigError, readConfig } from '../src/config.ts';
import { CLIENT, collectSpans } from './support/collect-spans.ts';
import { fetchJson } from './support/fetch-json.ts';
import { startService } from './support/start-service.ts';

const hour = 3_600_000;
const spanId = 'b'.repeat(16);

for (const mode of ['auto', 'manual'] as const) {
  describe(`TLS to service B, PROPAGATION=${mode}`, () => {
    test('shows a certificate, and the trace goes on', async (t) => {
      const stack = await makeStack(t);
      using collector = await collectSpans();
      const sent = await stack.call(mode, collector.endpoint);
      assert.equal(sent.status, 200);
      assert.match(String(sent.body.traceparent_header), /^00-[0-9a-f]{32}-[0-9a-f]{16}-03$/);
      const client = collector.spans.filter(({ kind }) => kind === CLIENT);
      assert.deepEqual(
        client.map((span) => span.spanId),
        [sent.body.traceparent_parent_span_id],
      );
    });

    test('is refused with a certificate of another authority, or by a B of another one', async (t) => {
      const stack = await makeStack(t);
      const other = await issue();
      using collector = await collectSpans();
      await stack.write({ ...stack.credentials, certificate: other.certificate, key: other.key });
      const foreign = await stack.call(mode, collector.endpoint);
      assert.deepEqual([foreign.status, foreign.body.error], [502, 'service_b_unreachable']);
      await stack.write({ ...stack.credentials, authority: other.authority });
      const elsewhere = await stack.call(mode, collector.endpoint);
      assert.deepEqual([elsewhere.status, elsewhere.body.error], [502, 'service_b_unreachable']);
      assert.match(String(elsewhere.body.message), /certificate/);
    });
  });
}

test('takes all files or none', () => {
  assert.throws(
    () => readConfig({ TLS_KEY_FILE: import.meta.filename }),
    new ConfigError(
      'TLS needs all of TLS_AUTHORITY_FILE, TLS_CERTIFICATE_FILE and TLS_KEY_FILE, and some are missing; set all or none',
    ),
  );
});

/** A service B that asks for a certificate, and what service A needs to call it. */
async function makeStack(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'tls-'));
  t.after(() => rm(folder, { recursive: true }));
  const credentials = await issue();
  const { authority: ca, certificate: cert, key } = credentials;
  const serviceB = createServer({ ca, cert, key, requestCert: true }, (request, response) => {
    response.setHeader('content-type', 'application/json').end(
      JSON.stringify({
        received_traceparent: request.headers.traceparent ?? null,
        trace_id: null,
        parent_span_id: spanId,
      }),
    );
  });
  await once(serviceB.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    serviceB.close();
    serviceB.closeAllConnections();
  });
  const address = serviceB.address();
  const port = typeof address === 'object' ? address?.port : null;
  const files = { authority: 'authority.pem', certificate: 'certificate.pem', key: 'key.pem' } as const;
  const write = async (next: Credentials) => {
    for (const part of ['authority', 'certificate', 'key'] as const)
      await writeFile(join(folder, files[part]), next[part]);
  };
  await write(credentials);
  return {
    credentials,
    write,
    call: async (mode: string, collector: string) => {
      await using service = await startService({
        PROPAGATION: mode,
        SERVICE_B_URL: `https://localhost:${port}`,
        TLS_AUTHORITY_FILE: join(folder, files.authority),
        TLS_CERTIFICATE_FILE: join(folder, files.certificate),
        TLS_KEY_FILE: join(folder, files.key),
        OTEL_TRACES_EXPORTER: 'otlp',
        OTEL_EXPORTER_OTLP_ENDPOINT: collector,
      });
      const answer = await fetchJson(`${service.url}/call-b`);
      await service.stop();
      return answer;
    },
  };
}

async function issue(): Promise<Credentials> {
  const issued = await issueCertificates([{ name: 'service', usages: ['server', 'client'] }], hour);
  return issued.get('service') ?? assert.fail('no certificate');
}
