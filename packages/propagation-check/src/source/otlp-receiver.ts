import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { DecodeError } from '../decode/decode-error.ts';
import { TooLargeError } from '../decode/gunzip.ts';
import { decodeOtlpJson } from '../decode/otlp-json.ts';
import { decodeOtlpProtobuf } from '../decode/otlp-protobuf.ts';
import { parseJson } from '../decode/parse-json.ts';
import type { Span } from '../span/span.ts';
import { ArrivalSignal } from './arrival-signal.ts';
import { warnOfOpenAddress } from './open-address.ts';
import { encodeStatus, encodeSuccess, type OtlpContentType, rpcCode } from './otlp-response.ts';
import {
  type BodyLimits,
  BodyMemory,
  createTurns,
  type InTurn,
  RefusedRequest,
  useRequestBody,
} from './request-body.ts';
import { selectTraces } from './select-spans.ts';
import { type Source, SourceError } from './source.ts';
import { SpanBuffer } from './span-buffer.ts';

export interface OtlpReceiverOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default 4318, OTLP/HTTP's own; 0 takes a free one. */
  readonly port?: number;
  /** Largest request body, uncompressed. Default 64 MiB. */
  readonly maxRequestBytes?: number;
  /** Spans kept in memory. Default 200,000. */
  readonly maxSpans?: number;
  /** Memory for spans, estimated by the size of the requests. Default 512 MiB. */
  readonly maxBytes?: number;
  /** Memory for the bodies of requests while they arrive. Default 256 MiB. */
  readonly maxBodyBytes?: number;
  /** Open at one time; others are closed. Default 500. */
  readonly maxConnections?: number;
}

/** An embedded OTLP/HTTP receiver that keeps what arrives. */
export interface OtlpReceiver extends Source {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`: `http://127.0.0.1:4318`. */
  readonly url: string;
  /** Grows with each export request that brought spans. */
  readonly revision: number;
  /** Spans that were dropped because the memory was full. */
  readonly droppedSpans: number;
  /** Every span that is still kept, in order of arrival within its trace. */
  readAll(): readonly Span[];
  /**
   * Waits until `revision` is greater than `since`, at once when it is already, and answers it.
   * Rejects with the signal's reason when it is aborted, with a SourceError when the receiver is closed.
   */
  waitForChange(since: number, signal?: AbortSignal): Promise<number>;
}

const defaults = {
  host: '127.0.0.1',
  port: 4318,
  maxRequestBytes: 64 * 1024 * 1024,
  maxSpans: 200_000,
  maxBytes: 512 * 1024 * 1024,
  maxBodyBytes: 256 * 1024 * 1024,
  maxConnections: 500,
} as const;

/** For slow clients. Exporters give up after 10 s by default. */
const timeouts = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
} as const;

/**
 * Starts an OTLP/HTTP receiver: `POST /v1/traces`, JSON and protobuf, plain and gzip.
 * Spans that are not valid are rejected one by one (partial success); a request that cannot be read is answered with 400.
 * Metrics and logs are accepted and discarded, so that SDKs with default settings neither retry nor complain.
 * @throws {SourceError} when the address cannot be listened on.
 */
export async function startOtlpReceiver(options: OtlpReceiverOptions = {}): Promise<OtlpReceiver> {
  const settings = { ...defaults, ...options };
  const buffer = new SpanBuffer(settings);
  const arrivals = new ArrivalSignal();
  const receiving: Receiving = {
    limits: { maxBytes: settings.maxRequestBytes, memory: new BodyMemory(settings.maxBodyBytes) },
    inTurn: createTurns(),
    accept: (spans, bytes) => {
      if (spans.length === 0) return;
      buffer.add(spans, bytes);
      arrivals.notify();
    },
  };
  const server = createServer(timeouts, (request, response) => void handle(request, response, receiving));
  server.maxConnections = settings.maxConnections;
  const url = await listen(server, settings.host, settings.port);
  return {
    name: `otlp=${url.slice('http://'.length)}`,
    warning: warnOfOpenAddress(url),
    isInMemory: true,
    isReceiver: true,
    url,
    get revision() {
      return arrivals.revision;
    },
    get droppedSpans() {
      return buffer.droppedSpans;
    },
    readAll: () => buffer.all(),
    readTrace: async (traceId) => buffer.trace(traceId.toLowerCase()),
    searchTraces: async (query) => selectTraces(buffer.all(), query),
    waitForChange: (since, signal) => arrivals.waitFor(since, signal),
    close: () => {
      arrivals.close(new SourceError(`${url}: the OTLP receiver was closed`));
      return closeServer(server);
    },
  };
}

