import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { executeCli } from '../cli/run-cli.ts';
import { answer, listen, startHttpServer } from './http-server.ts';
import { assertRefused, head, startRawServer, traceId, writeForever } from './raw-server.ts';

test('a slow endless body is refused', async (t) => {
  const url = await startRawServer(t, `${head}Transfer-Encoding: chunked\r\n\r\n`, (socket) => {
    const drip = setInterval(() => socket.write('1\r\n \r\n'), 5);
    socket.on('close', () => clearInterval(drip));
  });
  await assertRefused(url, /no complete answer within 300 ms \(--timeout\)/, '--timeout', '300ms');
});

test('slow endless headers are refused', async (t) => {
  const url = await startRawServer(t, 'HTTP/1.1 200 OK\r\n', (socket) => {
    const drip = setInterval(() => socket.write('X: y\r\n'), 5);
    socket.on('close', () => clearInterval(drip));
  });
  await assertRefused(url, /no complete answer within 300 ms \(--timeout\)/, '--timeout', '300ms');
});

test('fast endless headers are refused', async (t) => {
  const url = await startRawServer(t, 'HTTP/1.1 200 OK\r\n', (socket) =>
    writeForever(socket, Buffer.from(`X: ${'y'.repeat(4_000)}\r\n`)),
  );
  await assertRefused(url, /the answer's headers are larger than 16 KiB; is this (Jaeger|Tempo)'s address\?/);
});

test('damaged, repeated or unrequested compression is refused', async (t) => {
  const bytes = gzipSync('{"resourceSpans":[]}');
  const cases = [
    [bytes.subarray(0, -9), 'gzip', /gzip: ends early, as if it was cut off/],
    [Buffer.from('{}'), 'gzip', /gzip: incorrect header check/],
    [
      bytes,
      'gzip, gzip',
      /compressed with "gzip, gzip", which was not asked for; is there a proxy in between\?/,
    ],
    [bytes, 'br', /compressed with "br", which was not asked for/],
  ] as const;
  for (const [body, encoding, message] of cases) {
    const url = await startHttpServer(t, (_request, response) =>
      answer(response, 200, body, { 'content-type': 'application/json', 'content-encoding': encoding }),
    );
    await assertRefused(url, message);
  }
});

