import { readHeaderName } from '../../headers/recorded-headers.ts';
import { type AttributeValue, type Span, spanKinds } from '../../span/span.ts';
import { mapBy } from '../../util/group-by.ts';
import { hideSecrets } from '../../util/hide-secrets.ts';
import { earlier } from '../../util/statistics.ts';
import type { Result } from '../../verdict/result.ts';
import { escapeText } from '../escape-text.ts';
import { orderTrace } from '../order-trace.ts';
import type { PageData, PageSpan, PageTrace } from '../page/page-data.ts';

/** The traces of the spans, for the script of the page. */
export function collectPageData(spans: readonly Span[], { findings }: Result): PageData {
  const services = new Map<string, number>();
  const broken = new Map<string, string>();
  for (const { id, severity, evidence } of findings) {
    if (severity === 'info') continue;
    for (const { traceId, spanId, server } of evidence) {
      broken.set(`${traceId} ${spanId}`, id);
      if (server !== undefined) broken.set(`${server.traceId} ${server.spanId}`, id);
    }
  }
  const origin = findStart(spans);
  const traces = [...mapBy(spans, (span) => span.traceId)].map(([id, trace]): PageTrace => {
    const startMs = toMs(findStart(trace) - origin);
    const rows = Array.from(orderTrace(trace), ({ span, depth, note }): PageSpan => {
      const start = toMs(span.startTimeUnixNano - origin);
      const name = escapeText(hideSecrets(span.name));
      return [
        span.spanId,
        depth,
        indexOf(services, span.serviceName === null ? '(no service.name)' : escapeText(span.serviceName)),
        spanKinds.indexOf(span.kind),
        name,
        round(start - startMs),
        round(toMs(span.endTimeUnixNano - span.startTimeUnixNano)),
        span.parentSpanId ?? '',
        broken.get(`${id} ${span.spanId}`) ?? '',
        span.status.code === 'ERROR' ? 1 : 0,
        [...(note === '' ? [] : [note]), ...listHeaders(span)],
      ];
    });
    return {
      id,
      isBroken: rows.some((row) => row[8] !== ''),
      startMs: round(startMs),
      durationMs: Math.max(0, ...rows.map((row) => row[5] + row[6])),
      spans: rows,
    };
  });
  traces.sort((a, b) => Number(b.isBroken) - Number(a.isBroken) || a.startMs - b.startMs);
  return { traces, services: [...services.keys()], kinds: spanKinds };
}

/** `traceparent: 00-…`, as the span recorded them. An empty list is a record as well: none was there. */
export function listHeaders(span: Span): readonly string[] {
  return [...span.attributes].flatMap(([key, value]) => {
    const name = readHeaderName(key, 'request') ?? readHeaderName(key, 'response');
    return name === null ? [] : [`${name}: ${writeValue(value)}`];
  });
}

function writeValue(value: AttributeValue): string {
  const text = typeof value === 'object' ? value.map(String).join(', ') : String(value);
  return text === '' || text === '[]' ? '(none)' : escapeText(text);
}

/** Of the first span; 0 without any. */
export function findStart(spans: readonly Span[]): bigint {
  return spans.length === 0 ? 0n : spans.map((span) => span.startTimeUnixNano).reduce(earlier);
}

function indexOf(table: Map<string, number>, name: string): number {
  const index = table.get(name) ?? table.size;
  table.set(name, index);
  return index;
}

export function toMs(nanoseconds: bigint): number {
  return Number(nanoseconds) / 1e6;
}

/** To microseconds. */
function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
