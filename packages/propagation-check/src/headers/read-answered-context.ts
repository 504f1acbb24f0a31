import type { AnsweredContext, AnsweredSpan, HeaderField } from './evidence.ts';
import { parseTraceparent } from './parse-traceparent.ts';
import { headerValues } from './propagation-header.ts';

/** The headers in which a service names its own span. */
export const answerHeaders = ['traceresponse', 'server-timing'];

/**
 * Reads from an answer's fields how the callee names its span. Values of other headers, and other entries of `Server-Timing`, are not kept.
 *
 * Sources: W3C Trace Context Level 3 draft, "traceresponse" (the fields of a `traceparent`, with the callee's span id); W3C Server Timing,
 * section 4, where the description of a metric `trace` (Level 3 draft) or `traceparent` has the same fields.
 */
export function readAnsweredContext(fields: readonly HeaderField[]): AnsweredContext {
  const headers = fields.flatMap(({ name, value }): readonly HeaderField[] => {
    const lower = name.toLowerCase();
    if (lower === 'traceresponse') return [{ name, value }];
    return lower === 'server-timing' ? listTraceparents(value).map((entry) => ({ name, value: entry })) : [];
  });
  const said = [
    ...headerValues(headers, 'traceresponse'),
    ...headerValues(headers, 'server-timing').map(readDescription),
  ];
  return { headers, span: readOneSpan(said) };
}

/** Hops may add headers of their own; if they name different spans, the callee's is unknown. */
function readOneSpan(values: readonly string[]): AnsweredSpan | null {
  const spans = values.flatMap((value) => {
    const read = parseTraceparent(value);
    if (read.state === 'malformed') return [];
    const { traceId, spanId, sampled } = read;
    return [{ traceId, spanId, sampled }];
  });
  const [first] = spans;
  const isOne = spans.every((span) => span.traceId === first?.traceId && span.spanId === first.spanId);
  return first !== undefined && isOne ? first : null;
}

/** The metrics named `trace` or `traceparent`. A description may contain commas. */
function listTraceparents(value: string): readonly string[] {
  const metrics = value.match(/(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g) ?? [];
  return metrics.map((metric) => metric.trim()).filter((metric) => /^trace(?:parent)?\s*;/i.test(metric));
}

function readDescription(metric: string): string {
  return /;\s*desc\s*=\s*"?([^";]*)/i.exec(metric)?.[1]?.trim() ?? '';
}
