import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type Http2Session,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
  sensitiveHeaders,
} from 'node:http2';
import type { HeaderField } from '../headers/evidence.ts';
import { readRawHeaders } from '../headers/propagation-header.ts';
import { type Exchange, type RequestHead, readLocalAddress, type TapSetup } from './exchange.ts';
import { describeTargetError, TargetTimeout } from './target-error.ts';

/** More than Node.js's default of 128 headers: `maxHeaderSize` limits their size. */
export const maxHeaderListPairs = 4000;

/** The session to the target for a caller's session: one for each, so that both close together. */
export type TargetSessions = (caller: Http2Session) => ClientHttp2Session;

export function createTargetSessions(setup: TapSetup): TargetSessions {
  const options = {
    settings: { enablePush: false, maxHeaderListSize: setup.maxHeaderSize },
    maxHeaderListPairs,
    strictSingleValueFields: false,
  };
  const known = new WeakMap<Http2Session, ClientHttp2Session>();
  return (caller) => {
    const open = known.get(caller);
    if (open !== undefined && !open.closed && !open.destroyed) return open;
    const session = connect(setup.target.origin, options);
    known.set(caller, session);
    // The streams report errors; without this listener an `error` event would end the process.
    session.on('error', () => undefined);
    session.once('goaway', () => caller.close());
    session.once('close', () => caller.close());
    caller.once('close', () => session.destroy());
    return session;
  };
}

export interface Http2Forwarding {
  readonly setup: TapSetup;
  readonly begin: (head: RequestHead) => Exchange;
  readonly sessionOf: TargetSessions;
}

/** Forwards one HTTP/2 stream, for instance a gRPC call, with trailers, resets and backpressure. */
export function forwardHttp2(
  forwarding: Http2Forwarding,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  flags: number,
  rawHeaders: readonly string[],
): void {
  const fields = readRawHeaders(rawHeaders).filter(({ name }) => !name.startsWith(':'));
  const exchange = forwarding.begin({
    protocolVersion: '2',
    method: headers[':method'] ?? '',
    calledAt: readLocalAddress(stream.session?.socket),
    requestTarget: headers[':path'] ?? '',
    fields,
    // Nothing to remove: connection-specific headers are a protocol error in HTTP/2 (RFC 9113, section 8.2.2).
    forwardable: fields,
  });
  const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
  let upstream: ClientHttp2Stream | null = null;
  const send = () => {
    upstream = sendUpstream(forwarding, exchange, stream, headers, endStream);
  };

  stream.on('error', () => undefined);
  const delay = exchange.delayMs === 0 ? null : setTimeout(send, exchange.delayMs);
  stream.once('close', () => {
    if (delay !== null) clearTimeout(delay);
    if (stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR) exchange.noteClientAborted();
    if (upstream !== null && !upstream.closed) upstream.close(stream.rstCode || constants.NGHTTP2_CANCEL);
    exchange.finish();
  });
  if (delay === null) send();
}

function sendUpstream(
  { setup, sessionOf }: Http2Forwarding,
  exchange: Exchange,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  endStream: boolean,
): ClientHttp2Stream | null {
  const callerSession = stream.session;
  if (callerSession === undefined || stream.destroyed) return null;
  let upstream: ClientHttp2Stream;
  try {
    upstream = sessionOf(callerSession).request(toHeaders(exchange.fields, headers), {
      endStream,
      waitForTrailers: !endStream,
    });
  } catch (error) {
    fail(setup, exchange, stream, asError(error), undefined);
    return null;
  }

  let failed = false;
  const failOnce = (error: Error) => {
    if (!failed) fail(setup, exchange, stream, error, upstream.rstCode);
    failed = true;
  };

  upstream.once('ready', () => exchange.noteForwarded(upstream.session?.socket));
  upstream.setTimeout(setup.timeoutMs, () => {
    failOnce(new TargetTimeout(setup.timeoutMs));
    upstream.close(constants.NGHTTP2_CANCEL);
  });
  upstream.on('headers', (information) => passInformation(information, stream));
  upstream.once('response', (answer, flags, rawAnswer) => {
    upstream.setTimeout(0);
    exchange.noteAnswer(answer[':status'] ?? 0, readRawHeaders(rawAnswer));
    if (stream.destroyed) return;
    try {
      passAnswer(upstream, stream, answer, flags, rawAnswer);
    } catch (error) {
      // Node.js parses more than it writes, for instance status 600.
      failOnce(asError(error));
      upstream.close(constants.NGHTTP2_CANCEL);
    }
  });
  upstream.on('error', failOnce);
  upstream.once('close', () => {
    const code = upstream.rstCode;
    if (!stream.headersSent || code !== constants.NGHTTP2_NO_ERROR) {
      failOnce(new Error(`the target closed the stream with code ${code}`));
    }
    // Discards the rest of an upload that the target refuses.
    if (!stream.destroyed) stream.resume();
  });

  if (exchange.noteBody !== null) stream.on('data', exchange.noteBody);
  passBody(stream, upstream);
  return upstream;
}

