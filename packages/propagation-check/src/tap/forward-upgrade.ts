import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { forwardHttp1, type Http1Forwarding } from './forward-http1.ts';
import { listTokens, readRawHeaders, removeHopByHopButUpgrade } from './header-field.ts';

/**
 * Whether to offer the protocol switch to the target. Not for `Upgrade: h2c`, which HTTP/2 has given up
 * (RFC 9113, section 3.1) and Java's client still asks for: without the header it goes on with HTTP/1.1. Not for
 * requests with a body, which Node does not read after a switch.
 */
export function wantsUpgrade(request: IncomingMessage): boolean {
  const fields = readRawHeaders(request.rawHeaders);
  const length = Number(request.headers['content-length'] ?? 0);
  const hasBody = length > 0 || request.headers['transfer-encoding'] !== undefined;
  return !hasBody && !listTokens(fields, 'upgrade').includes('h2c');
}

/** Forwards a request that asks for another protocol (WebSocket); after 101 the bytes pass both ways as they are. */
export function forwardUpgrade(
  forwarding: Http1Forwarding,
  tunnels: Set<Socket>,
  request: IncomingMessage,
  head: Buffer,
): void {
  const caller = request.socket;
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(caller);
  caller.on('error', () => undefined);
  // The server has let go of this connection, so nobody else ends it after an answer that is not a switch.
  response.once('finish', () => caller.destroySoon());

  forwardHttp1(forwarding, request, response, (answer, target, targetHead, exchange) => {
    response.detachSocket(caller);
    exchange.finish();
    const fields = removeHopByHopButUpgrade(readRawHeaders(answer.rawHeaders));
    const lines = [
      `HTTP/1.1 101 ${answer.statusMessage ?? ''}`,
      ...fields.map(({ name, value }) => `${name}: ${value}`),
    ];
    caller.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    caller.write(targetHead);
    target.write(head);
    join(caller, target, tunnels);
    join(target, caller, tunnels);
  });
}

/**
 * Passes the bytes of one direction on. When one side is gone, the other is closed after what is still to be written,
 * and reset when it was a reset.
 */
function join(from: Socket, to: Socket, tunnels: Set<Socket>): void {
  tunnels.add(from);
  from.on('error', () => undefined);
  from.once('close', () => {
    tunnels.delete(from);
    if (from.errored === null) to.destroySoon();
    else to.resetAndDestroy();
  });
  from.pipe(to);
}
