import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';

export interface RawClient extends Disposable {
  readonly socket: Socket;
  /** All bytes that the service sent until it closed the connection. */
  readonly closed: Promise<string>;
}

/** Opens a connection of its own, and writes these bytes without waiting for anything but the connection. */
export async function openRaw(url: string, bytes: string): Promise<RawClient> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let received = '';
  const closed = new Promise<string>((resolve) => {
    // A reset is one of the ways to close.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(received));
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
    });
  });
  await Promise.race([once(socket, 'connect'), closed]);
  socket.write(bytes, 'latin1');
  return { socket, closed, [Symbol.dispose]: () => void socket.destroy() };
}

/** Asks for `/healthz` so often, each time on a new connection. @returns How many answers were 200. */
export async function askHealth(url: string, times: number): Promise<number> {
  let healthy = 0;
  for (let count = 0; count < times; count += 1) {
    const answered = Promise.withResolvers<number>();
    get(`${url}/healthz`, { agent: false }, (response: IncomingMessage) => {
      response.resume();
      answered.resolve(response.statusCode ?? 0);
    }).on('error', () => answered.resolve(0));
    if ((await answered.promise) === 200) healthy += 1;
  }
  return healthy;
}
