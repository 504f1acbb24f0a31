import type { Meter } from '@opentelemetry/api';
import { dropReasons, type SpanDelivery } from './span-delivery.ts';

/**
 * Publishes the counts. Source of the names: OpenTelemetry semantic conventions, "SDK metrics"; those that start with
 * `span_delivery` are our own.
 */
export function observeDelivery(delivery: SpanDelivery, meter: Meter, maxBytes: number): void {
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
  // In one callback, so that the numbers are of one moment.
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
