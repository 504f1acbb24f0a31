/** Spans, since the process started. */
export interface ServiceCounters {
  /** Ended and sampled. */
  readonly finished: number;
  /** Left by an earlier process, and read from its spool. */
  readonly restored: number;
  /** Taken by the Collector. */
  readonly exported: number;
  readonly dropped: number;
  readonly queued: number;
}

/** Spans, since the process started. */
export interface CollectorCounters {
  readonly accepted: number;
  /** Sent away with "try again". */
  readonly refused: number;
  /** Taken by Jaeger. */
  readonly sent: number;
  /** Given up. */
  readonly failed: number;
  readonly queued: number;
}

export interface Counters {
  readonly serviceA: ServiceCounters;
  readonly serviceB: ServiceCounters;
  readonly collector: CollectorCounters;
}

/** The text has not the metrics that it should have. */
export class CountersError extends Error {
  override readonly name = 'CountersError';
}

/**
 * From Prometheus' text format. A counter that never counted may be absent.
 * @throws {CountersError} for the text of something else.
 */
export function parseServiceCounters(text: string): ServiceCounters {
  const samples = parseSamples(text);
  const exported = samples.filter(({ name }) => name === 'otel_sdk_exporter_span_exported_total');
  if (exported.length === 0) throw new CountersError('it has no otel_sdk_exporter_span_exported_total');
  const waiting = sum(samples, 'otel_sdk_processor_span_queue_size');
  return {
    finished: sum(samples, 'otel_sdk_processor_span_processed_total') + waiting,
    restored: sum(samples, 'span_delivery_span_restored_total'),
    exported: add(exported.filter(({ labels }) => !labels.includes('error_type='))),
    // What the processor drops never comes to the exporter.
    dropped: add(
      samples.filter(
        ({ name, labels }) =>
          (name === 'otel_sdk_exporter_span_exported_total' && labels.includes('error_type=')) ||
          (name === 'otel_sdk_processor_span_processed_total' && labels.includes('error_type="queue_full"')),
      ),
    ),
    queued: sum(samples, 'otel_sdk_exporter_span_inflight') + waiting,
  };
}

/**
 * From Prometheus' text format. A counter that never counted may be absent.
 * @throws {CountersError} for the text of something else.
 */
export function parseCollectorCounters(text: string): CollectorCounters {
  const samples = parseSamples(text);
  if (!samples.some(({ name }) => name === 'otelcol_exporter_queue_size'))
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

interface Sample {
  readonly name: string;
  readonly labels: string;
  readonly value: number;
}

function parseSamples(text: string): readonly Sample[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([a-z_]+)(?:\{(.*)\})? (\S+)/.exec(line);
    if (match === null) return [];
    const [, name = '', labels = '', value] = match;
    // Depending on the Collector's version and settings its counters end in a unit or a type.
    const plain = name.startsWith('otelcol_') ? name.replace(/(__spans_)?(_total)?$/, '') : name;
    return [{ name: plain, labels, value: Number(value) }];
  });
}

function sum(samples: readonly Sample[], wanted: string): number {
  return add(samples.filter(({ name }) => name === wanted));
}

function add(samples: readonly Sample[]): number {
  return samples.reduce((total, { value }) => total + value, 0);
}
