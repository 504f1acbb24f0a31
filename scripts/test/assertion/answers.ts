import { spanId, traceId } from 'propagation-check/test';
import type { Answer } from '../../assertion/answer.ts';

/** A's answer in a whole trace: trace a, A's CLIENT span a3. */
export const healthyAnswer: Answer = {
  same_trace: true,
  service_a_trace_id: traceId('a'),
  service_b_trace_id: traceId('a'),
  traceparent_header: `00-${traceId('a')}-${spanId('a3')}-01`,
  traceparent_parent_span_id: spanId('a3'),
  service_b_parent_span_id: spanId('a3'),
  parent_matches_traceparent: true,
};

/** A's answer when B received no valid header and became the root of trace b. */
export function splitAnswer(header: string | null): Answer {
  return {
    same_trace: false,
    service_a_trace_id: traceId('a'),
    service_b_trace_id: traceId('b'),
    traceparent_header: header,
    traceparent_parent_span_id: null,
    service_b_parent_span_id: null,
    parent_matches_traceparent: false,
  };
}
