import { drawTrace, spanId, traceId } from 'propagation-check/test';
import type { Answer } from '../../assertion/answer.ts';

/** A's answer for an intact trace: trace a, A's CLIENT span a3. */
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

/** The spans of `healthyAnswer`. */
export const healthySpans = drawTrace(`
  trace a
  SERVER service-a GET /call-b          a1   0..40 http.route=/call-b
    CLIENT service-a GET                a3   8..28 url.full=http://service-b:8082/work
      SERVER service-b GET /work        b1  19..27 http.route=/work
`);

/** The spans of `splitAnswer`. */
export const splitSpans = drawTrace(`
  trace a
  SERVER service-a GET /call-b          a1   0..40 http.route=/call-b http.request.method=GET
    CLIENT service-a GET                a3   8..28 url.full=http://service-b:8082/work http.request.method=GET
  trace b
  SERVER service-b GET /work            b1  19..27 http.route=/work http.request.method=GET
`);
