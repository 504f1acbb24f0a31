/** Bounds on what clients can take, so that slow, hostile or merely many ones leave enough for the others. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import underPressure from '@fastify/under-pressure';
import type { FastifyHttpOptions, FastifyInstance } from 'fastify';
import { healthPath } from './health.ts';
import { onClose } from './on-close.ts';

/** `http` is for HTTPS as well. */
type ServerOptions = Required<
  Pick<FastifyHttpOptions<Server>, 'bodyLimit' | 'requestTimeout' | 'connectionTimeout' | 'http'>
>;

export interface Limits {
  /** `MAX_CONNECTIONS`: open ones. One more closes the connection that has been idle longest. */
  readonly maxConnections: number;
  /** `MAX_REQUESTS`: being answered at one time. More are answered with 503 and `Retry-After`. */
  readonly maxRequests: number;
  /** `MAX_EVENT_LOOP_DELAY_MS`: by how much the process runs late, on average over a second, or over that time if it is longer. Later, it answers with 503 too. */
  readonly maxEventLoopDelayMillis: number;
  /** `REQUEST_TIMEOUT_MS`: for a request to arrive whole, and over TLS for the handshake before. A client that reads nothing of its answer has twice as long. */
  readonly requestTimeoutMillis: number;
}

/** Enough for the headers of a browser and of a trace: W3C Baggage alone may have 8,192 bytes. */
const maxHeaderBytes = 16_384;
/** Bound of a body that a route reads. No route reads one today; Node.js discards bodies that nobody reads. */
const maxBodyBytes = 16_384;
const checkIntervalMillis = 1_000;
const retryAfterSeconds = 1;

/** @param answerMillis How long an answer may be in the making, during which its connection is silent. */
export function createLimitOptions({ requestTimeoutMillis }: Limits, answerMillis: number): ServerOptions {
  return {
    bodyLimit: maxBodyBytes,
    requestTimeout: requestTimeoutMillis,
    // Later than `requestTimeout`, so that a slow client gets the answer 408 first.
    connectionTimeout: 2 * requestTimeoutMillis + answerMillis,
    http: {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: requestTimeoutMillis,
      connectionsCheckingInterval: checkIntervalMillis,
    },
  };
}

/** Adds the limits that Fastify has no option for. Call after the hook that begins SERVER spans: a refusal has one too. */
export function addLimits(app: FastifyInstance, limits: Limits): void {
  limitConnections(app.server, limits.maxConnections);
  limitRequests(app, limits);
}

interface Connection {
  readonly socket: Socket;
  /** Being answered on it. */
  requests: number;
  isClosed: boolean;
}

/**
 * Refusing new connections would lock out health checks as well. Instead room is made for them, as nginx does: those in
 * which a request never becomes whole are idle, and under attack they are the oldest.
 */
function limitConnections(server: Server, max: number): void {
  const open = new Map<string, Connection>();
  /** In the order in which they became idle. */
  const idle = new Set<Connection>();
  const ofSocket = new WeakMap<Socket, Connection>();
  server.on('connection', (socket) => {
    const peer = describePeer(socket);
    const connection: Connection = { socket, requests: 0, isClosed: false };
    open.set(peer, connection);
    ofSocket.set(socket, connection);
    idle.add(connection);
    socket.once('close', () => {
      connection.isClosed = true;
      open.delete(peer);
      idle.delete(connection);
    });
    const [oldest] = idle;
    if (open.size > max) oldest?.socket.destroy();
  });
  server.prependListener('request', ({ socket }, response) => {
    // With TLS a request has another socket than its connection; the other end is the same.
    let connection = ofSocket.get(socket);
    if (connection === undefined) {
      connection = open.get(describePeer(socket));
      if (connection === undefined) return;
      ofSocket.set(socket, connection);
    }
    connection.requests += 1;
    idle.delete(connection);
    onClose(response, () => {
      connection.requests -= 1;
      if (connection.requests === 0 && !connection.isClosed) idle.add(connection);
    });
  });
}

function describePeer({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function limitRequests(app: FastifyInstance, { maxRequests, maxEventLoopDelayMillis }: Limits): void {
  // The plug-in only measures; the hook below decides and answers.
  app.register(underPressure, {
    maxEventLoopDelay: maxEventLoopDelayMillis,
    // An interval in which the event loop turns at most once has no sample, and the plug-in takes its delay for infinite.
    sampleInterval: Math.max(checkIntervalMillis, maxEventLoopDelayMillis),
    pressureHandler: () => undefined,
  });
  let running = 0;
  app.addHook('onRequest', (request, reply, done) => {
    // A busy service must stay healthy: a restart would move its load to the others.
    if (request.routeOptions.url === healthPath) return done();
    if (running >= maxRequests || app.isUnderPressure()) {
      reply
        .code(503)
        .header('retry-after', retryAfterSeconds)
        .send({ error: 'overloaded', message: `too much to do; try again in ${retryAfterSeconds} s` });
      return;
    }
    // Otherwise Fastify reads the whole body before it says that nobody wants it.
    if (request.is404) {
      reply.code(404).send({ error: 'not_found', message: 'there is nothing here' });
      return;
    }
    running += 1;
    onClose(reply.raw, () => {
      running -= 1;
    });
    done();
  });
}
