import {
  type ClientRequest,
  type IncomingMessage,
  type InformationEvent,
  request as requestHttp1,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Socket } from 'node:net';
import type { HeaderField } from '../headers/evidence.ts';
import { readRawHeaders } from '../headers/propagation-header.ts';
import type { CallerConnections } from './caller-connection.ts';
import { type Exchange, type RequestHead, readLocalAddress, type TapSetup } from './exchange.ts';
import { listTokens, removeHopByHop, removeHopByHopButUpgrade, toRawHeaders } from './header-field.ts';
import { describeTargetError, TargetTimeout } from './target-error.ts';

export interface Http1Forwarding {
  readonly setup: TapSetup;
  readonly begin: (head: RequestHead) => Exchange;
  readonly connectionOf: CallerConnections;
  /** Whether the tap is closing: then each connection closes after its answer. */
  readonly isClosing: () => boolean;
}

/** Called when the target switches protocols. Passed only for requests that ask for a switch. */
export type OnSwitch = (
  answer: IncomingMessage,
  targetSocket: Socket,
  head: Buffer,
  exchange: Exchange,
) => void;

/** Forwards one HTTP/1.x request and its answer, both as streams. */
export function forwardHttp1(
  forwarding: Http1Forwarding,
  request: IncomingMessage,
  response: ServerResponse,
  onSwitch?: OnSwitch,
): void {
  const exchange = forwarding.begin(readHead(forwarding.setup, request, onSwitch !== undefined));
  let upstream: ClientRequest | null = null;
  const send = () => {
    upstream = sendUpstream(forwarding, exchange, request, response, onSwitch);
  };

  // The `close` of the response reports an abort. Without these listeners an `error` event would end the process.
  request.on('error', () => undefined);
  response.on('error', () => undefined);
  response.sendDate = false;
  const delay = exchange.delayMs === 0 ? null : setTimeout(send, exchange.delayMs);
  const connection = forwarding.connectionOf(request.socket);
  connection.enter();
  response.once('close', () => {
    connection.leave();
    if (delay !== null) clearTimeout(delay);
    // A request may still upload its body after the whole answer; that is no abort.
    if (!response.writableFinished) {
      exchange.noteClientAborted();
      upstream?.destroy();
    }
    exchange.finish();
  });
  if (delay === null) send();
}

function readHead(setup: TapSetup, request: IncomingMessage, switches: boolean): RequestHead {
  const fields = readRawHeaders(request.rawHeaders);
  const forwardable = switches ? removeHopByHopButUpgrade(fields) : removeHopByHop(fields);
  const host: HeaderField = { name: 'Host', value: setup.target.host };
  const old = request.httpVersion === '1.0';
  return {
    protocolVersion: old ? '1.0' : '1.1',
    method: request.method ?? '',
    calledAt: readLocalAddress(request.socket),
    requestTarget: request.url ?? '',
    fields,
    // HTTP/1.0 permits a request without Host; the request to the target is HTTP/1.1 and needs it.
    forwardable: old && request.headers.host === undefined ? [host, ...forwardable] : forwardable,
  };
}

function sendUpstream(
  { setup, connectionOf, isClosing }: Http1Forwarding,
  exchange: Exchange,
  request: IncomingMessage,
  response: ServerResponse,
  onSwitch: OnSwitch | undefined,
): ClientRequest {
  const connection = connectionOf(request.socket);
  const upstream = requestHttp1({
    agent: connection.agent,
    host: hostOf(setup.target),
    port: setup.target.port || 80,
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    headers: toRawHeaders(exchange.fields),
    setDefaultHeaders: false,
    maxHeaderSize: setup.maxHeaderSize,
    timeout: setup.timeoutMs,
  });
  upstream.maxHeadersCount = 0;
  connection.watch(upstream);

  upstream.once('socket', (socket) => {
    const note = () => exchange.noteForwarded(socket);
    if (socket.connecting) socket.once('connect', note);
    else note();
  });
  upstream.on('timeout', () => upstream.destroy(new TargetTimeout(setup.timeoutMs)));
  upstream.on('information', (information) => passInformation(information, response));
  upstream.on('response', (answer) => {
    upstream.setTimeout(0);
    exchange.noteAnswer(answer.statusCode ?? 0, readRawHeaders(answer.rawHeaders));
    if (isClosing()) response.shouldKeepAlive = false;
    passAnswer(setup, upstream, answer, response, exchange);
  });
  if (onSwitch !== undefined) {
    upstream.on('upgrade', (answer, socket: Socket, head) => {
      socket.setTimeout(0);
      exchange.noteAnswer(answer.statusCode ?? 0, readRawHeaders(answer.rawHeaders));
      onSwitch(answer, socket, head, exchange);
    });
  }
  upstream.on('error', (error: NodeJS.ErrnoException) => {
    request.unpipe(upstream);
    request.resume();
    // An answer that has begun is ended by its own stream: it may still be readable when the upload fails.
    if (response.headersSent) return;
    exchange.noteTargetError(error);
    if (upstream.reusedSocket && error.code === 'ECONNRESET') {
      // The target has just closed an idle connection. Callers repeat a request after a reset, but not after a 502.
      request.socket.destroy();
      return;
    }
    refuse(setup, response, error);
  });

  passRequest(request, upstream, exchange);
  return upstream;
}

