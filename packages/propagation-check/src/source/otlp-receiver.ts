import { encodeOtlpLines } from '../span/encode-otlp-lines.ts';
import type { Span } from '../span/span.ts';
import type { SpanStore } from '../span/span-store.ts';
import { omitUndefined } from '../util/omit-undefined.ts';
import { ArrivalSignal } from './arrival-signal.ts';
import type { ReadExport } from './export-reader.ts';
import type { AcceptedExport, ExportSink, OwnAddress, Receiving } from './export-request.ts';
import { callTimeoutMs, type Listener, type ListenOptions, listen } from './listen.ts';
import { warnOfOpenAddress } from './open-address.ts';
import { answerGrpc } from './otlp-grpc.ts';
import { answerHttp } from './otlp-http.ts';
import { BodyMemory, createTurns } from './request-body.ts';
import { selectTraces } from './select-spans.ts';
import { type Source, SourceError } from './source.ts';
import { SpanBuffer } from './span-buffer.ts';

/** Addresses and limits of a receiver. */
export interface OtlpReceiverOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Each port accepts gRPC and HTTP. Default 4318 and 4317, to which SDKs export by default; 0 takes a free port. */
  readonly port?: number | readonly number[];
  /** Largest request body, uncompressed. Default 64 MiB. */
  readonly maxRequestBytes?: number;
  /** Spans kept in memory. Default 200,000. */
  readonly maxSpans?: number;
  /** Memory for spans, estimated by the size of the requests. Default 512 MiB. */
  readonly maxBytes?: number;
  /** Memory for the bodies of requests while they arrive. Default 256 MiB. */
  readonly maxBodyBytes?: number;
  /** Connections that may be open at once; others are closed. Default 500. */
  readonly maxConnections?: number;
  /** Called once when the receiver listens: opens further destinations of exports. The receiver closes them when it closes. */
  readonly openSinks?: (own: OwnAddress) => Promise<readonly ExportSink[]>;
}

/** An embedded receiver of OTLP over gRPC and HTTP that stores the spans it receives. */
export interface OtlpReceiver extends Source {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`, with any `OTEL_EXPORTER_OTLP_PROTOCOL`: `http://127.0.0.1:4318`. */
  readonly url: string;
  /** Grows with each export request that contains spans. */
  readonly revision: number;
  /** Spans that were dropped because the memory was full. */
  readonly droppedSpans: number;
  /** Every stored span, in order of arrival within its trace, with the attributes that rules read. */
  readAll(): readonly Span[];
  /** Forgets every span, and later spans of the same traces: one test must not see the spans of the test before it. */
  clear(): void;
  /** All stored spans, in columns. */
  readStore(): SpanStore;
  /**
   * Waits until `revision` is greater than `since`, and returns it; returns at once if it is already greater.
   * Rejects with the signal's reason when the signal is aborted, and with a SourceError when the receiver is closed.
   */
  waitForChange(since: number, signal?: AbortSignal): Promise<number>;
}

const defaults = {
  host: '127.0.0.1',
  port: [4318, 4317],
  maxRequestBytes: 64 * 1024 * 1024,
  maxSpans: 200_000,
  maxBytes: 512 * 1024 * 1024,
  maxBodyBytes: 256 * 1024 * 1024,
  maxConnections: 500,
} as const;

/** The number of distinct reasons of refusals that are kept. */
const maxComplaints = 5;

/**
 * Starts a receiver of OTLP over HTTP (`POST /v1/traces`, JSON and protobuf) and gRPC, plain and gzip. Every port accepts both: HTTP/2
 * with prior knowledge is gRPC.
 * Invalid spans are rejected one by one (partial success); a request that cannot be read is answered with an error. Metrics and logs are
 * accepted and discarded, so that SDKs with default settings neither retry nor report errors.
 * @throws {SourceError} when one of the ports is not available: spans that services send to another program there would be missing.
 */
export async function startOtlpReceiver(options: OtlpReceiverOptions = {}): Promise<OtlpReceiver> {
  const settings = { ...defaults, ...omitUndefined(options) };
  const buffer = new SpanBuffer(settings);
  const arrivals = new ArrivalSignal();
  const complaints = new Complaints();
  let giveSinks: (sinks: readonly ExportSink[]) => void = () => undefined;
  const opened = new Promise<readonly ExportSink[]>((resolve) => {
    giveSinks = resolve;
  });
  const passOn = async (accepted: AcceptedExport) => {
    for (const sink of await opened) await sink.take(accepted);
  };
  const receiving = createReceiving(settings, { buffer, arrivals, complaints, passOn });
  const listeners = await listenOnAll(settings, receiving, () => complaints.add(tlsComplaint));
  const ports = listeners.map((listener) => listener.port);
  const closeAll = async () => {
    await Promise.all(listeners.map((listener) => listener.close()));
  };
  const sinks = await (settings.openSinks?.({ host: settings.host, ports }) ?? Promise.resolve([])).catch(
    async (error: unknown) => {
      giveSinks([]);
      await closeAll();
      throw error;
    },
  );
  giveSinks(sinks);
  const close = async () => {
    await closeAll();
    // Waits until all accepted exports are passed on.
    await receiving.inTurn(async () => {});
    // All sinks are closed even if one fails, so that each reports its losses.
    for (const closing of await Promise.allSettled(sinks.map((sink) => sink.close()))) {
      if (closing.status === 'rejected') throw closing.reason;
    }
  };
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
  return toReceiver({ host, ports, buffer, arrivals, complaints, close }, async (spans) => {
    if (sinks.length > 0 && spans.length > 0) await passOn(toExport(spans));
  });
}

