import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type CollectorAccess, createAccessOptions, explainRefusal } from '../src/collector-access.ts';
import { ConfigError, readConfig } from '../src/config.ts';
import { fetchJson } from './support/fetch-json.ts';
import { listen } from './support/listen.ts';
import { startService } from './support/start-service.ts';

const none: CollectorAccess = { tokenFile: null, authorityFile: null, certificateFile: null, keyFile: null };

describe('the token', () => {
  test('is read anew for each export', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'access-'));
    t.after(() => rm(folder, { recursive: true }));
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, 'first\n');
    const { headers } = createAccessOptions({ ...none, tokenFile });
    assert.deepEqual(await headers(), { authorization: 'Bearer first' });
    await writeFile(tokenFile, 'second');
    assert.deepEqual(await headers(), { authorization: 'Bearer second' });
  });

  test('is not sent where there is none', async () => {
    assert.deepEqual(await createAccessOptions(none).headers(), {});
  });

  for (const [what, content] of [
    ['empty', ' \n'],
    ['two lines', 'one\ntwo'],
  ] as const) {
    test(`that is ${what} is said, not sent`, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'access-'));
      t.after(() => rm(folder, { recursive: true }));
      const tokenFile = join(folder, 'token');
      await writeFile(tokenFile, content);
      await assert.rejects(createAccessOptions({ ...none, tokenFile }).headers(), {
        message: `OTLP_TOKEN_FILE=${tokenFile} holds no token; put one line without spaces into it`,
      });
    });
  }

  test('goes with the spans', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'access-'));
    t.after(() => rm(folder, { recursive: true }));
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, 'right');
    const seen: unknown[] = [];
    using collector = await listen((request, response) => {
      seen.push(request.headers.authorization);
      request.resume();
      response.setHeader('content-type', 'application/json').end('{}');
    });
    await using service = await startService({
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTLP_TOKEN_FILE: tokenFile,
    });
    await fetchJson(`${service.url}/work`);
    await service.stop();
    assert.deepEqual([...new Set(seen)], ['Bearer right']);
  });
});

test('a file that cannot be read is refused at the start', () => {
  for (const name of [
    'OTLP_TOKEN_FILE',
    'OTEL_EXPORTER_OTLP_CERTIFICATE',
    'OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE',
    'OTEL_EXPORTER_OTLP_CLIENT_KEY',
  ]) {
    assert.throws(
      () => readConfig({ [name]: '/no/such/file' }),
      new ConfigError(
        `${name}="/no/such/file" is not valid; allowed: the path of a file that this service can read`,
      ),
    );
  }
});

describe('a refusal', () => {
  const access = { tokenFile: '/t', authorityFile: '/a', certificateFile: '/c', keyFile: '/k' };

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
    test(`with ${code} says what to do`, () => assert.match(explainRefusal(code, message, of) ?? '', said));
  }

  for (const code of ['400', '413', '503', 'ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EPROTO']) {
    test(`with ${code} is of another kind`, () => assert.equal(explainRefusal(code, 'x', access), null));
  }
});
