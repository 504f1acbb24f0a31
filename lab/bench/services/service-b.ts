/** Service B's handler on bare Fastify: the same answer, without limits, trust boundary or durable export. */
import { context, propagation } from '@opentelemetry/api';
import { getRPCMetadata, parseTraceParent } from '@opentelemetry/core';
import { listen } from './listen.ts';

await listen('/work', async ({ headers }) => {
  const active = context.active();
  const span = getRPCMetadata(active)?.span.spanContext();
  const received = headers.traceparent;
  const traceparent = typeof received === 'string' ? received : null;
  const parent = span === undefined ? null : parseTraceParent(traceparent ?? '');
  const baggage = propagation.getBaggage(active)?.getAllEntries() ?? [];
  return {
    service: 'service-b',
    received_traceparent: traceparent,
    trace_id: span?.traceId ?? null,
    span_id: span?.spanId ?? null,
    parent_span_id: parent?.spanId ?? null,
    baggage: Object.fromEntries(baggage.map(([key, { value }]) => [key, value])),
  };
});
