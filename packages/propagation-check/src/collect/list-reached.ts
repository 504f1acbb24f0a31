import type { Span } from '../span/span.ts';
import { keyFor } from '../util/group-by.ts';

/** The services that this tool called directly: they continued its requests. */
export function listReached(spans: readonly Span[], requests: readonly Span[]): ReadonlySet<string> {
  const sent = new Set(requests.map(({ traceId, spanId }) => keyFor(traceId, spanId)));
  return new Set(
    spans
      .filter((span) => sent.has(keyFor(span.traceId, span.parentSpanId)))
      .flatMap((span) => span.serviceName ?? []),
  );
}
