import { setImmediate as untilNextTurn } from 'node:timers/promises';
import { warnOfOpenAddress } from '../source/open-address.ts';
import { messageOf } from '../util/message-of.ts';
import { Admission } from './admission.ts';
import { CountersFile } from './counters-file.ts';
import { CountersSaver } from './counters-saver.ts';
import { JudgeLoop, now } from './judge-loop.ts';
import { createMetrics, type States } from './metrics.ts';
import { type Address, toUrl } from './read-address.ts';
import { type Intake, receiveExports } from './receive-exports.ts';
import { type MetricsServer, type MetricsSources, serveMetrics } from './serve-metrics.ts';
import { SinkBooks } from './sink-books.ts';

export interface SinkOptions {
  readonly listen: readonly Address[];
  readonly metrics: Address;
  /** How long a trace must be quiet before it is closed, in milliseconds. */
  readonly closeAfterMs: number;
  readonly maxBytes: number;
  readonly maxEdges: number;
  /** The path of the snapshot; null where counters are not saved. */
  readonly statePath: string | null;
  /** Milliseconds between two snapshots. */
  readonly saveEveryMs: number;
  /** Prints a message for people. */
  readonly say: (message: string) => void;
}

export interface Sink {
  /** The addresses for exporters. */
  readonly urls: readonly string[];
  /** The address of the metrics. */
  readonly url: string;
  /** Stops receiving, judges the spans in memory, and saves the counters. @throws {SourceError} when the counters cannot be saved. */
  close(): Promise<void>;
}

/** How many different messages of one kind are printed. */
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
  const parts = makeParts(options, file);
  await parts.saver.save();
  const intake = await receiveExports(options.listen, {
    ...parts,
    maxBytes: options.maxBytes,
    // Clients can cause any number of these messages, so they have their own limit: other messages are still printed.
    complain: sayOnce(options.say),
  });
  const server = await serveMetrics(options.metrics, createSources(parts, options)).catch(
    async (error: unknown) => {
      await intake.close();
      throw error;
    },
  );
  return run(parts, { intake, server, file }, options);
}

interface SinkParts {
  readonly books: SinkBooks;
  readonly admission: Admission;
  readonly loop: JudgeLoop;
  readonly saver: CountersSaver;
  readonly state: { isStopping: boolean };
}

function makeParts(options: SinkOptions, file: CountersFile | null): SinkParts {
  const sayFault = sayOnce(options.say);
  const onFault = (error: unknown) =>
    sayFault(`a batch of traces was dropped, a fault of this tool: ${messageOf(error)}`);
  const books = new SinkBooks({ ...options, onFault }, file?.before ?? null);
  const { judge } = books;
  const admission = new Admission(
    () => judge.bytes <= options.maxBytes,
    () => judge.isBehind,
  );
  const loop = new JudgeLoop(judge, (milliseconds) => admission.addWork(milliseconds));
  const saver = new CountersSaver(file, () => books.takeSnapshot(), options.say);
  return { books, admission, loop, saver, state: { isStopping: false } };
}

function createSources(parts: SinkParts, options: SinkOptions): MetricsSources {
  const { books, admission, saver, state } = parts;
  const metrics = createMetrics(books.counters.list());
  let saved = books.takeSnapshot();
  return {
    contentType: metrics.contentType,
    renderMetrics: async () => {
      const snapshot = books.takeSnapshot();
      const states = readStates(parts, options);
      // A scrape shows only saved counters: after a restart a lower value would look like a reset to Prometheus.
      if (await saver.trySave()) saved = snapshot;
      return metrics.render(saved, states);
    },
    listCounts: () => books.counters.list(),
    findObstacle: () => (state.isStopping ? 'stopping' : (admission.findObstacle()?.message ?? null)),
  };
}

interface OpenParts {
  readonly intake: Intake;
  readonly server: MetricsServer;
  readonly file: CountersFile | null;
}

function run(
  { books, loop, saver, state }: SinkParts,
  { intake, server, file }: OpenParts,
  { metrics, saveEveryMs, say }: SinkOptions,
): Sink {
  const url = toUrl({ ...metrics, port: server.port });
  for (const warning of [...intake.urls, url].flatMap((each) => warnOfOpenAddress(each) ?? [])) say(warning);
  loop.start();
  saver.start(saveEveryMs);
  return {
    urls: intake.urls,
    url,
    close: async () => {
      state.isStopping = true;
      await intake.close();
      loop.stop();
      try {
        // Saves before judging, and during it: the process may be killed before the end.
        await saver.trySave();
        while (books.judge.finish(now())) await untilNextTurn();
        saver.stop();
        await saver.save();
      } finally {
        saver.stop();
        await Promise.all([server.close(), file?.close()]);
      }
    },
  };
}

function readStates(
  { books: { judge, counters }, admission, saver }: SinkParts,
  { maxBytes, maxEdges }: SinkOptions,
): States {
  const state = judge.state(now());
  return {
    propagation_sink_spans_open: state.spans,
    propagation_sink_traces_open: state.open,
    propagation_sink_held_bytes: state.bytes,
    propagation_sink_limit_bytes: maxBytes,
    propagation_sink_behind_seconds: Math.max(state.behindMs, admission.waitedMs) / 1_000,
    propagation_sink_edges: counters.edges,
    propagation_sink_edges_limit: maxEdges,
    propagation_sink_snapshot_timestamp_seconds: saver.savedAt / 1_000,
    propagation_sink_snapshot_failures_total: saver.failures,
  };
}

/** Prints each message once, and at most `mostSaid` messages. */
function sayOnce(say: (message: string) => void): (message: string) => void {
  const said = new Set<string>();
  return (message) => {
    if (said.has(message) || said.size >= mostSaid) return;
    said.add(message);
    say(message);
  };
}
