import { once } from 'node:events';
import { createServer as createHttp1Server, type RequestListener } from 'node:http';
import {
  createServer as createHttp2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { divideConnections } from './divide-connections.ts';
import { SourceError } from './source.ts';

/** Limits for slow clients. Exporters give up after 10 s by default. */
const timeouts = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
} as const;

/** The longest time for a gRPC call. */
export const callTimeoutMs = timeouts.requestTimeout;
/** Concurrent calls on one connection; further calls wait in the client. Exporters make few. */
const maxConcurrentStreams = 100;
/** Megabytes for one HTTP/2 connection. Node's default of 10 holds three large exports; it closes further streams with ENHANCE_YOUR_CALM. */
const maxSessionMemory = 128;
const defaultIdleMs = 120_000;
/** How long pending answers may take when the listener closes. */
const graceMs = 2_000;

export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly maxConnections: number;
  /** Handles HTTP/1.1. */
  readonly onRequest: RequestListener;
  /** Handles HTTP/2 with prior knowledge. */
  readonly onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;
  /** Called when a client begins a TLS handshake, which the listener does not support. */
  readonly onTls: () => void;
  /** The option that sets another port, for messages. */
  readonly option?: string;
  /** How long an HTTP/2 connection may be idle. Default two minutes: most exporters send at least once a minute. */
  readonly idleMs?: number;
}

export interface Listener {
  readonly port: number;
  /** Lets pending answers finish, for at most two seconds. */
  close(): Promise<void>;
}

/** Listens on one port for both protocols. @throws {SourceError} when it cannot listen. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { host, port, maxConnections, onRequest, onStream, onTls, idleMs = defaultIdleMs } = options;
  const { option = '--source otlp=HOST:PORT' } = options;
  const sessions = new Set<ServerHttp2Session>();
  const http1 = createHttp1Server(timeouts, onRequest);
  http1.maxConnections = maxConnections;
  const http2 = createHttp2Server({ settings: { maxConcurrentStreams }, maxSessionMemory });
  const { sockets, undecided } = divideConnections(http1, http2, timeouts.headersTimeout, onTls);
  http2.on('stream', onStream);
  http2.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => undefined);
    session.once('close', () => sessions.delete(session));
    session.setTimeout(idleMs, () => session.close());
    if (!http1.listening) session.close();
  });
  http1.listen(port, host);
  await once(http1, 'listening').catch((error: unknown) => {
    const inUse =
      `, perhaps by a Collector: stop that, or name a free port with ${option}; ` +
      'it takes both gRPC and HTTP, and services must export to it (OTEL_EXPORTER_OTLP_ENDPOINT=http://HOST:PORT)';
    throw new SourceError(describeListenError(error, `otlp=${host}:${port}`, inUse));
  });
  const address = http1.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: async () => {
      if (!http1.listening) return;
      const closed = once(http1, 'close');
      http1.close();
      for (const session of sessions) session.close();
      for (const socket of undecided) socket.destroy();
      const deadline = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      await closed;
      clearTimeout(deadline);
    },
  };
}

/** @param where The address, as given in the option. @param inUse Advice for a port that is in use. */
export function describeListenError(error: unknown, where: string, inUse: string): string {
  if (!(error instanceof Error)) return `${where}: cannot listen`;
  const code = 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return `${where}: the port is in use${inUse}`;
  if (code === 'EACCES') return `${where}: not allowed to listen on this port; choose one above 1023`;
  if (code === 'EADDRNOTAVAIL')
    return `${where}: this machine does not have that address; 0.0.0.0 listens on all that it has`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `${where}: there is no such host`;
  return `${where}: cannot listen: ${error.message}`;
}
