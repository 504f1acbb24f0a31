import { subscribe } from 'node:diagnostics_channel';
import { IncomingMessage } from 'node:http';

/** By the object that holds a request's headers: a propagator gets to see nothing else of the request. */
const requests = new WeakMap<object, IncomingMessage>();

let isListening = false;

/** Remembers whose headers are whose from now on. Node.js announces each request before any listener of the server sees it. */
export function notePeers(): void {
  if (isListening) return;
  isListening = true;
  subscribe('http.server.request.start', (message) => {
    if (hasRequest(message)) requests.set(message.request.headers, message.request);
  });
}

/** The other end of the connection: unlike a header it cannot be made up. Undefined for headers of no HTTP request. */
export function readPeerAddress(headers: unknown): string | undefined {
  return typeof headers === 'object' && headers !== null
    ? requests.get(headers)?.socket.remoteAddress
    : undefined;
}

function hasRequest(message: unknown): message is { readonly request: IncomingMessage } {
  return (
    typeof message === 'object' &&
    message !== null &&
    'request' in message &&
    message.request instanceof IncomingMessage
  );
}
