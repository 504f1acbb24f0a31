import { Counter, collectDefaultMetrics, Gauge, type OpenMetricsContentType, Registry } from 'prom-client';
import type { EdgeLabels, Example } from './edge-counters.ts';

/** Every metric of the sink beside those of the process. The docs have the same table. */
export const metrics = [
  {
    name: 'propagation_edge_calls_total',
    labels: ['client', 'server', 'verdict', 'cause'],
    help: 'Calls between two services by verdict (intact, broken, undecided) and cause (a finding; empty for intact)',
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
    help: 'Spans that came after their trace was judged, and were judged as its rest',
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
    help: 'Exports that were refused: memory, backlog and bodies are answered with 503, and clients try again',
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
  { name: 'propagation_sink_bytes_held', help: 'Memory for spans and their traces' },
  { name: 'propagation_sink_bytes_limit', help: 'The most that --memory allows' },
  {
    name: 'propagation_sink_seconds_behind',
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

type MetricName = (typeof metrics)[number]['name'];
type HealthName = Exclude<MetricName, 'propagation_edge_calls_total'>;

/** The value of a metric now, or its values by the value of its label. */
export type Health = Readonly<Record<HealthName, number | Readonly<Record<string, number>>>>;

/** The metrics of one sink, as Prometheus reads them. */
export interface SinkMetrics {
  countCalls(labels: EdgeLabels, calls: number, example: Example | null): void;
  readonly contentType: string;
  render(): Promise<string>;
}

/** @param readHealth Asked at each scrape. */
export function createMetrics(readHealth: () => Health): SinkMetrics {
  const registry = new Registry<OpenMetricsContentType>();
  // For the whole life of the registry: the names of counters differ in the other one.
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  collectDefaultMetrics({ register: registry });
  const [calls, ...health] = metrics;
  // The type of the labels is that of exemplars too.
  const edgeCalls = new Counter<(typeof calls.labels)[number] | 'trace_id'>({
    ...{ name: calls.name, help: calls.help, labelNames: calls.labels },
    ...{ registers: [registry], enableExemplars: true },
  });
  for (const metric of health) {
    const { name, help } = metric;
    const labelNames: readonly string[] = 'labels' in metric ? metric.labels : [];
    const options = { name, help, labelNames, registers: [registry] };
    if (name.endsWith('_total')) {
      new Counter({
        ...options,
        collect() {
          this.reset();
          for (const [labels, value] of listValues(readHealth()[name], labelNames)) this.inc(labels, value);
        },
      });
    } else {
      new Gauge({
        ...options,
        collect() {
          for (const [labels, value] of listValues(readHealth()[name], labelNames)) this.set(labels, value);
        },
      });
    }
  }
  return {
    countCalls: ({ client, server, verdict, cause }, value, example) => {
      const labels = { client, server, verdict, cause };
      edgeCalls.inc({
        ...{ labels, value },
        ...(example === null ? {} : { exemplarLabels: { trace_id: example.traceId } }),
      });
    },
    contentType: registry.contentType,
    render: () => registry.metrics(),
  };
}

function listValues(
  value: Health[HealthName],
  [label = '']: readonly string[],
): readonly (readonly [Record<string, string>, number])[] {
  if (typeof value === 'number') return [[{}, value]];
  return Object.entries(value).map(([name, one]) => [{ [label]: name }, one]);
}
