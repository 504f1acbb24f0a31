import type { Result, Span } from 'propagation-check';
import { escapeJson } from 'propagation-check/kit';
import { countStates, type StateCounts } from './count-states.ts';
import { toTraceUrl } from './jaeger-links.ts';
import type { AssertionRun, Silence } from './run.ts';
import type { Statement } from './statement.ts';

/** The output of `--json`, version 1. Other programs read it, so fields may be added but not renamed. */
export interface AssertionDocument {
  readonly version: 1;
  readonly verdict: AssertionRun['verdict'];
  readonly mode: AssertionRun['mode'];
  readonly source: string;
  /** Numbers of traces. */
  readonly requests: number;
  readonly intact: number;
  readonly broken: number;
  readonly unknown: number;
  readonly statements: readonly StateCounts[];
  readonly traces: readonly TraceDocument[];
  /** The report of `propagation-check` on the same spans, version 1. */
  readonly result: Result | null;
}

export interface TraceDocument {
  readonly verdict: AssertionRun['verdict'];
  /** Why there is no verdict; null when there is one. */
  readonly silence: Silence | null;
  /** Null when service A gave no answer. */
  readonly traceId: string | null;
  /** Null when service A gave no answer, or service B named no trace. */
  readonly serviceBTraceId: string | null;
  /** The trace in Jaeger's UI; null without Jaeger. */
  readonly url: string | null;
  readonly elapsedMs: number;
  /** The number of the first statement that fails, or null. */
  readonly pointsAt: number | null;
  readonly statements: readonly Statement[];
  readonly spans: readonly SpanDocument[];
}

export interface SpanDocument {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly kind: Span['kind'];
  readonly serviceName: string | null;
  readonly name: string;
  /** Nanoseconds since the Unix epoch, in decimal. */
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}

/** @param more additional fields of the caller */
export function renderAssertionJson(
  run: AssertionRun,
  options: { readonly jaegerUi: string | null },
  more: Readonly<Record<string, unknown>> = {},
): string {
  const count = (verdict: AssertionRun['verdict']) =>
    run.checks.filter((check) => check.verdict === verdict).length;
  const document: AssertionDocument = {
    version: 1,
    verdict: run.verdict,
    mode: run.mode,
    source: run.source,
    requests: run.checks.length,
    intact: count('intact'),
    broken: count('broken'),
    unknown: count('unknown'),
    statements: countStates(run.checks),
    traces: run.checks.map(({ verdict, silence, answer, statements, spans, elapsedMs }) => ({
      verdict,
      silence,
      traceId: answer?.service_a_trace_id ?? null,
      serviceBTraceId: answer?.service_b_trace_id ?? null,
      url:
        answer === null || options.jaegerUi === null
          ? null
          : toTraceUrl(options.jaegerUi, answer.service_a_trace_id),
      elapsedMs,
      pointsAt: statements.find((statement) => statement.state === 'failed')?.number ?? null,
      statements,
      spans: spans.map(toSpanDocument),
    })),
    result: run.result,
  };
  return `${escapeJson(JSON.stringify({ ...document, ...more }, null, 2))}\n`;
}

function toSpanDocument(span: Span): SpanDocument {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    kind: span.kind,
    serviceName: span.serviceName,
    name: span.name,
    startTimeUnixNano: span.startTimeUnixNano.toString(),
    endTimeUnixNano: span.endTimeUnixNano.toString(),
  };
}
