import type { Span } from 'propagation-check';
import type { TraceCheck } from './run.ts';

export interface JaegerLink {
  readonly what: 'trace' | 'neighbours';
  readonly url: string;
}

/** Time before and after the trace. */
const neighbourhoodMs = 300_000;
const mostNeighbours = 20;

/** The traces of a call in Jaeger's UI, and searches that show the traces around them. */
export function listJaegerLinks(jaegerUi: string, { answer, spans }: TraceCheck): readonly JaegerLink[] {
  if (answer === null) return [];
  const ids = new Set([answer.service_a_trace_id, answer.service_b_trace_id].filter((id) => id !== null));
  const entries = [...ids].flatMap((id) => findEntry(spans, id) ?? []);
  return [
    ...[...ids].map((id) => ({ what: 'trace', url: toTraceUrl(jaegerUi, id) }) as const),
    ...entries.map((entry) => ({ what: 'neighbours', url: toNeighboursUrl(jaegerUi, entry) }) as const),
  ];
}

export function toTraceUrl(jaegerUi: string, traceId: string): string {
  return `${jaegerUi.replace(/\/+$/, '')}/trace/${traceId}`;
}

/** A search for traces of the same service and operation around this time, in microseconds. Source: Jaeger UI, `SearchForm`. */
function toNeighboursUrl(jaegerUi: string, { serviceName, name, startTimeUnixNano }: Span): string {
  const at = Number(startTimeUnixNano / 1_000n);
  const query = new URLSearchParams({
    service: serviceName ?? '',
    operation: name,
    start: String(at - neighbourhoodMs * 1_000),
    end: String(at + neighbourhoodMs * 1_000),
    lookback: 'custom',
    limit: String(mostNeighbours),
  });
  return `${jaegerUi.replace(/\/+$/, '')}/search?${query.toString().replaceAll('+', '%20')}`;
}

/** The SERVER span that started first. */
function findEntry(spans: readonly Span[], traceId: string): Span | undefined {
  const entries = spans.filter((span) => span.traceId === traceId && span.kind === 'SERVER');
  return entries.toSorted((one, other) => (one.startTimeUnixNano < other.startTimeUnixNano ? -1 : 1))[0];
}