interface Receiving {
  readonly limits: BodyLimits;
  readonly inTurn: InTurn;
  /** @param bytes Size of the uncompressed request. */
  readonly accept: (spans: readonly Span[], bytes: number) => void;
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  { limits, inTurn, accept }: Receiving,
): Promise<void> {
  const type = readContentType(request);
  try {
    const isTraces = checkTarget(request);
    if (type === null) {
      throw new RefusedRequest(
        415,
        rpcCode.invalidArgument,
        `content-type must be ${contentTypes.join(' or ')}`,
      );
    }
    const rejected: DecodeError[] = [];
    await useRequestBody(request, limits, inTurn, (body) => {
      if (!isTraces) return;
      accept(
        decodeBody(type, body, (error) => rejected.push(error)),
        body.length,
      );
    });
    answer(response, 200, type, encodeSuccess(type, rejected.length, rejected[0]?.message ?? ''));
  } catch (error) {
    if (request.socket.destroyed) return; // The client is gone; nobody is left to be told.
    refuse(response, type ?? 'application/json', toRefusal(error));
  }
}

const contentTypes: readonly OtlpContentType[] = ['application/json', 'application/x-protobuf'];

function readContentType(request: IncomingMessage): OtlpContentType | null {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  return contentTypes.find((known) => known === type) ?? null;
}

/** @returns True for traces, false for the signals that are discarded. */
function checkTarget(request: IncomingMessage): boolean {
  const path = (request.url ?? '').split('?')[0];
  if (path !== '/v1/traces' && path !== '/v1/metrics' && path !== '/v1/logs') {
    throw new RefusedRequest(404, rpcCode.notFound, 'not found; OTLP/HTTP traces go to /v1/traces');
  }
  if (request.method !== 'POST') {
    throw new RefusedRequest(405, rpcCode.unimplemented, 'method not allowed; use POST', { allow: 'POST' });
  }
  return path === '/v1/traces';
}

function decodeBody(
  type: OtlpContentType,
  body: Uint8Array,
  onInvalidSpan: (error: DecodeError) => void,
): readonly Span[] {
  return type === 'application/json'
    ? decodeOtlpJson(parseJson(body), { onInvalidSpan })
    : decodeOtlpProtobuf(body, { onInvalidSpan });
}

function toRefusal(error: unknown): RefusedRequest {
  if (error instanceof RefusedRequest) return error;
  if (error instanceof TooLargeError)
    return new RefusedRequest(413, rpcCode.resourceExhausted, error.message);
  if (error instanceof DecodeError) return new RefusedRequest(400, rpcCode.invalidArgument, error.message);
  return new RefusedRequest(400, rpcCode.invalidArgument, 'the request could not be read');
}

function refuse(response: ServerResponse, type: OtlpContentType, refusal: RefusedRequest): void {
  for (const [name, value] of Object.entries(refusal.headers)) response.setHeader(name, value);
  // What is left of the body is not read, so the connection cannot be used again.
  if (refusal.status === 413 || refusal.status === 503) response.setHeader('connection', 'close');
  answer(response, refusal.status, type, encodeStatus(type, refusal.code, refusal.message));
}

function answer(response: ServerResponse, status: number, type: OtlpContentType, body: Buffer): void {
  response.writeHead(status, { 'content-type': type, 'content-length': body.length });
  response.end(body);
}

function listen(server: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new SourceError(describeListenError(error, host, port))));
    server.listen(port, host, () => {
      const address = server.address();
      const actual = typeof address === 'object' && address !== null ? address.port : port;
      resolve(`http://${host.includes(':') ? `[${host}]` : host}:${actual}`);
    });
  });
}

function describeListenError(error: Error, host: string, port: number): string {
  const code = 'code' in error ? error.code : undefined;
  const where = `otlp=${host}:${port}`;
  if (code === 'EADDRINUSE') return `${where}: the port is in use; choose another one, or 0 for a free one`;
  if (code === 'EACCES') return `${where}: not allowed to listen on this port; choose one above 1023`;
  return `${where}: cannot listen: ${error.message}`;
}

/** Lets answers in progress finish, for two seconds at most. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) return resolve();
    const deadline = setTimeout(() => server.closeAllConnections(), 2_000);
    server.close(() => {
      clearTimeout(deadline);
      resolve();
    });
    server.closeIdleConnections();
  });
}
