/** Service A's handler on bare Fastify: the same work and answer, without limits, trust boundary or durable export. */
import { context } from '@opentelemetry/api';
import { getRPCMetadata, parseTraceParent } from '@opentelemetry/core';
import { listen } from './listen.ts';

interface Work {
  readonly received_traceparent: string | null;
  readonly trace_id: string | null;
  readonly parent_span_id: string | null;
}

const serviceB = new URL('/work', process.env.SERVICE_B_URL);

await listen('/call-b', async () => {
  // As in service A: `AbortSignal.timeout` would cost more.
  const call = new AbortController();
  const timer = setTimeout(() => call.abort(), 2_000);
  const answer = await fetch(serviceB, { signal: call.signal, redirect: 'manual' });
  const work: Work = JSON.parse(await answer.text());
  clearTimeout(timer);
  const traceId = getRPCMetadata(context.active())?.span.spanContext().traceId ?? null;
  const sentParent = parseTraceParent(work.received_traceparent ?? '')?.spanId ?? null;
  return {
    same_trace: traceId !== null && traceId === work.trace_id,
    service_a_trace_id: traceId,
    service_b_trace_id: work.trace_id,
    traceparent_header: work.received_traceparent,
    traceparent_parent_span_id: sentParent,
    service_b_parent_span_id: work.parent_span_id,
    parent_matches_traceparent: sentParent !== null && sentParent === work.parent_span_id,
  };
});
