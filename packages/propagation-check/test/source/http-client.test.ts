import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createHttpClient, type HttpClientOptions } from '../../src/source/http-client.ts';
import { findFreePort } from '../free-ports.ts';
import { answer, listen, startHttpServer, targetOf } from './http-server.ts';

async function ask(test: TestContext, url: URL, options: HttpClientOptions = {}, signal?: AbortSignal) {
  const client = await createHttpClient('jaeger', url, { timeoutMs: 5_000, ...options });
  test.after(() => client.close());
  return client.get('api/x', new URLSearchParams({ a: 'b c' }), 'application/json', signal);
}

const text = (body: Uint8Array) => Buffer.from(body).toString();

test('base path, query, headers and accept are sent, and the answer is returned unchanged', async (t) => {
  const url = await startHttpServer(t, (request, response) => {
    const { pathname, search } = targetOf(request);
    const { accept, authorization } = request.headers;
    answer(response, 418, { pathname, search, accept, authorization });
  });
  const options = { headers: { authorization: 'Bearer t' } };
  for (const base of ['/base', '/base/']) {
    const result = await ask(t, new URL(base, url), options);
    assert.equal(result.status, 418);
    assert.equal(result.contentType, 'application/json');
    assert.deepEqual(JSON.parse(text(result.body)), {
      ...{ pathname: '/base/api/x', search: '?a=b+c', accept: 'application/json', authorization: 'Bearer t' },
    });
  }
});

test('gzip answers are uncompressed, within a limit', async (t) => {
  const body = gzipSync('x'.repeat(5_000));
  const url = await startHttpServer(t, (_request, response) =>
    answer(response, 200, body, { 'content-encoding': 'gzip' }),
  );
  assert.equal((await ask(t, url)).body.length, 5_000);
  await assert.rejects(ask(t, url, { maxResponseBytes: 1_000 }), {
    name: 'SourceError',
    message: `jaeger=${url.origin}: gzip: uncompressed data is larger than 1000 bytes`,
  });
});

test('an answer that is too large is not read to its end', async (t) => {
  const url = await startHttpServer(t, (_request, response) => {
    response.on('error', () => {});
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(64_000)));
    };
    response.on('drain', more);
    more();
  });
  await assert.rejects(ask(t, url, { maxResponseBytes: 100_000 }), {
    message: `jaeger=${url.origin}: the answer is larger than 100000 bytes; narrow the search`,
  });
});

test('a request is retried after 429 and 503, as often as allowed', async (t) => {
  const statuses = [503, 429, 200];
  const url = await startHttpServer(t, (_request, response) =>
    answer(response, statuses.shift() ?? 503, 'busy', { 'retry-after': '0' }),
  );
  assert.equal((await ask(t, url)).status, 200);
  await assert.rejects(ask(t, url, { attempts: 2 }), {
    name: 'SourceError',
    message: `jaeger=${url.origin}: is not available (503) after 2 attempts: “busy”`,
  });
});

test('retries end without Retry-After and with a date in it', async (t) => {
  const retryAfter = [undefined, new Date(0).toUTCString(), 'nonsense'];
  const url = await startHttpServer(t, (_request, response) => {
    const value = retryAfter.shift();
    answer(
      response,
      retryAfter.length > 0 ? 429 : 200,
      '',
      value === undefined ? {} : { 'retry-after': value },
    );
  });
  assert.equal((await ask(t, url)).status, 200);
});

test('waiting for another attempt can be aborted', async (t) => {
  const abort = new AbortController();
  const url = await startHttpServer(t, (_request, response) => {
    answer(response, 503, '', { 'retry-after': '3600' });
    response.on('close', () => setImmediate(() => abort.abort(new Error('enough'))));
  });
  await assert.rejects(ask(t, url, {}, abort.signal), { message: 'enough' });
});

