import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { WireRecord } from '../../src/headers/evidence.ts';
import { startTap, type Tap } from '../../src/tap/start-tap.ts';
import type { TapOptions } from '../../src/tap/tap-options.ts';

export const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
export const spanId = '00f067aa0ba902b7';
export const traceparent = `00-${traceId}-${spanId}-01`;

/** Nobody listens on this port. The port of a server that was closed may already belong to another test. */
export const down = 'http://127.0.0.1:1';

export interface RunningTarget {
  readonly server: Server;
  readonly url: string;
}

/** A real HTTP/1.1 server on a free port; closed after the test. */
export async function startTarget(t: TestContext, listener?: RequestListener): Promise<RunningTarget> {
  const server = createServer(listener ?? ((_request, response) => response.end('ok')));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { server, url: `http://127.0.0.1:${portOf(server.address())}` };
}

export function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return address.port;
}

export interface RunningTap {
  readonly tap: Tap;
  readonly url: string;
  readonly port: number;
  readonly records: readonly WireRecord[];
  /** Resolves when there are this many records. */
  readRecords(count: number): Promise<readonly WireRecord[]>;
  readRecord(): Promise<WireRecord>;
}

export async function startTapTo(
  t: TestContext,
  target: string,
  options: Partial<TapOptions> = {},
): Promise<RunningTap> {
  const records: WireRecord[] = [];
  const waiting = new Set<() => void>();
  const tap = await startTap({
    listen: { port: 0 },
    target,
    ...options,
    onRecord(record) {
      records.push(record);
      for (const wake of waiting) wake();
    },
  });
  t.after(() => tap.close(0));
  const readRecords = (count: number) =>
    new Promise<readonly WireRecord[]>((resolve) => {
      const wake = () => {
        if (records.length < count) return;
        waiting.delete(wake);
        resolve(records);
      };
      waiting.add(wake);
      wake();
    });
  return {
    tap,
    url: tap.url,
    port: tap.port,
    records,
    readRecords,
    async readRecord() {
      const [record] = await readRecords(1);
      if (record === undefined) throw new Error('no record');
      return record;
    },
  };
}

/** Opens a connection and writes these bytes. The connection stays open for writing. */
export async function openSocket(t: TestContext, port: number, bytes: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  socket.write(bytes, 'latin1');
  return socket;
}

/** Reads until the other side closes. */
export async function readAll(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  await once(socket, 'end');
  return text;
}

/** Reads until the text contains `end`. */
export async function readUntil(socket: Socket, end: string): Promise<string> {
  let text = '';
  while (!text.includes(end)) {
    const [chunk] = await once(socket, 'data');
    text += chunk.toString('latin1');
  }
  return text;
}
