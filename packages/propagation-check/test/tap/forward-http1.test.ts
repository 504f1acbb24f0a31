import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { test } from 'node:test';
import {
  down,
  openSocket,
  portOf,
  readAll,
  readUntil,
  spanId,
  startTapTo,
  startTarget,
  traceId,
  traceparent,
} from './support.ts';

test('the target sees the head of the request as it was sent', async (t) => {
  let seen: readonly string[] = [];
  const target = await startTarget(t, (incoming, response) => {
    seen = [`${incoming.method} ${incoming.url}`, ...incoming.rawHeaders];
    response.end();
  });
  const { port } = await startTapTo(t, target.url);
  const socket = await openSocket(
    t,
    port,
    `POST /a%20b?q=1 HTTP/1.1\r\nhOST: elsewhere:1\r\nX-Dup: 1\r\ntraceparent: ${traceparent}\r\nx-dup: \xe4\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi`,
  );
  await readAll(socket);
  assert.deepEqual(seen, [
    'POST /a%20b?q=1',
    'hOST',
    'elsewhere:1',
    'X-Dup',
    '1',
    'traceparent',
    traceparent,
    'x-dup',
    '\xe4',
    'Content-Length',
    '2',
  ]);
});

test('the caller sees the head of the answer as it was sent', async (t) => {
  const answer =
    'HTTP/1.1 418 Short And Stout\r\nX-B: 1\r\nSet-Cookie: a=1\r\nx-b: 2\r\nSet-cookie: b=2\r\nContent-Length: 2\r\n';
  const server = createServer((socket) => {
    socket.once('data', () => socket.end(`${answer}\r\nhi`));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port, readRecord } = await startTapTo(t, `http://127.0.0.1:${portOf(server.address())}`);
  const socket = await openSocket(t, port, 'GET / HTTP/1.1\r\nHost: b\r\n\r\n');
  const received = await readUntil(socket, '\r\n\r\nhi');
  assert.equal(received.replace(/Connection: .*\r\n/, ''), `${answer}\r\nhi`);
  assert.equal((await readRecord()).status, 418);
});

test('the record has only the trace context of the answer', async (t) => {
  const target = await startTarget(t, (_incoming, response) => {
    response.writeHead(200, { 'set-cookie': 'secret', traceresponse: traceparent }).end();
  });
  const { url, readRecord } = await startTapTo(t, target.url);
  await (await fetch(url)).text();
  assert.deepEqual((await readRecord()).answered, {
    headers: [{ name: 'traceresponse', value: traceparent }],
    span: { traceId, spanId, sampled: true },
  });
});

test('the record of a request without an answer has none', async (t) => {
  const { url, readRecord } = await startTapTo(t, 'http://127.0.0.1:1');
  assert.equal((await fetch(url)).status, 502);
  assert.equal((await readRecord()).answered, null);
});

test('a request without a body gets none, whatever its method', async (t) => {
  let seen: readonly string[] = [];
  const target = await startTarget(t, (incoming, response) => {
    seen = incoming.rawHeaders;
    response.end();
  });
  const { port } = await startTapTo(t, target.url);
  const socket = await openSocket(t, port, 'POST / HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n');
  await readAll(socket);
  assert.deepEqual(seen, ['Host', 'b']);
});

test('chunks arrive before the end in both directions, and the head before the first chunk', async (t) => {
  const target = await startTarget(t, (incoming, response) => {
    response.flushHeaders();
    incoming.on('data', (chunk) => response.write(`got ${chunk}`));
    incoming.on('end', () => response.end('end'));
  });
  const { url } = await startTapTo(t, target.url);
  const outgoing = request(url, { method: 'POST' });
  outgoing.flushHeaders();
  const [answer]: IncomingMessage[] = await once(outgoing, 'response');
  assert.ok(answer);
  answer.setEncoding('utf8');
  for (const chunk of ['one', 'two']) {
    outgoing.write(chunk);
    assert.deepEqual(await once(answer, 'data'), [`got ${chunk}`]);
  }
  outgoing.end();
  assert.equal(await text(answer), 'end');
});

test('a caller has one connection to the target, and sees when that closes', async (t) => {
  const ports = new Set<number | undefined>();
  const target = await startTarget(t, (incoming, response) => {
    ports.add(incoming.socket.remotePort);
    response.end('ok');
  });
  const { port, readRecords } = await startTapTo(t, target.url);
  const socket = await openSocket(t, port, 'GET /1 HTTP/1.1\r\nHost: b\r\n\r\n');
  await readUntil(socket, 'ok');
  socket.write('GET /2 HTTP/1.1\r\nHost: b\r\n\r\n');
  await readUntil(socket, 'ok');
  assert.equal(ports.size, 1);
  assert.deepEqual(
    (await readRecords(2)).map(({ path }) => path),
    ['/1', '/2'],
  );
  const ended = once(socket.resume(), 'end');
  target.server.closeIdleConnections();
  await ended;
});

test('pipelined requests are answered in order', async (t) => {
  const target = await startTarget(t, (incoming, response) => response.end(`<${incoming.url}>`));
  const { port } = await startTapTo(t, target.url);
  const head = 'HTTP/1.1\r\nHost: b\r\n';
  const socket = await openSocket(
    t,
    port,
    `GET /1 ${head}\r\nGET /2 ${head}\r\nGET /3 ${head}Connection: close\r\n\r\n`,
  );
  assert.deepEqual((await readAll(socket)).match(/<.*>/g), ['</1>', '</2>', '</3>']);
});

test('large bodies arrive complete in both directions', async (t) => {
  const target = await startTarget(t, (incoming, response) => incoming.pipe(response));
  const { url } = await startTapTo(t, target.url);
  const body = randomBytes(32 * 1024 * 1024);
  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  for (const headers of [{ 'content-length': body.length }, { 'transfer-encoding': 'chunked' }]) {
    const outgoing = request(url, { method: 'PUT', headers });
    outgoing.end(body);
    const [answer]: IncomingMessage[] = await once(outgoing, 'response');
    assert.ok(answer);
    assert.equal(digest(await buffer(answer)), digest(body));
  }
});

test('a caller that does not read slows the target down, and memory does not fill', async (t) => {
  const chunk = Buffer.alloc(1024 * 1024);
  const chunks = 128;
  const written = new Map<string | undefined, number>();
  const target = await startTarget(t, (incoming, response) => {
    const body = Readable.from(
      (function* () {
        for (let count = 1; count <= chunks; count += 1) {
          written.set(incoming.url, count);
          yield chunk;
        }
      })(),
    );
    body.pipe(response);
  });
  const { port } = await startTapTo(t, target.url);
  const head = 'HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n';
  const sizeOf = async (socket: Socket) => {
    let size = 0;
    for await (const bytes of socket) size += bytes.length;
    return size;
  };
  const slow = await openSocket(t, port, `GET /slow ${head}`);
  await once(slow, 'readable');
  // By now an answer of the same size has passed completely on another connection, so the first one had time.
  assert.ok((await sizeOf(await openSocket(t, port, `GET /fast ${head}`))) > chunks * chunk.length);
  assert.equal(written.get('/fast'), chunks);
  assert.ok((written.get('/slow') ?? 0) < chunks / 2, `${written.get('/slow')} MiB left the target`);
  assert.ok((await sizeOf(slow)) > chunks * chunk.length);
});

test('the target answers Expect: 100-continue', async (t) => {
  const target = await startTarget(t, (incoming, response) => incoming.pipe(response));
  target.server.on('checkContinue', (incoming, response) => {
    if (incoming.url === '/no') {
      response.writeHead(417).end();
    } else {
      response.writeContinue();
      incoming.pipe(response);
    }
  });
  const { port } = await startTapTo(t, target.url);
  const head = 'HTTP/1.1\r\nHost: b\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n';
  const socket = await openSocket(t, port, `PUT /yes ${head}`);
  assert.match(await readUntil(socket, '\r\n\r\n'), /^HTTP\/1.1 100 Continue\r\n\r\n$/);
  socket.write('body');
  assert.match(await readUntil(socket, 'body'), /^HTTP\/1.1 200 OK/);
  const refused = await openSocket(t, port, `PUT /no ${head}`);
  assert.match(await readUntil(refused, '\r\n\r\n'), /^HTTP\/1.1 417/);
});

test('early hints come before the answer', async (t) => {
  const target = await startTarget(t, (_incoming, response) => {
    response.writeEarlyHints({ link: '</a.css>; rel=preload' }, () => response.end('ok'));
  });
  const { port } = await startTapTo(t, target.url);
  const socket = await openSocket(t, port, 'GET / HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n');
  assert.match(
    await readAll(socket),
    /^HTTP\/1.1 103 .*\r\nlink: <\/a.css>; rel=preload\r\n\r\nHTTP\/1.1 200 OK/i,
  );
});

test('HEAD, 204 and 304 have no body, and the connection stays usable', async (t) => {
  const target = await startTarget(t, (incoming, response) => {
    if (incoming.method === 'HEAD') response.writeHead(200, { 'content-length': 10 }).end();
    else if (incoming.url === '/204') response.writeHead(204).end();
    else if (incoming.url === '/304') response.writeHead(304, { etag: '"x"', 'content-length': 10 }).end();
    else response.end('<last>');
  });
  const { port } = await startTapTo(t, target.url);
  const head = 'HTTP/1.1\r\nHost: b\r\n';
  const socket = await openSocket(
    t,
    port,
    `HEAD / ${head}\r\nGET /204 ${head}\r\nGET /304 ${head}\r\nGET / ${head}Connection: close\r\n\r\n`,
  );
  const received = await readAll(socket);
  assert.deepEqual(received.match(/HTTP\/1.1 \d+/g), [
    'HTTP/1.1 200',
    'HTTP/1.1 204',
    'HTTP/1.1 304',
    'HTTP/1.1 200',
  ]);
  assert.equal(received.match(/content-length: 10/gi)?.length, 2);
  assert.ok(received.endsWith('<last>'));
});

test('trailers are forwarded in both directions', async (t) => {
  const target = await startTarget(t, async (incoming, response) => {
    await text(incoming);
    response.writeHead(200, { trailer: 'X-Back' });
    response.write('body');
    response.addTrailers([['X-Back', incoming.rawTrailers.join('=')]]);
    response.end();
  });
  const { port } = await startTapTo(t, target.url);
  const socket = await openSocket(
    t,
    port,
    'POST / HTTP/1.1\r\nHost: b\r\nTE: trailers\r\nConnection: TE, close\r\nTrailer: X-There\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-There: 1\r\n\r\n',
  );
  assert.match(await readAll(socket), /\r\n4\r\nbody\r\n0\r\nX-Back: X-There=1\r\n\r\n$/);
});

test('HTTP/1.0 callers get an answer in HTTP/1.0', async (t) => {
  const target = await startTarget(t, (_incoming, response) => {
    response.write('chunked');
    response.end(' answer');
  });
  const { port, readRecord } = await startTapTo(t, target.url);
  const socket = await openSocket(t, port, 'GET / HTTP/1.0\r\n\r\n');
  assert.match(await readAll(socket), /\r\n\r\nchunked answer$/);
  assert.equal((await readRecord()).protocolVersion, '1.0');
});

test('an abort of the caller reaches the target', async (t) => {
  const aborted = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const target = await startTarget(t, (_incoming, response) => {
    response.write('begin');
    response.once('close', () => aborted.resolve());
    arrived.resolve();
  });
  const { port, readRecord } = await startTapTo(t, target.url);
  const socket = await openSocket(
    t,
    port,
    `GET / HTTP/1.1\r\nHost: b\r\ntraceparent: ${traceparent}\r\n\r\n`,
  );
  await readUntil(socket, 'begin');
  socket.destroy();
  await aborted.promise;
  const record = await readRecord();
  assert.deepEqual([record.clientAborted, record.status, record.targetError], [true, 200, null]);
  assert.equal(record.received?.headers.length, 1);
});

test('an abort also ends pipelined requests, each with its record', async (t) => {
  const arrived = Promise.withResolvers<void>();
  const seen: (string | undefined)[] = [];
  const target = await startTarget(t, (incoming, response) => {
    seen.push(incoming.url);
    if (incoming.url === '/3') response.end();
    arrived.resolve();
  });
  const { port, url, readRecords } = await startTapTo(t, target.url);
  const head = 'HTTP/1.1\r\nHost: b\r\n\r\n';
  const socket = await openSocket(t, port, `GET /1 ${head}GET /2 ${head}`);
  await arrived.promise;
  socket.destroy();
  const records = await readRecords(2);
  assert.deepEqual(
    records.map(({ path, clientAborted, received }) => [path, clientAborted, received === null]),
    [
      ['/1', true, false],
      ['/2', true, true],
    ],
  );
  await fetch(`${url}/3`);
  assert.deepEqual(seen, ['/1', '/3']);
});

test('a target that is down gives 502 with the reason', async (t) => {
  const { url, readRecord } = await startTapTo(t, down);
  const answer = await fetch(`${url}/x`, { headers: { traceparent }, method: 'POST', body: 'hello' });
  assert.equal(answer.status, 502);
  const body: unknown = await answer.json();
  assert.ok(typeof body === 'object' && body !== null && 'error' in body && 'message' in body);
  assert.equal(body.error, 'target_unreachable');
  assert.match(String(body.message), /ECONNREFUSED/);
  const record = await readRecord();
  assert.match(record.targetError ?? '', /ECONNREFUSED/);
  assert.deepEqual([record.status, record.received, record.clientAborted], [null, null, false]);
  assert.equal(record.sent.headers.length, 1);
});

test('a target that does not answer in time gives 504', async (t) => {
  const target = await startTarget(t, () => undefined);
  const { url, readRecord } = await startTapTo(t, target.url, { timeoutMs: 500 });
  const answer = await fetch(url);
  assert.equal(answer.status, 504);
  assert.match(await answer.text(), /no answer for 500 ms/);
  const record = await readRecord();
  assert.equal(record.targetError, 'no answer for 500 ms');
  assert.notEqual(record.received, null);
});

test('when the target aborts an answer, the caller sees the abort', async (t) => {
  const target = await startTarget(t, (_incoming, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('part', () => response.destroy());
  });
  const { url, readRecord } = await startTapTo(t, target.url);
  const answer = await fetch(url);
  await assert.rejects(answer.text());
  const record = await readRecord();
  assert.deepEqual([record.status, record.clientAborted], [200, false]);
  assert.notEqual(record.targetError, null);
});

for (const nonsense of [
  'nonsense\r\n\r\n',
  'HTTP/1.1 099 Low\r\n\r\n',
  'HTTP/1.1 200 \x01\r\n\r\n',
  `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(70_000)}\r\n\r\n`,
]) {
  test(`${JSON.stringify(nonsense.slice(0, 30))} from the target gives 502`, async (t) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(nonsense));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const { url, readRecord } = await startTapTo(t, `http://127.0.0.1:${portOf(server.address())}`);
    assert.equal((await fetch(url)).status, 502);
    assert.notEqual((await readRecord()).targetError, null);
  });
}

