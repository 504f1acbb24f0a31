import { createHash } from 'node:crypto';
import type { Attributes, AttributeValue, Span } from '../../../src/span/span.ts';
import { drawTrace } from '../../draw-trace.ts';

const call = `
  trace a
  SERVER web GET /call      a1   0..40 http.request.method=GET url.path=/call
    CLIENT web GET          a2   8..28 http.request.method=GET url.full=http://orders/work
      SERVER orders GET /work   b1  19..27 http.request.method=GET url.path=/work
`;

const split = `
  trace a
  SERVER web GET /call      a1   0..40 http.request.method=GET url.path=/call
    CLIENT web GET          a2   8..28 http.request.method=GET url.full=http://orders/work
  trace b
  SERVER orders GET /work   b1  19..27 http.request.method=GET url.path=/work
`;

/** A call from web to orders that begins at `at`, in milliseconds since the epoch. `key` makes its ids unique. */
export function makeCall(key: string, at: number): readonly Span[] {
  return renew(call, key, at);
}

/** As `makeCall`, split into two traces. */
export function makeSplitCall(key: string, at: number): readonly Span[] {
  return renew(split, key, at);
}

/** The spans with another name of the called service. */
export function withServer(spans: readonly Span[], server: string): readonly Span[] {
  const rename = (value: AttributeValue) =>
    typeof value === 'string' ? value.replace('orders', server) : value;
  const renameAll = (attributes: Attributes) =>
    new Map([...attributes].map(([key, value]) => [key, rename(value)] as const));
  return spans.map((span) => ({
    ...span,
    serviceName: span.serviceName === 'orders' ? server : span.serviceName,
    resource: renameAll(span.resource),
    attributes: renameAll(span.attributes),
  }));
}

const drawnAt = 1_700_000_000_000;

function renew(drawing: string, key: string, at: number): readonly Span[] {
  const idOf = (id: string) => createHash('sha256').update(`${key} ${id}`).digest('hex').slice(0, id.length);
  const moved = BigInt(at - drawnAt) * 1_000_000n;
  return drawTrace(drawing).map((span) => ({
    ...span,
    traceId: idOf(span.traceId),
    spanId: idOf(span.spanId),
    parentSpanId: span.parentSpanId === null ? null : idOf(span.parentSpanId),
    startTimeUnixNano: span.startTimeUnixNano + moved,
    endTimeUnixNano: span.endTimeUnixNano + moved,
  }));
}
