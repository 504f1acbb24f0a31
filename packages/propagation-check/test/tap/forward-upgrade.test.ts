import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { down, openSocket, readAll, readUntil, startTapTo, startTarget, traceparent } from './support.ts';

/** Source: RFC 6455, section 1.3. */
const webSocketGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Answers the handshake and echoes the first short text message (RFC 6455, section 5.2) unmasked, then closes. */
function acceptWebSocket(key: string | undefined, socket: Duplex): void {
  const accept = createHash('sha1').update(`${key}${webSocketGuid}`).digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.once('data', (frame: Buffer) => {
    const length = (frame[1] ?? 0) & 0x7f;
    const mask = frame.subarray(2, 6);
    const message = frame.subarray(6, 6 + length).map((byte, index) => byte ^ (mask[index % 4] ?? 0));
    socket.write(Buffer.concat([Buffer.from([0x81, length]), message]));
    socket.end(Buffer.from([0x88, 0]));
  });
}

test('a WebSocket connects, exchanges messages and closes through the tap', async (t) => {
  const target = await startTarget(t);
  target.server.on('upgrade', (request, socket) =>
    acceptWebSocket(request.headers['sec-websocket-key'], socket),
  );
  const { port, readRecord } = await startTapTo(t, target.url);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/chat?token=secret`);
  await once(socket, 'open');
  socket.send('hello');
  const [message] = await once(socket, 'message');
  assert.equal(message.data, 'hello');
  await once(socket, 'close');
  const record = await readRecord();
  assert.deepEqual([record.path, record.status, record.clientAborted], ['/chat', 101, false]);
});

const upgradeHead = `GET / HTTP/1.1\r\nHost: b\r\nConnection: keep-alive, Upgrade\r\nUpgrade: own/1\r\ntraceparent: ${traceparent}\r\n\r\n`;

test('any protocol passes as bytes, including those after the head, and faults apply to the head', async (t) => {
  const target = await startTarget(t);
  let seen: readonly string[] = [];
  target.server.on('upgrade', (request, socket, head) => {
    seen = request.rawHeaders;
    socket.write('HTTP/1.1 101 Own\r\nConnection: Upgrade\r\nUpgrade: own/1\r\n\r\nfirst ');
    socket.write(head);
    socket.pipe(socket);
  });
  const { port, readRecord } = await startTapTo(t, target.url, { faults: ['strip'] });
  const socket = await openSocket(t, port, `${upgradeHead}early `);
  const begin = await readUntil(socket, 'early ');
  assert.match(begin, /^HTTP\/1.1 101 Own\r\n[\s\S]*Upgrade: own\/1\r\n\r\nfirst early $/);
  socket.end('\0late');
  assert.equal(await readAll(socket), '\0late');
  assert.deepEqual(seen, ['Host', 'b', 'Connection', 'Upgrade', 'Upgrade', 'own/1']);
  assert.deepEqual((await readRecord()).faults, ['strip']);
});

test('the answer of a target that refuses the switch is forwarded, and the connection closes', async (t) => {
  const target = await startTarget(t, (_request, response) =>
    response.writeHead(401, { 'x-why': 'no' }).end('no'),
  );
  const { port, readRecord } = await startTapTo(t, target.url);
  const socket = await openSocket(t, port, upgradeHead);
  assert.match(await readAll(socket), /^HTTP\/1.1 401 Unauthorized\r\nx-why: no\r\n[\s\S]*no/);
  assert.equal((await readRecord()).status, 401);
});

test('a target that is down gives 502', async (t) => {
  const { port, readRecord } = await startTapTo(t, down);
  const socket = await openSocket(t, port, upgradeHead);
  assert.match(await readAll(socket), /^HTTP\/1.1 502/);
  assert.match((await readRecord()).targetError ?? '', /ECONNREFUSED/);
});

test('when one side aborts, the other is closed', async (t) => {
  const closed = Promise.withResolvers<void>();
  const target = await startTarget(t);
  target.server.on('upgrade', (_request, socket) => {
    socket.on('error', () => undefined);
    socket.once('close', () => closed.resolve());
    socket.resume();
    socket.write('HTTP/1.1 101 Own\r\nConnection: Upgrade\r\nUpgrade: own/1\r\n\r\n');
  });
  const { port } = await startTapTo(t, target.url);
  const socket = await openSocket(t, port, upgradeHead);
  await readUntil(socket, '\r\n\r\n');
  socket.resetAndDestroy();
  await closed.promise;
});

for (const [protocol, method, length, body] of [
  ['h2c', 'GET', '', ''],
  ['h2c', 'POST', 'Content-Length: 4\r\n', 'body'],
  ['own/1', 'POST', 'Content-Length: 4\r\n', 'body'],
] as const) {
  test(`${method} with Upgrade: ${protocol} (as Java's client asks for h2c) is forwarded as HTTP/1.1`, async (t) => {
    let seen: readonly string[] = [];
    const target = await startTarget(t, async (request, response) => {
      seen = request.rawHeaders;
      response.end(`<${await text(request)}>`);
    });
    const { port } = await startTapTo(t, target.url);
    const socket = await openSocket(
      t,
      port,
      `${method} / HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\n${length}Host: b\r\nHTTP2-Settings: AAEAAEAA\r\nUpgrade: ${protocol}\r\n\r\n${body}`,
    );
    assert.match(await readUntil(socket, `<${body}>`), /^HTTP\/1.1 200/);
    assert.deepEqual(seen.slice(-2), ['Host', 'b']);
    assert.doesNotMatch(seen.join(), /upgrade|h2c|own|settings/i);
  });
}
