import type { Socket } from 'node:net';

/** The start of every HTTP/2 connection with prior knowledge (RFC 9113, section 3.4). */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** Content type of the record that begins a TLS connection (RFC 8446, section 5.1). */
const tlsHandshake = 0x16;

export interface ProtocolRoutes {
  readonly http1: (socket: Socket) => void;
  readonly http2: (socket: Socket) => void;
  /** Called before `http1` gets a connection that begins a TLS handshake. */
  readonly tls?: () => void;
  /** How long a connection may take to show its protocol, in milliseconds. */
  readonly timeoutMs: number;
}

/** Reads a new connection until its protocol is certain, puts the bytes back, and passes the connection on. */
export function routeByPreface(socket: Socket, routes: ProtocolRoutes): void {
  let read = Buffer.alloc(0);
  const drop = () => socket.destroy();

  socket.setTimeout(routes.timeoutMs, drop);
  socket.on('error', drop);
  socket.on('end', drop);
  socket.on('data', look);

  function look(chunk: Buffer): void {
    read = Buffer.concat([read, chunk]);
    const known = read.subarray(0, preface.length);
    const matches = known.equals(preface.subarray(0, known.length));
    if (matches && known.length < preface.length) return;

    socket.off('data', look);
    socket.off('end', drop);
    socket.off('error', drop);
    socket.off('timeout', drop);
    socket.setTimeout(0);
    socket.pause();
    socket.unshift(read);
    // An HTTP/2 session reads the returned bytes itself; for HTTP/1 the socket must be resumed.
    if (matches) {
      routes.http2(socket);
    } else {
      if (read[0] === tlsHandshake) routes.tls?.();
      routes.http1(socket);
      socket.resume();
    }
  }
}
