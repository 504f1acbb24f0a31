import { readSamples, type Sample, sumSamples } from './samples.ts';

/** Spans, since the process started. */
export interface ServiceCounters {
  /** Spans that ended and were sampled. */
  readonly finished: number;
  /** Spans read from the spool that an earlier process left. */
  readonly restored: number;
  /** Spans that the Collector accepted. */
  readonly exported: number;
  readonly dropped: number;
  readonly queued: number;
}

/** Spans, since the process started. */
export interface CollectorCounters {
  readonly accepted: number;
  /** Refused; the sender tries again. */
  readonly refused: number;
  /** Spans that Jaeger accepted. */
  readonly sent: number;
  /** Spans that the exporter gave up on. */
  readonly failed: number;
  readonly queued: number;
}

export interface Counters {
  readonly serviceA: ServiceCounters;
  readonly serviceB: ServiceCounters;
  readonly collector: CollectorCounters;
}

/** The text lacks a metric that is always present. */
export class CountersError extends Error {
  override readonly name = 'CountersError';
}

/**
 * Parses Prometheus' text format. A counter that was never incremented may be absent.
 * @throws {CountersError} when a metric that is always present is absent.
 */
export function parseServiceCounters(text: string): ServiceCounters {
  const samples = readSamples(text);
  const exports = named(samples, 'otel_sdk_exporter_span_exported_total');
  if (exports.length === 0) throw new CountersError('it has no otel_sdk_exporter_span_exported_total');
  const processed = named(samples, 'otel_sdk_processor_span_processed_total');
  const waiting = sum(samples, 'otel_sdk_processor_span_queue_size');
  // Spans that the processor drops never reach the exporter.
  const dropped = [
    ...exports.filter(({ reason }) => reason !== ''),
    ...processed.filter(({ reason }) => reason === 'queue_full'),
  ];
  return {
    finished: sumSamples(processed) + waiting,
    restored: sum(samples, 'span_delivery_span_restored_total'),
    exported: sumSamples(exports.filter(({ reason }) => reason === '')),
    dropped: sumSamples(dropped),
    queued: sum(samples, 'otel_sdk_exporter_span_inflight') + waiting,
  };
}

/**
 * Parses Prometheus' text format. A counter that was never incremented may be absent.
 * @throws {CountersError} when a metric that is always present is absent.
 */
export function parseCollectorCounters(text: string): CollectorCounters {
  const samples = readSamples(text, isOfSink);
  if (named(samples, 'otelcol_exporter_queue_size').length === 0)
    throw new CountersError('it has no otelcol_exporter_queue_size');
  const count = (name: string) => sum(samples, `otelcol_${name}_spans`);
  return {
    accepted: count('receiver_accepted'),
    refused: count('receiver_refused') + count('receiver_failed'),
    sent: count('exporter_sent'),
    failed: count('exporter_send_failed'),
    queued: sum(samples, 'otelcol_exporter_queue_size'),
  };
}

/** With OBSERVE=on the Collector also exports every span to the sink. The account covers only the export to the trace store. */
function isOfSink(labels: string): boolean {
  return labels.includes('exporter="otlp_http/sink"');
}

function named(samples: readonly Sample[], wanted: string): readonly Sample[] {
  return samples.filter(({ name }) => name === wanted);
}

function sum(samples: readonly Sample[], wanted: string): number {
  return sumSamples(named(samples, wanted));
}
