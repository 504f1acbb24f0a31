import type { MeterProvider } from '@opentelemetry/api';

/**
 * Counts of spans since the start. The batch processor counts `finished`:
 * finished + restored = exported + dropped + queued + the spans in the processor's queue.
 */
export interface DeliveryCounts {
  /** The receiver has taken them. */
  readonly exported: number;
  /** Lost, by reason. */
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** Read from spool files. */
  readonly restored: number;
  /** Neither exported nor dropped yet. */
  readonly queued: number;
  /** The memory of the kept spans, in bytes. */
  readonly backlogBytes: number;
}

/**
 * `backlog_full`: there was no room. `refused`: the receiver refused the whole batch for good. `rejected`: the receiver took only other
 * spans of the batch. `not_encoded`: a span of the batch cannot be written as OTLP. `not_saved`: the spans were undelivered at the shutdown,
 * and could not be written to a spool.
 */
const dropReasons = ['backlog_full', 'refused', 'rejected', 'not_encoded', 'not_saved'] as const;

export type DropReason = (typeof dropReasons)[number];

/**
 * Publishes the counts. Names follow the OpenTelemetry semantic conventions, "SDK metrics"; those that start with `span_delivery` are this
 * package's own.
 */
export function publishCounters(
  delivery: { readonly counts: DeliveryCounts },
  meterProvider: MeterProvider,
  maxBytes: number,
): void {
  const meter = meterProvider.getMeter('otlp-durable-exporter');
  const component = { 'otel.component.type': 'span_delivery', 'otel.component.name': 'span_delivery/0' };
  const unit = '{span}';
  const exported = meter.createObservableCounter('otel.sdk.exporter.span.exported', {
    unit,
    description:
      'The number of spans for which the export has finished; without error_type the receiver has them.',
  });
  const inflight = meter.createObservableUpDownCounter('otel.sdk.exporter.span.inflight', {
    unit,
    description: 'The number of spans that were passed to the exporter and are neither exported nor dropped.',
  });
  const restored = meter.createObservableCounter('span_delivery.span.restored', {
    unit,
    description: 'The number of spans read from spool files.',
  });
  const bytes = meter.createObservableUpDownCounter('span_delivery.backlog.size', {
    unit: 'By',
    description: 'Memory for spans that wait to be sent again.',
  });
  const capacity = meter.createObservableUpDownCounter('span_delivery.backlog.capacity', {
    unit: 'By',
    description: 'The bound of span_delivery.backlog.size.',
  });
  // One callback, so that all numbers are from one moment.
  meter.addBatchObservableCallback(
    (result) => {
      const counts = delivery.counts;
      result.observe(exported, counts.exported, component);
      for (const reason of dropReasons) {
        result.observe(exported, counts.dropped[reason], { ...component, 'error.type': reason });
      }
      result.observe(inflight, counts.queued, component);
      result.observe(restored, counts.restored, component);
      result.observe(bytes, counts.backlogBytes, component);
      result.observe(capacity, maxBytes, component);
    },
    [exported, inflight, restored, bytes, capacity],
  );
}
