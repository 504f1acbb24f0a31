import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { routeByPreface } from '../../src/source/route-by-preface.ts';
import { portOf } from '../tap/support.ts';

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

for (const [name, parts, protocol] of [
  ['a whole preface', [preface], 'http2'],
  ['a preface in pieces', ['P', 'RI * HTTP', preface.slice(10)], 'http2'],
  ['a method that begins alike', ['PR', 'OPFIND / HTTP/1.1\r\n'], 'http1'],
  ['another request', ['GET / HTTP/1.1\r\n'], 'http1'],
] as const) {
  test(`${name} is ${protocol}, and no byte is lost`, async (t) => {
    const routed = Promise.withResolvers<readonly [string, string]>();
    const server = createServer((socket) =>
      routeByPreface(socket, {
        // Like Node's own servers: HTTP/1 listens for data, HTTP/2 reads it.
        http1: () => socket.once('data', (bytes) => routed.resolve(['http1', String(bytes)])),
        http2: () => routed.resolve(['http2', String(socket.read())]),
        timeoutMs: 0,
      }),
    );
    server.listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const accepted = once(server, 'connection');
    const caller = connect(portOf(server.address()), '127.0.0.1');
    t.after(() => caller.destroy());
    const [socket]: Socket[] = await accepted;
    assert.ok(socket);
    for (const part of parts) {
      const arrived = once(socket, 'data');
      caller.write(part);
      await arrived;
    }
    assert.deepEqual(await routed.promise, [protocol, parts.join('')]);
  });
}
