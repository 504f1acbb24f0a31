import type { Server } from 'node:http';
import type { Http2Server } from 'node:http2';
import type { Socket } from 'node:net';
import { routeByPreface } from './route-by-preface.ts';

export interface DividedConnections {
  /** All that are open. */
  readonly sockets: ReadonlySet<Socket>;
  /** Those that have not shown their protocol yet. */
  readonly undecided: ReadonlySet<Socket>;
}

/**
 * Lets the port of an HTTP/1 server take HTTP/2 with prior knowledge as well: Node's own HTTP/1 handler of new connections
 * gets those that are HTTP/1.
 * @param timeoutMs How long a connection may take to show its protocol.
 * @param onTls Told when a connection begins a TLS handshake; the HTTP/1 handler refuses it.
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
        // The HTTP/1 server keeps connections open for writing after the caller's end, HTTP/2 has no use for that.
        socket.allowHalfOpen = false;
        http2.emit('connection', socket);
      },
      tls: onTls,
      timeoutMs,
    });
  });
  return { sockets, undecided };
}