test('an answer before the end of the upload arrives, and the connection stays usable', async (t) => {
  const target = await startTarget(t, (incoming, response) => {
    if (incoming.url === '/early') response.writeHead(413, { 'content-length': 5 }).end('large');
    else response.end('next');
  });
  const { url, readRecords } = await startTapTo(t, target.url);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const upload = request(`${url}/early`, { method: 'POST', agent, headers: { 'content-length': 3_000_000 } });
  upload.write(Buffer.alloc(1_000_000));
  const [early]: IncomingMessage[] = await once(upload, 'response');
  assert.ok(early);
  assert.equal(await text(early), 'large');
  upload.end(Buffer.alloc(2_000_000));
  const next = request(`${url}/next`, { agent });
  next.end();
  const [answer]: IncomingMessage[] = await once(next, 'response');
  assert.ok(answer);
  assert.equal(await text(answer), 'next');
  assert.deepEqual(
    (await readRecords(2)).map(({ status, targetError }) => [status, targetError]),
    [
      [413, null],
      [200, null],
    ],
  );
});

const malformed: Readonly<Record<string, readonly [string, RegExp]>> = {
  'no HTTP at all': ['hello\r\n\r\n', /^HTTP\/1.1 400/],
  'a TLS hello': ['\x16\x03\x01\x02\x00\x01', /^HTTP\/1.1 400/],
  'both framings': [
    'POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    /^HTTP\/1.1 400/,
  ],
  'a header name with a space': ['GET / HTTP/1.1\r\nHost : b\r\n\r\n', /^HTTP\/1.1 400/],
  'a NUL in a value': ['GET / HTTP/1.1\r\nHost: b\r\ntraceparent: \0\r\n\r\n', /^HTTP\/1.1 400/],
  'too many header bytes': [
    `GET / HTTP/1.1\r\nHost: b\r\nx: ${'x'.repeat(70_000)}\r\n\r\n`,
    /^HTTP\/1.1 431/,
  ],
  'a broken HTTP/2 preface': ['PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n', /^HTTP\/1.1 400/],
  CONNECT: ['CONNECT b:443 HTTP/1.1\r\nHost: b\r\n\r\n', /^HTTP\/1.1 501/],
};

