import { once } from 'node:events';
import { createServer as createHttp1Server, type Server as Http1Server } from 'node:http';
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { WireRecord } from '../headers/evidence.ts';
import { divideConnections } from '../source/divide-connections.ts';
import { createCallerConnections } from './caller-connection.ts';
import { createExchanges, type TapSetup } from './exchange.ts';
import { forwardHttp1, type Http1Forwarding } from './forward-http1.ts';
import {
  createTargetSessions,
  forwardHttp2,
  type Http2Forwarding,
  maxHeaderListPairs,
} from './forward-http2.ts';
import { forwardUpgrade, wantsUpgrade } from './forward-upgrade.ts';
import { readTapOptions, type TapOptions } from './tap-options.ts';

/** A reverse proxy that records propagation headers. */
export interface Tap {
  readonly port: number;
  /** `http://127.0.0.1:8083` */
  readonly url: string;
  /**
   * Stops accepting connections, and waits for requests in flight for at most `graceMs` (default 10,000); then it aborts them. Tunnels
   * (WebSocket) do not end by themselves and are closed at once. All records are written when it resolves.
   */
  close(graceMs?: number): Promise<void>;
}

const headersTimeoutMs = 60_000;

/**
 * Starts a reverse proxy for HTTP/1.1, HTTP/2 with prior knowledge, and protocol upgrades. It changes nothing except by its faults, and
 * records the propagation headers of each request.
 * @throws {TapOptionError} when an option is invalid.
 * @throws {NodeJS.ErrnoException} when it cannot listen (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`).
 */
export async function startTap(options: TapOptions): Promise<Tap> {
  const { host, port, name, onRecord, ...rest } = readTapOptions(options);
  const sessions = new Set<ServerHttp2Session>();
  const tunnels = new Set<Socket>();
  const exchanges = countExchanges();
  let closing: Promise<void> | null = null;

  const { http1, http2 } = createServers(rest.maxHeaderSize);
  const { sockets, undecided } = divideConnections(http1, http2, headersTimeoutMs);

  const actualPort = await listen(http1, port, host);
  const authority = `${host.includes(':') ? `[${host}]` : host}:${actualPort}`;

  const setup: TapSetup = {
    ...rest,
    tap: name ?? authority,
    onRecords(records: readonly WireRecord[]) {
      for (const record of records) onRecord(record);
      exchanges.end();
      // The connection of a request that has just ended becomes idle after this turn.
      if (closing !== null) setImmediate(() => http1.closeIdleConnections());
    },
  };
  const beginExchange = createExchanges(setup);
  const begin: typeof beginExchange = (head) => {
    exchanges.begin();
    return beginExchange(head);
  };
  const isClosing = () => closing !== null;
  serveHttp1(http1, { setup, begin, connectionOf: createCallerConnections(), isClosing }, tunnels);
  serveHttp2(http2, { setup, begin, sessionOf: createTargetSessions(setup) }, sessions, isClosing);

  const shutDown = async (graceMs: number) => {
    const closed = once(http1, 'close');
    http1.close();
    for (const session of sessions) session.close();
    for (const socket of [...tunnels, ...undecided]) socket.destroy();
    const deadline = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(deadline);
    // Streams report their end after that of their connection.
    await exchanges.haveEnded();
  };

  return {
    port: actualPort,
    url: `http://${authority}`,
    close(graceMs = 10_000) {
      closing ??= shutDown(graceMs);
      return closing;
    },
  };
}

/** Counts exchanges whose records are not written yet. */
function countExchanges() {
  let open = 0;
  let onNone = () => {};
  return {
    begin: () => {
      open += 1;
    },
    end: () => {
      open -= 1;
      if (open === 0) onNone();
    },
    haveEnded: async () => {
      if (open === 0) return;
      await new Promise<void>((resolve) => {
        onNone = resolve;
      });
    },
  };
}

/** @returns The port; for port 0 the system chooses one. */
async function listen(server: Http1Server, port: number, host: string): Promise<number> {
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

function createServers(maxHeaderSize: number) {
  const http1 = createHttp1Server({
    maxHeaderSize,
    headersTimeout: headersTimeoutMs,
    // The target limits the time of connections and requests.
    requestTimeout: 0,
    keepAliveTimeout: 0,
    requireHostHeader: false,
    shouldUpgradeCallback: wantsUpgrade,
  });
  http1.maxHeadersCount = 0;
  const http2 = createHttp2Server({
    settings: { maxHeaderListSize: maxHeaderSize },
    maxHeaderListPairs,
    strictSingleValueFields: false,
  });
  return { http1, http2 };
}

function serveHttp1(http1: Http1Server, forwarding: Http1Forwarding, tunnels: Set<Socket>): void {
  http1.on('request', (request, response) => forwardHttp1(forwarding, request, response));
  http1.on('checkContinue', (request, response) => forwardHttp1(forwarding, request, response));
  http1.on('checkExpectation', (request, response) => forwardHttp1(forwarding, request, response));
  http1.on('upgrade', (request, _socket, head) => forwardUpgrade(forwarding, tunnels, request, head));
  http1.on('connect', (_request, socket) => {
    socket.on('error', () => undefined);
    socket.end('HTTP/1.1 501 Not Implemented\r\nConnection: close\r\n\r\n');
  });
}

function serveHttp2(
  http2: Http2Server,
  forwarding: Http2Forwarding,
  sessions: Set<ServerHttp2Session>,
  isClosing: () => boolean,
): void {
  http2.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => undefined);
    session.once('close', () => sessions.delete(session));
    session.on('stream', (stream, headers, flags, rawHeaders) =>
      forwardHttp2(forwarding, stream, headers, flags, rawHeaders),
    );
    if (isClosing()) session.close();
  });
}
