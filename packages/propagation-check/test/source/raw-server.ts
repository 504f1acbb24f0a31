/** Servers that violate HTTP, and a check of what a command reports of them. */
import assert from 'node:assert/strict';
import { createServer as createTcpServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { executeCli } from '../cli/run-cli.ts';
import { listen } from './http-server.ts';

export const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const secret = 'Bearer hush-hush';
export const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';

/** Starts a server that answers each connection with these bytes, and then calls `then`. */
export function startRawServer(
  t: TestContext,
  head: string,
  then: (socket: Socket) => void = () => {},
): Promise<URL> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(head, 'latin1');
      then(socket);
    });
    t.after(() => socket.destroy());
  });
  return listen(t, server, 'http');
}

/** Writes endlessly, as fast as the client reads. */
export function writeForever(socket: Socket, chunk: Buffer): void {
  const more = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', more);
  more();
}

/** Asserts that each source reports one clear line on standard error, nothing on standard output, exit code 2 and no secret. */
export async function assertRefused(url: URL, message: RegExp, ...options: readonly string[]): Promise<void> {
  for (const source of ['jaeger', 'tempo'] as const) {
    const spec = `${source}=${url.origin}`;
    const { code, stdout, stderr } = await executeCli(
      ...['trace', traceId, '--source', spec, '--header', `Authorization: ${secret}`, ...options],
    );
    assert.match(stderr, message);
    assert.ok(stderr.startsWith(`propagation-check: ${spec}: `), stderr);
    assert.match(stderr, /^[^\p{Cc}]+\n$/u, 'one line without control characters');
    assert.doesNotMatch(stderr, /hush/);
    assert.deepEqual([code, stdout], [2, '']);
  }
}
