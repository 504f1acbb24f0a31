import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { type OtlpReceiverOptions, startOtlpReceiver } from '../../src/source/otlp-receiver.ts';
import { otlpRequest, otlpSpan } from '../decode/fixture.ts';

/** Fixed, so that every run tries the same inputs. A failure prints its own seed and path, which are then added here. */
const seed = 20261124;

const oneSpan = JSON.stringify(otlpRequest(otlpSpan()));
const json = 'application/json';
const protobuf = 'application/x-protobuf';

async function start(t: TestContext, options: OtlpReceiverOptions = {}) {
  const receiver = await startOtlpReceiver({ port: 0, ...options });
  t.after(() => receiver.close());
  const post = (body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${receiver.url}/v1/traces`, {
      method: 'POST',
      body: new Uint8Array(Buffer.from(body)),
      headers: { 'content-type': json, ...headers },
    });
  return { receiver, post };
}

/** Opens a connection and sends these bytes; `closed` resolves with everything received until it is closed. */
async function open(t: TestContext, url: string, bytes: string) {
  const socket: Socket = connect(Number(new URL(url).port), '127.0.0.1');
  let received = '';
  const closed = new Promise<string>((resolve) => {
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(received));
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
    });
  });
  t.after(() => socket.destroy());
  await Promise.race([once(socket, 'connect'), closed]);
  socket.write(bytes, 'latin1');
  return { socket, closed };
}

/** Reads a `google.rpc.Status` in the encoding of its content type. */
async function readStatus(response: Response): Promise<{ readonly code: number; readonly message: string }> {
  if (response.headers.get('content-type') === json) {
    const status: unknown = await response.json();
    assert.ok(typeof status === 'object' && status !== null && 'code' in status && 'message' in status);
    return { code: Number(status.code), message: String(status.message) };
  }
  assert.equal(response.headers.get('content-type'), protobuf);
  const reader = new BinaryReader(new Uint8Array(await response.arrayBuffer()));
  reader.tag();
  const code = reader.int32();
  reader.tag();
  return { code, message: reader.string() };
}

test('it listens where only this machine can reach it, unless it is told otherwise', async (t) => {
  const { receiver } = await start(t);
  assert.equal(new URL(receiver.url).hostname, '127.0.0.1');
});

test('zip bombs are refused in the encoding of the request, many at one time too, and nothing is kept', async (t) => {
  const { receiver, post } = await start(t);
  const bomb = gzipSync(Buffer.alloc(80 * 1024 * 1024, 32), { level: 9 });
  assert.ok(bomb.length < 100_000);
  const before = process.memoryUsage().rss;
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 5);
  t.after(() => clearInterval(watch));
  const types = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? json : protobuf));
  const answers = await Promise.all(
    types.map((type) => post(bomb, { 'content-type': type, 'content-encoding': 'gzip' })),
  );
  for (const [index, response] of answers.entries()) {
    assert.equal(response.status, 413);
    assert.equal(response.headers.get('content-type'), types[index]);
    assert.deepEqual(await readStatus(response), {
      code: 8,
      message: 'gzip: uncompressed data is larger than 67108864 bytes',
    });
  }
  const grown = Math.round((peak - before) / 1024 / 1024);
  t.diagnostic(`20 bombs of 80 MiB at one time: all refused with 413, memory grew by ${grown} MiB at most`);
  assert.ok(grown < 600, 'one after the other: all at one time would be 1,280 MiB');
  assert.equal(receiver.revision, 0);
  assert.equal((await post(oneSpan)).status, 200);
});

test('concurrent bodies share a bounded memory, and a client whose body does not fit may retry', async (t) => {
  const { receiver, post } = await start(t, { maxBodyBytes: 10_000 });
  const head = `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: ${json}\r\nContent-Length: 9000\r\n\r\n`;
  const slow = await open(t, receiver.url, `${head}${' '.repeat(8_000)}`);
  let refused = await post(oneSpan.padEnd(5_000));
  // Repeats until the first part of the slow body has been read.
  while (refused.status === 200) refused = await post(oneSpan.padEnd(5_000));
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '1']);
  assert.deepEqual(await readStatus(refused), {
    code: 14,
    message: 'too many requests at one time; try again',
  });
  slow.socket.destroy();
  await slow.closed;
  while ((await post(oneSpan.padEnd(5_000))).status !== 200);
  assert.ok(receiver.revision > 0);
});

test('connections beyond the limit are closed, and the others stay open', async (t) => {
  const { receiver, post } = await start(t, { maxConnections: 20 });
  assert.equal((await post(oneSpan)).status, 200, 'this connection stays open');
  const clients = await Promise.all(
    Array.from({ length: 100 }, () => open(t, receiver.url, 'POST /v1/traces ')),
  );
  const closed = await Promise.all(clients.slice(20).map((client) => client.closed));
  assert.equal(closed.length, 80);
  assert.equal((await post(oneSpan)).status, 200);
  t.diagnostic(
    '100 connections for 20 places: at least 80 closed at once, the exporter that was there goes on',
  );
});

test('closing lets a pending request finish', async (t) => {
  const { receiver } = await start(t);
  const head = `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: ${json}\r\n`;
  const length = `Content-Length: ${Buffer.byteLength(oneSpan)}\r\nExpect: 100-continue\r\n\r\n`;
  const client = await open(t, receiver.url, `${head}${length}`);
  await once(client.socket, 'data');
  const closing = receiver.close();
  client.socket.write(oneSpan);
  assert.match(await client.closed, /HTTP\/1\.1 200 OK/);
  await closing;
  assert.equal(receiver.readAll().length, 1);
});

test('requests that no exporter sends are refused', async (t) => {
  const { receiver, post } = await start(t);
  const cases = [
    ['POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
    [`POST /v1/traces HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['PUT /v1/traces HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 405],
    [
      'OPTIONS /v1/traces HTTP/1.1\r\nHost: x\r\nOrigin: http://evil.example\r\nConnection: close\r\n\r\n',
      405,
    ],
    ['POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n', 415],
    [
      'POST http://evil.example/v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
      404,
    ],
    ['CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n', null],
    ['PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n', 400],
    [`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${'no frame'.repeat(9)}`, null],
    ['\u0016\u0003\u0001\u0002\u0000', 400],
  ] as const;
  for (const [bytes, status] of cases) {
    const { closed } = await open(t, receiver.url, bytes);
    const [, answered = null] = /^HTTP\/1\.1 (\d{3})/.exec(await closed) ?? [];
    assert.equal(answered === null ? null : Number(answered), status, JSON.stringify(bytes.slice(0, 60)));
  }
  for (const body of ['['.repeat(5_000_000), `{"resourceSpans":${'[{"scopeSpans":'.repeat(200_000)}`]) {
    assert.equal((await post(body)).status, 400);
  }
  const deep = `{"arrayValue":{"values":[`.repeat(100_000) + ']}}'.repeat(100_000);
  const attributes = `[{"key":"a","value":${deep}}]`;
  assert.equal((await post(`{"resourceSpans":[{"resource":{"attributes":${attributes}}}]}`)).status, 400);
  // Field 1, length-delimited, nested in itself.
  let nested = Buffer.alloc(0);
  while (nested.length < 60_000) {
    const length = Buffer.from([
      (nested.length & 0x7f) | 0x80,
      ((nested.length >> 7) & 0x7f) | 0x80,
      nested.length >> 14,
    ]);
    nested = Buffer.concat([Buffer.from([0x0a]), length, nested]);
  }
  assert.equal((await post(nested, { 'content-type': protobuf })).status, 400);
  assert.equal(receiver.revision, 0);
  assert.equal((await post(oneSpan)).status, 200);
});

test('the receiver survives HTTP/2 frames that no client sends, in any order', async (t) => {
  const { receiver, post } = await start(t);
  const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
  const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
  const frame = fc
    .record({
      type: fc.nat(12),
      flags: fc.nat(255),
      stream: fc.nat(9),
      payload: fc.uint8Array({ maxLength: 40 }),
    })
    .map(({ type, flags, stream, payload }) =>
      Buffer.concat([Buffer.from([0, 0, payload.length, type, flags, 0, 0, 0, stream]), payload]),
    );
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { maxLength: 8 }), async (frames) => {
      const bytes = Buffer.concat([settings, ...frames]).toString('latin1');
      const { socket, closed } = await open(t, receiver.url, preface + bytes);
      socket.end();
      await closed;
    }),
    { seed, numRuns: 300 },
  );
  assert.equal((await post(oneSpan)).status, 200);
  assert.equal(receiver.revision, 1);
});