function passRequest(request: IncomingMessage, upstream: ClientRequest, { noteBody }: Exchange): void {
  request.once('end', () => {
    const trailers = readRawHeaders(request.rawTrailers);
    if (trailers.length > 0 && !upstream.destroyed) upstream.addTrailers(toPairs(trailers));
  });
  if (noteBody !== null) request.on('data', noteBody);
  request.pipe(upstream);
  // Deferred: a small request shares a packet with its head, and the head of a stream does not wait for the body.
  setImmediate(() => {
    if (!upstream.destroyed) upstream.flushHeaders();
  });
}

function passAnswer(
  setup: TapSetup,
  upstream: ClientRequest,
  answer: IncomingMessage,
  response: ServerResponse,
  exchange: Exchange,
): void {
  const fields = readRawHeaders(answer.rawHeaders);
  const kept = removeHopByHop(fields).filter(
    ({ name }) => response.req.httpVersion !== '1.0' || name.toLowerCase() !== 'transfer-encoding',
  );
  // The connections of caller and target close together, so the target's keep-alive headers apply to the caller's connection.
  const keepAlive = fields.filter(({ name }) => name.toLowerCase() === 'keep-alive');
  if (listTokens(fields, 'connection').includes('close')) response.shouldKeepAlive = false;

  try {
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, toRawHeaders([...kept, ...keepAlive]));
  } catch (error) {
    // Node.js parses more than it writes, for instance status 099 or control characters in the reason phrase.
    const reason = error instanceof Error ? error : new Error(String(error));
    answer.on('error', () => undefined);
    upstream.destroy();
    exchange.noteTargetError(reason);
    refuse(setup, response, reason);
    return;
  }
  answer.on('error', (error) => {
    exchange.noteTargetError(error);
    response.destroy();
  });
  answer.once('end', () => {
    const trailers = readRawHeaders(answer.rawTrailers);
    if (trailers.length > 0) response.addTrailers(toPairs(trailers));
    response.end();
    if (!upstream.writableEnded) keepUploading(upstream);
  });
  answer.pipe(response, { end: false });
  setImmediate(() => {
    if (!response.destroyed) response.flushHeaders();
  });
}

/**
 * Continues an upload after the target has answered early: Node.js then no longer emits `drain` on the request, for which the rest of the
 * upload waits.
 */
function keepUploading(upstream: ClientRequest): void {
  const { socket } = upstream;
  if (socket === null) return;
  const drain = () => upstream.emit('drain');
  socket.on('drain', drain);
  upstream.once('close', () => socket.off('drain', drain));
  upstream.once('finish', () => socket.off('drain', drain));
  if (socket.writableLength === 0) drain();
}

/** Passes 1xx answers, except 101, which arrives as `upgrade`. */
function passInformation(information: InformationEvent, response: ServerResponse): void {
  if (response.headersSent || response.req.httpVersion === '1.0') return;
  if (information.statusCode === 100) response.writeContinue();
  else if (information.statusCode === 102) response.writeProcessing();
  else if (information.statusCode === 103) passEarlyHints(information, response);
}

function passEarlyHints(information: InformationEvent, response: ServerResponse): void {
  const hints = new Map<string, string[]>();
  for (const { name, value } of readRawHeaders(information.rawHeaders)) {
    hints.set(name.toLowerCase(), [...(hints.get(name.toLowerCase()) ?? []), value]);
  }
  try {
    response.writeEarlyHints(Object.fromEntries(hints));
  } catch {
    // Node.js refuses the hint. It is only advice; the answer itself follows.
  }
}

function refuse(setup: TapSetup, response: ServerResponse, error: Error): void {
  if (response.destroyed) return;
  const { status, body } = describeTargetError(setup.target, error);
  // With an explicit reason phrase: an invalid one of the target's answer may still be set.
  response.writeHead(status, STATUS_CODES[status], {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

function toPairs(fields: readonly HeaderField[]): [string, string][] {
  return fields.map(({ name, value }) => [name, value]);
}

/** The host without the brackets of an IPv6 address, which `URL` keeps and sockets do not accept. */
function hostOf(target: URL): string {
  return target.hostname.replace(/^\[|\]$/g, '');
}
