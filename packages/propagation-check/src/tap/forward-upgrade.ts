import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { readRawHeaders } from '../headers/propagation-header.ts';
import { forwardHttp1, type Http1Forwarding } from './forward-http1.ts';
import { listTokens, removeHopByHopButUpgrade } from './header-field.ts';

/**
 * Whether to forward a request to switch protocols. Not for `Upgrade: h2c`, which HTTP/2 has deprecated (RFC 9113, section 3.1) and Java's
 * client still sends: without that header it continues with HTTP/1.1. Not for requests with a body, which Node.js does not read after a switch.
 */
export function wantsUpgrade(request: IncomingMessage): boolean {
  const fields = readRawHeaders(request.rawHeaders);
  const length = Number(request.headers['content-length'] ?? 0);
  const hasBody = length > 0 || request.headers['transfer-encoding'] !== undefined;
  return !hasBody && !listTokens(fields, 'upgrade').includes('h2c');
}

/** Forwards a request to switch protocols (WebSocket). After status 101 the bytes pass unchanged in both directions. */
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
  // The HTTP server has released this connection, so the tap has to close it after an answer other than 101.
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
 * Passes the bytes in one direction. When one side closes, the other is closed after the bytes that are still to be written; when one side
 * is reset, so is the other.
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
