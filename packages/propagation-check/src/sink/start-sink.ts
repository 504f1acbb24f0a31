import { setImmediate as untilNextTurn } from 'node:timers/promises';
import type { ExportRequest, Receiving } from '../source/export-request.ts';
import type { Listener } from '../source/listen.ts';
import { warnOfOpenAddress } from '../source/open-address.ts';
import { listenOnAll, tlsComplaint } from '../source/otlp-receiver.ts';
import { BodyMemory } from '../source/request-body.ts';
import { groupBy } from '../util/group-by.ts';
import { Admission, type RefusalReason, reasonOf } from './admission.ts';
import { EdgeCounters } from './edge-counters.ts';
import { createMetrics, type Health } from './metrics.ts';
import type { Address } from './read-address.ts';
import { serveMetrics } from './serve-metrics.ts';
import { readSnapshot, type Snapshot, writeSnapshot } from './snapshot.ts';
import { noTotals, TraceJudge, tickMs } from './trace-judge.ts';

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
/** Of the time that a batch took: the pause before the next. */
const exportShare = 1;
/** Of different messages. */
const mostSaid = 20;

/** Starts a sink that judges what it receives until it is closed. @throws {SourceError} when it cannot listen, or its snapshot is damaged. */
export async function startSink(options: SinkOptions): Promise<Sink> {
  const { statePath, say } = options;
  const before = statePath === null ? null : await readSnapshot(statePath);
  const counters = new EdgeCounters(options.maxEdges, (labels, calls, example) =>
    metrics.countCalls(labels, calls, example),
  );
  const judge = new TraceJudge(
    {
      ...{ closeAfterMs: options.closeAfterMs, maxBytes: options.maxBytes },
      count: (call, calls) => counters.count(call, calls),
      onFault: (error) =>
        complain(
          `a batch of traces was dropped, a fault of this tool: ${error instanceof Error ? error.message : String(error)}`,
        ),
    },
    before?.totals ?? noTotals,
  );
  const exports = before?.exports ?? {
    received: 0,
    refused: { memory: 0, backlog: 0, bodies: 0, invalid: 0 } satisfies Record<RefusalReason, number>,
  };
  // A process that was stopped had judged all that it had received.
  const lost = before === null ? 0 : before.totals.received - before.totals.judged;
  const saved = { at: 0, failures: 0 };
  const admission = new Admission(
    () => judge.bytes <= options.maxBytes,
    () => judge.isBehind,
  );
  let isStopping = false;
  const readHealth = (): Health => {
    const state = judge.state(now());
    const { totals } = judge;
    return {
      propagation_sink_spans_received_total: totals.received,
      propagation_sink_spans_invalid_total: totals.invalid,
      propagation_sink_spans_judged_total: totals.judged,
      propagation_sink_spans_late_total: totals.late,
      propagation_sink_spans_lost_total: lost,
      propagation_sink_spans_open: state.spans,
      propagation_sink_exports_received_total: exports.received,
      propagation_sink_exports_refused_total: exports.refused,
      propagation_sink_traces_open: state.open,
      propagation_sink_traces_closed_total: totals.closed,
      propagation_sink_traces_judged_total: totals.tracesJudged,
      propagation_sink_batches_failed_total: totals.failedBatches,
      propagation_sink_batches_judged_total: totals.batches,
      propagation_sink_judge_seconds_total: totals.judgeMs / 1_000,
      propagation_sink_bytes_held: state.bytes,
      propagation_sink_bytes_limit: options.maxBytes,
      propagation_sink_seconds_behind: Math.max(state.behindMs, admission.waitedMs) / 1_000,
      propagation_sink_edges: counters.edges,
      propagation_sink_edges_limit: options.maxEdges,
      propagation_sink_snapshot_timestamp_seconds: saved.at / 1_000,
      propagation_sink_snapshot_failures_total: saved.failures,
    };
  };
  const metrics = createMetrics(readHealth);
  if (before !== null) counters.restore(before.edges);

  const save = async (path: string): Promise<void> => {
    const snapshot: Snapshot = { totals: judge.totals, exports, lost, edges: counters.list() };
    await writeSnapshot(path, snapshot);
    saved.at = Date.now();
  };
  if (statePath !== null) await save(statePath);

  const said = new Set<string>();
  const complain = (message: string) => {
    if (said.has(message) || said.size >= mostSaid) return;
    said.add(message);
    say(message);
  };
  const receiving: Receiving = {
    limits: { maxBytes: maxRequestBytes, memory: new BodyMemory(maxBodyBytes) },
    inTurn: admission.inTurn,
    admit: () => admission.admit(),
    accept: async (request) => (request.signal === 'traces' ? take(request) : []),
    onRefusal: (refusal) => {
      exports.refused[reasonOf(refusal)] += 1;
    },
    complain,
  };
  const take = (request: ExportRequest) => {
    const { rejected } = judge.take(request, now());
    if (judge.isReady) judgeSoon();
    exports.received += 1;
    const [first] = rejected;
    if (first !== undefined)
      complain(`an export had spans that are not valid and were left out, the first: ${first.message}`);
    return rejected;
  };

  /** How long the last batch took, in milliseconds. */
  let lastMs = 0;
  const tick = () => {
    const begunAt = performance.now();
    judge.tick(now());
    lastMs = performance.now() - begunAt;
    admission.addWork(lastMs);
  };
  let isSoon = false;
  /** One batch, and then time for exports: the body of one arrives in many turns of the event loop. */
  const judgeSoon = () => {
    if (isSoon) return;
    isSoon = true;
    setTimeout(() => {
      isSoon = false;
      tick();
      if (judge.isReady) judgeSoon();
    }, lastMs * exportShare).unref();
  };

  const listeners: Listener[] = [];
  const closeListeners = () => Promise.all(listeners.map((listener) => listener.close()));
  const urls: string[] = [];
  try {
    for (const addresses of groupBy(options.listen, ({ host }) => host)) {
      const [{ host }] = addresses;
      const ports = addresses.map(({ port }) => port);
      const opened = await listenOnAll(
        { host, port: ports, maxConnections, option: '--listen [HOST:]PORT' },
        receiving,
        () => complain(tlsComplaint),
      );
      listeners.push(...opened);
      urls.push(...opened.map(({ port }) => toUrl({ host, port })));
    }
  } catch (error) {
    await closeListeners();
    throw error;
  }
  let saving = Promise.resolve();
  const trySave = (): Promise<void> => {
    if (statePath === null) return saving;
    saving = saving.then(() =>
      save(statePath).catch((error: unknown) => {
        saved.failures += 1;
        complain(error instanceof Error ? error.message : String(error));
      }),
    );
    return saving;
  };
  const server = await serveMetrics(options.metrics, {
    contentType: metrics.contentType,
    renderMetrics: async () => {
      const text = await metrics.render();
      // A sink that is killed never goes on with less than was scraped: Prometheus takes that for a counter that began again.
      await trySave();
      return text;
    },
    listCounts: () => counters.list(),
    findObstacle: () => (isStopping ? 'stopping' : (admission.findObstacle()?.message ?? null)),
  }).catch(async (error: unknown) => {
    await closeListeners();
    throw error;
  });
  const url = toUrl({ ...options.metrics, port: server.port });
  for (const warning of [...urls, url].flatMap((each) => warnOfOpenAddress(each) ?? [])) say(warning);

  const ticking = setInterval(tick, tickMs);
  const timer = setInterval(() => void trySave(), options.saveEveryMs);
  return {
    urls,
    url,
    close: async () => {
      isStopping = true;
      await closeListeners();
      // Accepted exports come before.
      await admission.inTurn(async () => {});
      clearInterval(ticking);
      clearInterval(timer);
      try {
        while (judge.finish(now())) await untilNextTurn();
        await saving;
        if (statePath !== null) await save(statePath);
      } finally {
        await server.close();
      }
    },
  };
}

/** Milliseconds since the epoch on a clock that nobody sets. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

function toUrl({ host, port }: Address): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
