import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { readCredentials } from '../src/credentials.ts';
import { DurableExporter } from '../src/index.ts';
import { answerWith, startReceiver } from './start-receiver.ts';
import { exportSpans, listen, makeFolder, waitUntil } from './support.ts';

const none = {};

describe('the token', () => {
  test('is read again for each export', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'access-'));
    t.after(() => rm(folder, { recursive: true }));
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, 'first\n');
    const { headers } = readCredentials({ OTLP_TOKEN_FILE: tokenFile });
    assert.deepEqual(await headers(), { authorization: 'Bearer first' });
    await writeFile(tokenFile, 'second');
    assert.deepEqual(await headers(), { authorization: 'Bearer second' });
  });

  test('is not sent where there is none', async () => {
    assert.deepEqual(await readCredentials(none).headers(), {});
  });

  for (const [what, content] of [
    ['empty', ' \n'],
    ['two lines', 'one\ntwo'],
  ] as const) {
    test(`that is ${what} gives an error, and is not sent`, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'access-'));
      t.after(() => rm(folder, { recursive: true }));
      const tokenFile = join(folder, 'token');
      await writeFile(tokenFile, content);
      await assert.rejects(readCredentials({ OTLP_TOKEN_FILE: tokenFile }).headers(), {
        message: `OTLP_TOKEN_FILE=${tokenFile} holds no token; put one line without spaces into it`,
      });
    });
  }

  test('are used for the export', async (t) => {
    await using folder = await makeFolder();
    const tokenFile = join(folder.path, 'token');
    await writeFile(tokenFile, 'right');
    await using receiver = await startReceiver();
    const exporter = new DurableExporter(
      new OTLPTraceExporter({
        url: `${receiver.url}/v1/traces`,
        ...readCredentials({ OTLP_TOKEN_FILE: tokenFile }),
      }),
    );
    t.after(() => exporter.shutdown());
    exportSpans(exporter, 'span');
    await exporter.forceFlush();
    assert.deepEqual(
      receiver.received.map(({ headers }) => headers.authorization),
      ['Bearer right'],
    );
  });
});

test('the error on a refused token names the file from which the exporter has it', async (t) => {
  const said = listen();
  await using folder = await makeFolder();
  const tokenFile = join(folder.path, 'token');
  await writeFile(tokenFile, 'wrong');
  await using receiver = await startReceiver(answerWith(401));
  const { explain, ...credentials } = readCredentials({ OTLP_TOKEN_FILE: tokenFile });
  const exporter = new DurableExporter(
    new OTLPTraceExporter({ url: `${receiver.url}/v1/traces`, ...credentials }),
    { explain, shutdownTimeoutMillis: 0 },
  );
  t.after(() => exporter.shutdown());
  exportSpans(exporter, 'span');
  await waitUntil(() => said.some((line) => line.includes(`OTLP_TOKEN_FILE=${tokenFile}`)));
});

describe('a refusal', () => {
  const access = {
    OTLP_TOKEN_FILE: '/t',
    OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: '/a',
    OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: '/c',
    OTEL_EXPORTER_OTLP_CLIENT_KEY: '/k',
  };

  for (const [code, message, of, said] of [
    ['401', '', access, /does not accept the token \(401\); put the Collector's into OTLP_TOKEN_FILE=\/t$/],
    ['401', '', none, /asks for a token \(401\); set OTLP_TOKEN_FILE/],
    ['403', '', none, /asks for a token \(403\)/],
    ['400', 'Client sent an HTTP request to an HTTPS server.', none, /speaks only TLS; use https:/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', '', access, /speaks no TLS; use http:/],
    [
      'EPROTO',
      'write EPROTO 40F:error:0A00010B:SSL routines::wrong version number:a.c:78:\n',
      access,
      /speaks no TLS/,
    ],
    [
      'EPROTO',
      'write EPROTO 40F:error:0A000418:SSL routines::tlsv1 alert unknown ca:a.c:9:\n',
      access,
      /\(EPROTO\); renew/,
    ],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', '', access, /renew OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=\/c$/],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', '', none, /set OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and/],
    ['ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED', '', access, /does not accept this service's certificate/],
    [
      'CERT_HAS_EXPIRED',
      'certificate has expired',
      access,
      /not accepted \(certificate has expired\); renew it/,
    ],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unable', none, /its authority with OTEL_EXPORTER_OTLP_CERTIFICATE$/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'not in the list', access, /not accepted \(not in the list\)/],
  ] as const) {
    test(`with ${code} gives advice`, () =>
      assert.match(readCredentials(of).explain(code, message) ?? '', said));
  }

  for (const code of ['400', '413', '503', 'ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EPROTO']) {
    test(`with ${code} gives no advice`, () =>
      assert.equal(readCredentials(access).explain(code, 'x'), null));
  }
});
