import type { SpanKind } from 'propagation-check';
import * as z from 'zod';

/**
 * A span that its service has logged in `span.end()`, before any export (`LOG_SPANS=true`). Container logs outlive a crash of the process,
 * so the log says which spans must be in Jaeger.
 */
export interface EndedSpan {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly kind: SpanKind;
  readonly name: string;
}

const lineSchema = z.object({
  msg: z.literal('span'),
  trace_id: z.string().length(32),
  span_id: z.string().length(16),
  parent_span_id: z.string().length(16).nullable(),
  kind: z.enum(['INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER']),
  name: z.string(),
});

/** The log has a span that cannot be read, so it cannot say which spans ended. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError';
}

/**
 * The ended spans in a service's log, in order. When the reader of the log is slow, the logger writes a line in pieces, and the line of a
 * span may stand between two of them.
 * @throws {LedgerError} for a line of a span that is incomplete or invalid.
 */
export function readLedger(service: string, log: string): readonly EndedSpan[] {
  const lines = log.match(/\{[^{}]*"msg":"span"[^{}]*\}/g) ?? [];
  if (lines.length < (log.match(/"msg":"span"/g) ?? []).length)
    throw new LedgerError(
      `the log of ${service} has a span that is cut in two: it cannot say what has ended`,
    );
  return lines.map((line) => {
    const span = lineSchema.safeParse(parseJson(line));
    if (!span.success)
      throw new LedgerError(`the log of ${service} has a span that cannot be read: ${line.slice(0, 200)}`);
    const { trace_id, span_id, parent_span_id, kind, name } = span.data;
    return { service, traceId: trace_id, spanId: span_id, parentSpanId: parent_span_id, kind, name };
  });
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