for (const [name, [bytes, answer]] of Object.entries(malformed)) {
  test(`malformed: ${name} does not reach the target`, async (t) => {
    let requests = 0;
    const target = await startTarget(t, (_incoming, response) => {
      requests += 1;
      response.end();
    });
    const { port, url } = await startTapTo(t, target.url);
    const socket = await openSocket(t, port, bytes);
    assert.match(await readAll(socket), answer);
    assert.equal(requests, 0);
    assert.equal((await fetch(url)).status, 200);
  });
}

test('a header section up to the limit is forwarded, also with many headers', async (t) => {
  let count = 0;
  const target = await startTarget(t, (incoming, response) => {
    count = incoming.rawHeaders.length / 2;
    response.writeHead(200, incoming.rawHeaders.slice(2));
    response.end();
  });
  target.server.maxHeadersCount = 0;
  const { port } = await startTapTo(t, target.url);
  const fields = Array.from({ length: 1100 }, (_, index) => `x${index}: 1\r\n`).join('');
  const socket = await openSocket(t, port, `GET / HTTP/1.1\r\nHost: b\r\n${fields}Connection: close\r\n\r\n`);
  assert.equal((await readAll(socket)).match(/^x\d+: 1$/gm)?.length, 1100);
  assert.equal(count, 1101);
});