test('redirects are followed within the origin only', async (t) => {
  const seen: (string | undefined)[] = [];
  const other = await startHttpServer(t, (request, response) => {
    seen.push(request.headers.authorization);
    answer(response, 200, '');
  });
  const url = await startHttpServer(t, (request, response) => {
    const { pathname } = targetOf(request);
    const location = {
      '/api/x': '/moved',
      '/out/api/x': `${other.origin}/login`,
      '/loop/api/x': '/loop/api/x',
    }[pathname];
    if (location === undefined) answer(response, 200, 'here');
    else answer(response, 302, '', { location });
  });
  assert.equal(text((await ask(t, url)).body), 'here');
  await assert.rejects(ask(t, new URL('/out', url), { headers: { authorization: 'secret' } }), {
    name: 'SourceError',
    message: new RegExp(
      `redirects to ${other.origin}; if that is a login page, pass credentials with --header`,
    ),
  });
  await assert.rejects(ask(t, new URL('/loop', url)), { message: /more than 3 redirects$/ });
  assert.deepEqual(seen, []);
});

test('401 and 403 say that credentials are missing, and show no control characters of the answer', async (t) => {
  const url = await startHttpServer(t, (request, response) =>
    answer(response, targetOf(request).pathname.startsWith('/no') ? 403 : 401, 'no \u001b[31morg id\n'),
  );
  await assert.rejects(ask(t, url), {
    name: 'SourceError',
    message: `jaeger=${url.origin}: asks for credentials (401): “no \\u001b[31morg id”; pass credentials with --header, for instance --header "Authorization: Bearer …"`,
  });
  await assert.rejects(ask(t, new URL('/no', url)), { message: /refuses access \(403\).*--header/ });
});

test('a port without a listener is an error with advice', async (t) => {
  const gone = new URL(`http://127.0.0.1:${await findFreePort()}/`);
  await assert.rejects(ask(t, gone), {
    name: 'SourceError',
    message: `jaeger=${gone.origin}: connection refused; is Jaeger running there, and is this its query port (16686)?`,
  });
});

test('an unknown host is an error', async (t) => {
  await assert.rejects(ask(t, new URL('http://nowhere.invalid:1')), {
    message: /the host name is not known/,
  });
});

test('a port that closes, does not speak HTTP or never answers is an error', async (t) => {
  const hangUp = await listen(
    t,
    createTcpServer((socket) => socket.destroy()),
    'http',
  );
  await assert.rejects(ask(t, hangUp), { message: /closed without an answer; is this Jaeger's HTTP port/ });
  const grpc = createTcpServer((socket) =>
    socket.on('error', () => {}).end(Buffer.from([0, 0, 6, 4, 0, 0, 0, 0, 0])),
  );
  await assert.rejects(ask(t, await listen(t, grpc, 'http')), { message: /the answer is not HTTP\/1\.1/ });
  const silent = await startHttpServer(t, () => {});
  await assert.rejects(ask(t, silent, { timeoutMs: 50 }), {
    message: `jaeger=${silent.origin}: no complete answer within 50 ms (--timeout)`,
  });
  const stalled = await startHttpServer(t, (_request, response) => response.writeHead(200).write('half'));
  await assert.rejects(ask(t, stalled, { timeoutMs: 50 }), { message: /no complete answer within 50 ms/ });
});

test("an aborted request rejects with the signal's reason", async (t) => {
  const abort = new AbortController();
  const url = await startHttpServer(t, () => abort.abort(new Error('enough')));
  await assert.rejects(ask(t, url, {}, abort.signal), { message: 'enough' });
});

test("TLS needs a private authority's file, and plain HTTP is recognised", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tls-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', cert, ...subject], {
    stdio: 'pipe',
  });
  const tlsOptions = { key: readFileSync(key), cert: readFileSync(cert) };
  const server = createTlsServer(tlsOptions, (_request, response) => answer(response, 200, 'secure'));
  t.after(() => server.closeAllConnections());
  const url = await listen(t, server, 'https');
  assert.equal(text((await ask(t, url, { caFile: cert })).body), 'secure');
  await assert.rejects(ask(t, url), {
    message: /the certificate is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\); .*--ca/,
  });
  const plain = await startHttpServer(t, (_request, response) => answer(response, 200, ''));
  await assert.rejects(ask(t, new URL(`https://${plain.host}`)), {
    message: /does not speak TLS; use http:/,
  });
  await assert.rejects(ask(t, url, { caFile: join(folder, 'none') }), {
    message: /the CA file is not a readable PEM/,
  });
  writeFileSync(key, 'not a certificate');
  await assert.rejects(ask(t, url, { caFile: key }), { message: /the CA file is not a readable PEM/ });
});
