import { Counter, collectDefaultMetrics, Gauge, type OpenMetricsContentType, Registry } from 'prom-client';
import { keyFor } from '../util/group-by.ts';
import type { EdgeCount } from './edge-counters.ts';
import type { Snapshot } from './snapshot.ts';

/** All metrics of the sink, except those of the process. `docs/sink.md` has the same table. */
export const metrics = [
  {
    name: 'propagation_edge_calls_total',
    labels: ['client', 'server', 'verdict', 'cause'],
    help: 'Calls between two services by verdict (intact, broken, undecided) and cause (a finding, judged-apart, past-service, or empty for intact)',
  },
  {
    name: 'propagation_sink_spans_received_total',
    help: 'Valid spans of accepted exports: received = judged + open + lost',
  },
  {
    name: 'propagation_sink_spans_invalid_total',
    help: 'Spans that are not valid and were left out of accepted exports',
  },
  { name: 'propagation_sink_spans_judged_total', help: 'Spans that were judged' },
  {
    name: 'propagation_sink_spans_late_total',
    help: 'Spans that came after their trace had left the window, and were judged as its rest',
  },
  {
    name: 'propagation_sink_calls_repeated_total',
    help: 'Calls among late spans that were judged before, as of an export that is sent again: not counted again',
  },
  {
    name: 'propagation_sink_spans_lost_total',
    help: 'Spans that a process had received and not judged when it was killed, by its last snapshot',
  },
  { name: 'propagation_sink_spans_open', help: 'Spans that are held and not judged yet' },
  { name: 'propagation_sink_exports_received_total', help: 'Exports of traces that were accepted' },
  {
    name: 'propagation_sink_exports_refused_total',
    labels: ['reason'],
    help: 'Exports that were refused: memory, backlog and bodies are answered with 503, and clients try again; invalid and fault (of the sink) for good',
  },
  { name: 'propagation_sink_traces_open', help: 'Traces of which spans may still come' },
  {
    name: 'propagation_sink_traces_closed_total',
    labels: ['reason'],
    help: 'Traces that were closed: inactive, age, memory (before their time, because it was full), stop',
  },
  { name: 'propagation_sink_traces_judged_total', help: 'Traces that were judged' },
  {
    name: 'propagation_sink_batches_failed_total',
    help: 'Batches of traces that were dropped because of a fault of the engine',
  },
  { name: 'propagation_sink_batches_judged_total', help: 'Batches of traces that were judged together' },
  { name: 'propagation_sink_judge_seconds_total', help: 'Time that the engine took' },
  { name: 'propagation_sink_held_bytes', help: 'Memory for spans and their traces' },
  { name: 'propagation_sink_limit_bytes', help: 'The most that --memory allows' },
  {
    name: 'propagation_sink_behind_seconds',
    help: 'How long the first export or closed trace has waited for its turn; 0 while the sink keeps up',
  },
  { name: 'propagation_sink_edges', help: 'Pairs of services that have a counter of their own' },
  {
    name: 'propagation_sink_edges_limit',
    help: 'The most that --max-edges allows; further pairs are counted as other',
  },
  {
    name: 'propagation_sink_snapshot_timestamp_seconds',
    help: 'When the counters were saved last; 0 without --state',
  },
  { name: 'propagation_sink_snapshot_failures_total', help: 'Snapshots that could not be written' },
] as const satisfies readonly {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}[];

type HealthName = Exclude<(typeof metrics)[number]['name'], 'propagation_edge_calls_total'>;
/** Totals that are saved with the calls. Failed saves are counted for this process alone. */
type TotalName = Exclude<Extract<HealthName, `${string}_total`>, 'propagation_sink_snapshot_failures_total'>;

/** The values of metrics at one time: a number, or a number for each value of the label. */
type Values<Name extends HealthName> = Readonly<Record<Name, number | Readonly<Record<string, number>>>>;

export type States = Values<Exclude<HealthName, TotalName>>;

/** The metrics of a sink, in the format of Prometheus. */
export interface SinkMetrics {
  readonly contentType: string;
  render(snapshot: Snapshot, states: States): Promise<string>;
}

/** @param before The counts of an earlier process, which have no exemplars. */
export function createMetrics(before: readonly EdgeCount[]): SinkMetrics {
  const registry = new Registry<OpenMetricsContentType>();
  // Set once, before metrics are made: in the other format the names of counters differ.
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  collectDefaultMetrics({ register: registry });
  const [calls, ...health] = metrics;
  // Exemplars share the type of the labels.
  const edgeCalls = new Counter<(typeof calls.labels)[number] | 'trace_id'>({
    ...{ name: calls.name, help: calls.help, labelNames: calls.labels },
    ...{ registers: [registry], enableExemplars: true },
  });
  const added = new Map<string, number>();
  const addCount = (
    { client, server, verdict, cause, calls: total, examples }: EdgeCount,
    hasExemplar: boolean,
  ) => {
    const key = keyFor(client, server, verdict, cause);
    const value = total - (added.get(key) ?? 0);
    if (value === 0) return;
    added.set(key, total);
    const example = hasExemplar ? examples.at(-1) : undefined;
    const exemplar = example === undefined ? {} : { exemplarLabels: { trace_id: example.traceId } };
    edgeCalls.inc({ labels: { client, server, verdict, cause }, value, ...exemplar });
  };
  for (const count of before) addCount(count, false);
  const setters = health.map((metric) => createHealth(metric, registry));
  return {
    contentType: registry.contentType,
    render: (snapshot, states) => {
      for (const count of snapshot.edges) addCount(count, true);
      const values = { ...readTotals(snapshot), ...states };
      for (const set of setters) set(values);
      return registry.metrics();
    },
  };
}

function readTotals({ totals, exports, lost }: Snapshot): Values<TotalName> {
  return {
    propagation_sink_spans_received_total: totals.received,
    propagation_sink_spans_invalid_total: totals.invalid,
    propagation_sink_spans_judged_total: totals.judged,
    propagation_sink_spans_late_total: totals.late,
    propagation_sink_calls_repeated_total: totals.repeated,
    propagation_sink_spans_lost_total: lost,
    propagation_sink_exports_received_total: exports.received,
    propagation_sink_exports_refused_total: exports.refused,
    propagation_sink_traces_closed_total: totals.closed,
    propagation_sink_traces_judged_total: totals.tracesJudged,
    propagation_sink_batches_failed_total: totals.failedBatches,
    propagation_sink_batches_judged_total: totals.batches,
    propagation_sink_judge_seconds_total: totals.judgeMs / 1_000,
  };
}

function createHealth(
  metric: Extract<(typeof metrics)[number], { readonly name: HealthName }>,
  registry: Registry<OpenMetricsContentType>,
): (values: Values<HealthName>) => void {
  const { name, help } = metric;
  const labelNames: readonly string[] = 'labels' in metric ? metric.labels : [];
  const options = { name, help, labelNames, registers: [registry] };
  if (!name.endsWith('_total')) {
    const gauge = new Gauge(options);
    return (values) => {
      for (const [labels, value] of listValues(values[name], labelNames)) gauge.set(labels, value);
    };
  }
  const counter = new Counter(options);
  return (values) => {
    counter.reset();
    for (const [labels, value] of listValues(values[name], labelNames)) counter.inc(labels, value);
  };
}

function listValues(
  value: Values<HealthName>[HealthName],
  [label = '']: readonly string[],
): readonly (readonly [Record<string, string>, number])[] {
  if (typeof value === 'number') return [[{}, value]];
  return Object.entries(value).map(([name, one]) => [{ [label]: name }, one]);
}
