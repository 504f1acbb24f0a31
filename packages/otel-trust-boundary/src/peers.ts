import { subscribe } from 'node:diagnostics_channel';
import { IncomingMessage } from 'node:http';
import { createTrustTest, type Trust } from './trust.ts';

/** The part of a socket that is used. */
export interface Connection {
  readonly remoteAddress?: string | undefined;
}

/** Tells trusted peers from others, by the connection: unlike a header, its address cannot be forged. */
export interface Peers {
  isTrusted(socket: Connection): boolean;
  /** By the object that holds a request's headers, which is all that a propagator sees. */
  isSenderTrusted(headers: unknown): boolean;
}

export function createPeers(trust: Trust): Peers {
  if (trust === 'always') return { isTrusted: () => true, isSenderTrusted: () => true };
  if (trust === 'never') return { isTrusted: () => false, isSenderTrusted: () => false };

  const isTrustedAddress = createTrustTest(trust);
  // One look-up a connection, not a request.
  const known = new WeakMap<Connection, boolean>();
  const isTrusted = (socket: Connection): boolean => {
    let result = known.get(socket);
    if (result === undefined) {
      result = isTrustedAddress(socket.remoteAddress);
      known.set(socket, result);
    }
    return result;
  };
  followRequests();
  return {
    isTrusted,
    isSenderTrusted(headers) {
      const socket = typeof headers === 'object' && headers !== null ? senders.get(headers) : undefined;
      return socket !== undefined && isTrusted(socket);
    },
  };
}

const senders = new WeakMap<object, Connection>();
let isFollowing = false;

/** Node publishes each request on this channel before the `request` event, thus before any instrumentation reads its headers. */
function followRequests(): void {
  if (isFollowing) return;
  isFollowing = true;
  subscribe('http.server.request.start', (message) => {
    if (typeof message !== 'object' || message === null || !('request' in message)) return;
    const { request } = message;
    if (request instanceof IncomingMessage) senders.set(request.headers, request.socket);
  });
}
