import { z } from 'zod';

const hexTraceId = { pattern: /^[0-9a-f]{32}$/, expected: 'expected 32 lower-case hex digits' };
const noTrace = 'service A names no trace: its SDK is off, or its HTTP server is not instrumented';
const traceId = z.string().regex(hexTraceId.pattern, hexTraceId.expected);
const spanId = z.string().regex(/^[0-9a-f]{16}$/, 'expected 16 lower-case hex digits');

/** The body of `GET /call-b` of service A with status 200: the headers and ids that both services saw. */
const answerSchema = z.object({
  /** Whether service A's trace id equals service B's, as service A sees it. */
  same_trace: z.boolean(),
  service_a_trace_id: z.string(noTrace).regex(hexTraceId.pattern, hexTraceId.expected),
  service_b_trace_id: traceId.nullable(),
  /** The `traceparent` header as service B received it; several values are joined by commas. */
  traceparent_header: z.string().nullable(),
  traceparent_parent_span_id: spanId.nullable(),
  /** Null when service B's SERVER span became a root. */
  service_b_parent_span_id: spanId.nullable(),
  parent_matches_traceparent: z.boolean(),
});

export type Answer = Readonly<z.infer<typeof answerSchema>>;

/** The answer is not from the demo's service A. The message names the field. */
export class AnswerError extends Error {
  override readonly name = 'AnswerError';
}

/**
 * Reads the body of service A's answer.
 * @throws {AnswerError} when the text is not JSON, or a field is missing or invalid.
 */
export function parseAnswer(text: string): Answer {
  const parsed = answerSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') || 'the whole body';
  throw new AnswerError(`${field}: ${issue?.message ?? 'not understood'}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new AnswerError('the body is not JSON');
  }
}
