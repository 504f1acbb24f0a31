import { type Span, spanKinds } from '../../span/span.ts';
import { mapBy } from '../../util/group-by.ts';
import { hideSecrets } from '../../util/hide-secrets.ts';
import type { Result } from '../../verdict/result.ts';
import { escapeText } from '../escape-text.ts';
import { listHeaders } from '../list-headers.ts';
import { orderTrace } from '../order-trace.ts';
import type { PageData, PageSpan, PageTrace } from '../page/page-data.ts';
import { findStart, toMs } from '../span-times.ts';

/** The traces that the script of the page draws. */
export function collectPageData(spans: readonly Span[], { findings }: Result): PageData {
  const services = new Map<string, number>();
  const broken = new Map<string, string>();
  for (const { id, severity, evidence } of findings) {
    if (severity === 'info') continue;
    for (const { traceId, spanId, server, during } of evidence) {
      for (const ids of [{ traceId, spanId }, server, during])
        if (ids !== undefined) broken.set(`${ids.traceId} ${ids.spanId}`, id);
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

function indexOf(table: Map<string, number>, name: string): number {
  const index = table.get(name) ?? table.size;
  table.set(name, index);
  return index;
}

/** Rounds to microseconds. */
function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