test('redirects never take credentials elsewhere, not even to the same host by another port or scheme', async (t) => {
  const seen: (string | undefined)[] = [];
  const other = await startHttpServer(t, (request, response) => {
    seen.push(request.headers.authorization);
    answer(response, 200, '{"resourceSpans":[]}');
  });
  for (const location of [
    `${other.origin}/api/v3/traces`,
    `//${other.host}/`,
    `http://user:pass@${other.host}/`,
    `https://${other.host}/`,
    'file:///etc/passwd',
    'javascript:alert(1)',
    'http://[',
    'http://\u009b31m.example/',
  ]) {
    for (const status of [301, 302, 303, 307, 308]) {
      const url = await startRawServer(
        t,
        `HTTP/1.1 ${status} Moved\r\nLocation: ${location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
        (socket) => socket.end(),
      );
      await assertRefused(url, /redirects to .+; if that is a login page, pass credentials with --header/);
    }
  }
  assert.deepEqual(seen, []);
});

test('a redirect from https to http is not followed', async (t) => {
  const seen: unknown[] = [];
  const plain = await startHttpServer(t, (request, response) => {
    seen.push(request.headers);
    answer(response, 200, '{}');
  });
  const { url, ca } = await startTlsServer(t, {}, plain.href);
  await assertRefused(url, /redirects to http:/, '--ca', ca);
  assert.deepEqual(seen, []);
});

test('certificates for other hosts and expired ones are refused', async (t) => {
  const other = await startTlsServer(t, { name: 'DNS:jaeger.example' });
  await assertRefused(
    other.url,
    /the certificate is for another host name; use a name that is in it/,
    ...['--ca', other.ca],
  );
  const old = await startTlsServer(t, { days: -1 });
  await assertRefused(old.url, /the certificate is not valid now \(CERT_HAS_EXPIRED\)/, '--ca', old.ca);
});

test('a wrong content-length and broken connections are refused', async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [`${head}Content-Length: 100\r\n\r\n{"resource`, /the answer broke off \(UND_ERR_SOCKET\); try again/],
    [`${head}Transfer-Encoding: chunked\r\n\r\nfff\r\n{"resource`, /the answer broke off \(/],
    [`${head}Content-Length: 5\r\n\r\n{"resourceSpans":[]}`, /the JSON ends early/],
    [`${head}Content-Length: -1\r\n\r\n{}`, /the answer is not HTTP\/1\.1|than its content-length/],
    [
      `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
      /the answer is not HTTP\/1\.1|than its content-length/,
    ],
    [
      `${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
      /the answer is not HTTP\/1\.1|than its content-length/,
    ],
    ['HTTP/1.1 200 OK\r\nX: a\u0000b\r\n\r\n', /the answer is not HTTP\/1\.1/],
    ['HTTP/1.1 200 O', /the connection was closed without an answer/],
    ['SSH-2.0-OpenSSH_9.9\r\n', /the answer is not HTTP\/1\.1/],
  ];
  for (const [bytes, message] of cases) {
    const url = await startRawServer(t, bytes, (socket) => socket.end());
    await assertRefused(url, message);
  }
});

test('a login page, another program, and answers that try to write to the terminal', async (t) => {
  const hostile = '\u001b]0;owned\u0007\u009b2J\u202e::error::x\n##[group]y';
  const cases = [
    [200, '<!DOCTYPE html><form>Sign in</form>', 'text/html', /answered a web page, not /],
    [200, ' \n<html>', 'application/json', /answered a web page, not /],
    [
      502,
      '<html>Bad Gateway',
      'text/html',
      /a web page with status 502, not .*behind the gateway that answered/,
    ],
    [200, 'hello', 'text/plain', /answered something that cannot be read: byte 0: no format is recognised/],
    [200, `{"${hostile}`, 'application/json', /answered something that cannot be read: byte \d+/],
    [500, hostile, 'text/plain', /\u201c\\u001b\]0;owned\\u0007\\u009b2J/],
    [401, hostile, 'text/plain', /asks for credentials \(401\)/],
    [204, '', 'text/plain', /204|empty, or nothing/],
  ] as const;
  for (const [status, body, type, message] of cases) {
    const url = await startHttpServer(t, (_request, response) =>
      answer(response, status, body, { 'content-type': type }),
    );
    await assertRefused(url, message);
  }
});

test('counters from a server that is not a Collector are refused', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'spans-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const read = (url: URL) =>
    executeCli(
      'trace',
      traceId,
      '--source',
      `jaeger=${jaeger.origin}`,
      '--collector-metrics',
      url.href,
      '--wait',
      '1ms',
    );
  const jaeger = await startHttpServer(t, (_request, response) =>
    answer(response, 404, { error: { httpCode: 404, message: 'No traces found' } }),
  );
  const endless = await startRawServer(t, 'HTTP/1.1 200 OK\r\n\r\n', (socket) =>
    writeForever(socket, Buffer.alloc(64_000, 10)),
  );
  const large = await read(endless);
  assert.match(large.stderr, /^propagation-check: collector=.*: the answer is larger than 16777216 bytes/);
  assert.equal(large.code, 2);
  const page = await startHttpServer(t, (_request, response) => answer(response, 200, '<html>\u009b'));
  const html = await read(page);
  assert.match(html.stderr, /answered a web page, not metrics; use the address of/);
  assert.equal(html.code, 2);
});

interface CertificateOptions {
  /** `IP:127.0.0.1` */
  readonly name?: string;
  readonly days?: number;
}

/** Starts a server with its own certificate; it redirects to `location` if given. */
async function startTlsServer(
  t: TestContext,
  { name = 'IP:127.0.0.1', days = 1 }: CertificateOptions,
  location?: string,
): Promise<{ readonly url: URL; readonly ca: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'tls-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [key, request, ca] = ['key.pem', 'request.pem', 'cert.pem'].map((file) => join(folder, file));
  assert.ok(key !== undefined && request !== undefined && ca !== undefined);
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key];
  openssl('req', '-new', ...curve, '-out', request, '-subj', '/CN=x', '-addext', `subjectAltName=${name}`);
  const sign = ['-signkey', key, '-days', String(days), '-copy_extensions', 'copyall', '-out', ca];
  openssl('x509', '-req', '-in', request, ...sign);
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(ca) }, (_request, response) =>
    answer(response, location === undefined ? 200 : 302, '', location === undefined ? {} : { location }),
  );
  t.after(() => server.closeAllConnections());
  return { url: await listen(t, server, 'https'), ca };
}
