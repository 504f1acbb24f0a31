import type { Server } from 'node:http';
import type { Http2Server } from 'node:http2';
import type { Socket } from 'node:net';
import { routeByPreface } from './route-by-preface.ts';

export interface DividedConnections {
  /** All open connections. */
  readonly sockets: ReadonlySet<Socket>;
  /** Connections whose protocol is not known yet. */
  readonly undecided: ReadonlySet<Socket>;
}

/**
 * Lets the port of an HTTP/1 server also accept HTTP/2 with prior knowledge. HTTP/1 connections are passed to the server's own
 * `connection` listeners.
 * @param timeoutMs How long a connection may take to show its protocol.
 * @param onTls Called when a connection begins a TLS handshake; the HTTP/1 server then refuses it.
 */
export function divideConnections(
  http1: Server,
  http2: Http2Server,
  timeoutMs: number,
  onTls: () => void = () => undefined,
): DividedConnections {
  const sockets = new Set<Socket>();
  const undecided = new Set<Socket>();
  const serveHttp1 = http1.listeners('connection');
  http1.removeAllListeners('connection');
  http1.on('connection', (socket) => {
    sockets.add(socket);
    undecided.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      undecided.delete(socket);
    });
    routeByPreface(socket, {
      http1: () => {
        undecided.delete(socket);
        for (const serve of serveHttp1) Reflect.apply(serve, http1, [socket]);
      },
      http2: () => {
        undecided.delete(socket);
        // The HTTP/1 server keeps a connection writable after the client ends its side; HTTP/2 does not need this.
        socket.allowHalfOpen = false;
        http2.emit('connection', socket);
      },
      tls: onTls,
      timeoutMs,
    });
  });
  return { sockets, undecided };
}