/** Collects the reasons why exports were refused or spans left out. */
class Complaints {
  readonly #counts = new Map<string, number>();

  add(message: string): void {
    if (this.#counts.size < maxComplaints || this.#counts.has(message))
      this.#counts.set(message, (this.#counts.get(message) ?? 0) + 1);
  }

  list(): readonly string[] {
    return [...this.#counts].map(([message, count]) =>
      count === 1 ? message : `${message} (${count} times)`,
    );
  }
}

interface ReceivingParts {
  readonly buffer: SpanBuffer;
  readonly arrivals: ArrivalSignal;
  readonly complaints: Complaints;
  readonly passOn: (accepted: AcceptedExport) => Promise<void>;
}

function createReceiving(
  { maxRequestBytes, maxBodyBytes }: Required<Pick<OtlpReceiverOptions, 'maxRequestBytes' | 'maxBodyBytes'>>,
  { buffer, arrivals, complaints, passOn }: ReceivingParts,
): Receiving {
  return {
    limits: { maxBytes: maxRequestBytes, memory: new BodyMemory(maxBodyBytes) },
    inTurn: createTurns(),
    accept: async (request) => {
      const { rejected, ...read } = request.signal === 'traces' ? buffer.add(request) : noSpans;
      await passOn({ ...request, ...read });
      if (read.spanCount > 0) arrivals.notify();
      for (const { message } of rejected.slice(0, 1)) {
        complaints.add(`an export had spans that are not valid and were left out, the first: ${message}`);
      }
      return rejected;
    },
    complain: (message) => complaints.add(message),
  };
}

interface ReceiverParts extends Omit<ReceivingParts, 'passOn'> {
  /** The host as it is written in a URL. */
  readonly host: string;
  readonly ports: readonly number[];
  readonly close: () => Promise<void>;
}

function toReceiver(
  { host, ports, buffer, arrivals, complaints, close }: ReceiverParts,
  passOn: (spans: readonly Span[]) => Promise<void>,
): OtlpReceiver {
  const url = `http://${host}:${ports[0]}`;
  let closed: Promise<void> | null = null;
  return {
    name: `otlp=${host}:${ports.join(',')}`,
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
    get complaints() {
      const dropped = `${buffer.droppedSpans} spans were dropped, the oldest traces first: the memory for them is full`;
      return buffer.droppedSpans === 0 ? complaints.list() : [...complaints.list(), dropped];
    },
    readAll: () => buffer.all(),
    clear: () => buffer.clear(),
    forget: (traceIds) => buffer.forget(traceIds),
    readStore: () => buffer.store(),
    readTrace: async (traceId) => buffer.trace(traceId.toLowerCase()),
    searchTraces: async (query) => selectTraces(buffer.all(), query),
    waitForChange: (since, signal) => arrivals.waitFor(since, signal),
    passOn,
    close: () => {
      arrivals.close(new SourceError(`${url}: the OTLP receiver was closed`));
      closed ??= close();
      return closed;
    },
  };
}

type ListenAddresses = Required<Pick<OtlpReceiverOptions, 'host' | 'port' | 'maxConnections'>> &
  Pick<ListenOptions, 'option'>;

const noSpans: ReadExport = { spanCount: 0, validSpans: null, rejected: [] };

/** @param spans Spans of one resource. */
function toExport(spans: readonly Span[]): AcceptedExport {
  const body = Buffer.from(encodeOtlpLines(spans));
  return { signal: 'traces', type: 'application/json', body, spanCount: spans.length, validSpans: null };
}

export const tlsComplaint =
  'a service wants to speak TLS, and this receiver does not: let its OTEL_EXPORTER_OTLP_ENDPOINT begin with http://';

/** Listens for exports on each port. @throws {SourceError} when one port is not available; then none is open. */
export async function listenOnAll(
  { host, port, maxConnections, option }: ListenAddresses,
  receiving: Receiving,
  onTls: () => void,
): Promise<readonly Listener[]> {
  const listeners: Listener[] = [];
  try {
    for (const each of typeof port === 'number' ? [port] : port) {
      listeners.push(
        await listen({
          host,
          port: each,
          maxConnections,
          ...(option === undefined ? {} : { option }),
          onRequest: (request, response) => void answerHttp(request, response, receiving),
          onStream: (stream, headers) => void answerGrpc(stream, headers, receiving, callTimeoutMs),
          onTls,
        }),
      );
    }
  } catch (error) {
    await Promise.all(listeners.map((listener) => listener.close()));
    throw error;
  }
  return listeners;
}