function passInformation(information: IncomingHttpHeaders, stream: ServerHttp2Stream): void {
  if (stream.destroyed || stream.headersSent) return;
  try {
    stream.additionalHeaders(information);
  } catch {
    // Node.js refuses some informational headers, such as 101, which HTTP/2 forbids. They are only advice; the answer itself follows.
  }
}

function passAnswer(
  upstream: ClientHttp2Stream,
  stream: ServerHttp2Stream,
  answer: IncomingHttpHeaders,
  flags: number,
  rawAnswer: readonly string[],
): void {
  const fields = readRawHeaders(rawAnswer).filter(({ name }) => !name.startsWith(':'));
  const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
  const options = { endStream, sendDate: false, waitForTrailers: !endStream };
  stream.respond(toHeaders(fields, answer), options);
  if (!endStream) passBody(upstream, stream);
}

/** Passes the body in one direction, then its trailers. Without trailers an empty DATA frame ends the stream. */
function passBody(
  from: ServerHttp2Stream | ClientHttp2Stream,
  to: ServerHttp2Stream | ClientHttp2Stream,
): void {
  let trailers: OutgoingHttpHeaders = {};
  from.once('trailers', (received: IncomingHttpHeaders, _flags: number, raw: readonly string[]) => {
    trailers = toHeaders(readRawHeaders(raw), received);
  });
  to.once('wantTrailers', () => {
    // A reset also ends the writable side: trailers would make an aborted body look complete.
    if (!to.closed) to.sendTrailers(trailers);
  });
  from.pipe(to);
}

/** Answers in place of the target, or resets an answer that has begun with the target's code. */
function fail(
  setup: TapSetup,
  exchange: Exchange,
  stream: ServerHttp2Stream,
  error: Error,
  code: number | undefined,
): void {
  if (stream.destroyed || stream.closed) return;
  exchange.noteTargetError(error);
  if (stream.headersSent) {
    stream.close(code || constants.NGHTTP2_INTERNAL_ERROR);
    return;
  }
  const { status, body } = describeTargetError(setup.target, error);
  stream.respond({ ':status': status, 'content-type': 'application/json' });
  stream.end(body);
  stream.resume();
}

/**
 * The headers in the form of Node.js, with the pseudo-headers and the "never indexed" marks of their section. Headers of the same name move to
 * the place of the first one, and stay separate.
 */
function toHeaders(fields: readonly HeaderField[], origin: IncomingHttpHeaders): OutgoingHttpHeaders {
  const values = new Map<string, string[]>();
  for (const { name, value } of fields) values.set(name, [...(values.get(name) ?? []), value]);
  const grouped = [...values].map(([name, all]) => [name, all.length === 1 ? all[0] : all]);
  const pseudo = Object.entries(origin).filter(([name]) => name.startsWith(':'));
  // A null prototype, because a header may be named `__proto__`.
  const headers: OutgoingHttpHeaders = Object.assign(
    Object.create(null),
    Object.fromEntries(pseudo),
    Object.fromEntries(grouped),
  );
  const sensitive: unknown = Reflect.get(origin, sensitiveHeaders);
  if (sensitive !== undefined) Reflect.set(headers, sensitiveHeaders, sensitive);
  return headers;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
