import { setImmediate as untilNextTurn } from 'node:timers/promises';
import type { ExportRequest, Receiving } from '../source/export-request.ts';
import type { Listener } from '../source/listen.ts';
import { warnOfOpenAddress } from '../source/open-address.ts';
import { listenOnAll, tlsComplaint } from '../source/otlp-receiver.ts';
import { BodyMemory } from '../source/request-body.ts';
import { groupBy } from '../util/group-by.ts';
import { Admission, reasonOf } from './admission.ts';
import { CountersFile } from './counters-file.ts';
import { JudgeLoop, now } from './judge-loop.ts';
import { createMetrics, type States } from './metrics.ts';
import type { Address } from './read-address.ts';
import { serveMetrics } from './serve-metrics.ts';
import { SinkBooks } from './sink-books.ts';

export interface SinkOptions {
  readonly listen: readonly Address[];
  readonly metrics: Address;
  /** Milliseconds. */
  readonly closeAfterMs: number;
  readonly maxBytes: number;
  readonly maxEdges: number;
  /** The file of the snapshot. */
  readonly statePath: string | null;
  /** Milliseconds between two snapshots. */
  readonly saveEveryMs: number;
  /** For people, each message once. */
  readonly say: (message: string) => void;
}

export interface Sink {
  /** For exporters, by address. */
  readonly urls: readonly string[];
  /** Of the metrics. */
  readonly url: string;
  /** Takes no more, judges what is here, saves the counters. @throws {SourceError} when these cannot be saved. */
  close(): Promise<void>;
}

/** Of one export, uncompressed. */
const maxRequestBytes = 64 * 1024 * 1024;
/** Of all that arrive at one time. */
const maxBodyBytes = 128 * 1024 * 1024;
const maxConnections = 500;
/** Of different messages. */
const mostSaid = 20;

/** Starts a sink that judges what it receives until it is closed. @throws {SourceError} when it cannot listen, or its snapshot is damaged or in use. */
export async function startSink(options: SinkOptions): Promise<Sink> {
  const file = options.statePath === null ? null : await CountersFile.open(options.statePath);
  try {
    return await openSink(options, file);
  } catch (error) {
    await file?.giveUp();
    throw error;
  }
}

async function openSink(options: SinkOptions, file: CountersFile | null): Promise<Sink> {
  const complain = sayOnce(options.say);
  const onFault = (error: unknown) =>
    complain(`a batch of traces was dropped, a fault of this tool: ${messageOf(error)}`);
  const books = new SinkBooks({ ...options, onFault }, file?.before ?? null);
  const { judge } = books;
  const metrics = createMetrics(books.counters.list());
  let saved = books.takeSnapshot();
  await file?.save(() => saved);
  const admission = new Admission(
    () => judge.bytes <= options.maxBytes,
    () => judge.isBehind,
  );
  const loop = new JudgeLoop(judge, (milliseconds) => admission.addWork(milliseconds));
  const { listeners, urls } = await listenAt(
    options.listen,
    createReceiving(books, { admission, loop, complain }),
    complain,
  );
  const closeListeners = () => Promise.all(listeners.map((listener) => listener.close()));
  /** @returns Whether it was. */
  const trySave = async (): Promise<boolean> => {
    try {
      await file?.save(() => books.takeSnapshot());
      return true;
    } catch (error) {
      complain(messageOf(error));
      return false;
    }
  };
  let isStopping = false;
  const server = await serveMetrics(options.metrics, {
    contentType: metrics.contentType,
    renderMetrics: async () => {
      const snapshot = books.takeSnapshot();
      const states = readStates(books, admission, options, file);
      // No scrape tells counts that are not saved: Prometheus takes a counter that goes back for one that began again.
      if (await trySave()) saved = snapshot;
      return metrics.render(saved, states);
    },
    listCounts: () => books.counters.list(),
    findObstacle: () => (isStopping ? 'stopping' : (admission.findObstacle()?.message ?? null)),
  }).catch(async (error: unknown) => {
    await closeListeners();
    throw error;
  });
  const url = toUrl({ ...options.metrics, port: server.port });
  for (const warning of [...urls, url].flatMap((each) => warnOfOpenAddress(each) ?? [])) options.say(warning);
  loop.start();
  const saving = setInterval(() => void trySave(), options.saveEveryMs);
  return {
    urls,
    url,
    close: async () => {
      isStopping = true;
      await closeListeners();
      // Accepted exports come before.
      await admission.inTurn(async () => {});
      loop.stop();
      clearInterval(saving);
      try {
        while (judge.finish(now())) await untilNextTurn();
        await file?.save(() => books.takeSnapshot());
      } finally {
        await Promise.all([server.close(), file?.close()]);
      }
    },
  };
}

interface ReceivingParts {
  readonly admission: Admission;
  readonly loop: JudgeLoop;
  readonly complain: (message: string) => void;
}

function createReceiving(
  { judge, exports }: SinkBooks,
  { admission, loop, complain }: ReceivingParts,
): Receiving {
  const take = (request: ExportRequest) => {
    const { rejected } = judge.take(request, now());
    loop.judgeSoon();
    exports.received += 1;
    const [first] = rejected;
    if (first !== undefined)
      complain(`an export had spans that are not valid and were left out, the first: ${first.message}`);
    return rejected;
  };
  return {
    limits: { maxBytes: maxRequestBytes, memory: new BodyMemory(maxBodyBytes) },
    inTurn: admission.inTurn,
    admit: () => admission.admit(),
    accept: async (request) => (request.signal === 'traces' ? take(request) : []),
    onRefusal: (refusal) => {
      exports.refused[reasonOf(refusal)] += 1;
    },
    complain,
  };
}

async function listenAt(
  addresses: readonly Address[],
  receiving: Receiving,
  complain: (message: string) => void,
): Promise<{ readonly listeners: readonly Listener[]; readonly urls: readonly string[] }> {
  const listeners: Listener[] = [];
  const urls: string[] = [];
  try {
    for (const group of groupBy(addresses, ({ host }) => host)) {
      const [{ host }] = group;
      const port = group.map((address) => address.port);
      const opened = await listenOnAll(
        { host, port, maxConnections, option: '--listen [HOST:]PORT' },
        receiving,
        () => complain(tlsComplaint),
      );
      listeners.push(...opened);
      urls.push(...opened.map((listener) => toUrl({ host, port: listener.port })));
    }
    return { listeners, urls };
  } catch (error) {
    await Promise.all(listeners.map((listener) => listener.close()));
    throw error;
  }
}

function readStates(
  { judge, counters }: SinkBooks,
  admission: Admission,
  { maxBytes, maxEdges }: SinkOptions,
  file: CountersFile | null,
): States {
  const state = judge.state(now());
  return {
    propagation_sink_spans_open: state.spans,
    propagation_sink_traces_open: state.open,
    propagation_sink_bytes_held: state.bytes,
    propagation_sink_bytes_limit: maxBytes,
    propagation_sink_seconds_behind: Math.max(state.behindMs, admission.waitedMs) / 1_000,
    propagation_sink_edges: counters.edges,
    propagation_sink_edges_limit: maxEdges,
    propagation_sink_snapshot_timestamp_seconds: (file?.savedAt ?? 0) / 1_000,
    propagation_sink_snapshot_failures_total: file?.failures ?? 0,
  };
}

function sayOnce(say: (message: string) => void): (message: string) => void {
  const said = new Set<string>();
  return (message) => {
    if (said.has(message) || said.size >= mostSaid) return;
    said.add(message);
    say(message);
  };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function toUrl({ host, port }: Address): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
