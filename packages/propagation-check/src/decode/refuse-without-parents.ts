import type { Span } from '../span/span.ts';
import { DecodeError } from './decode-error.ts';
import { quoteValue } from './quote-value.ts';

/**
 * Spans of a store whose query left out the field of the parent look like roots everywhere, so that each callee seems to drop the parent.
 * Spans that are all roots are possible; that a service made several kinds of them in one trace, and none has a parent, is not: its SDK
 * knows the parent of a span that it puts into a trace.
 * @throws {DecodeError}
 */
export function refuseWithoutParents(spans: readonly Span[]): void {
  if (spans.some(({ parentSpanId }) => parentSpanId !== null)) return;
  const kinds = new Map<string, string>();
  for (const { traceId, serviceName, kind } of spans) {
    if (serviceName === null) continue;
    const key = `${traceId} ${serviceName}`;
    const other = kinds.get(key) ?? kind;
    kinds.set(key, kind);
    if (other === kind) continue;
    throw new DecodeError(
      `document: no span has a parent, although ${quoteValue(serviceName)} made ${other} and ${kind} spans of one trace: the field of the parent ` +
        '(parent_span_id, parentSpanId or references) was left out; take whole documents, without a filter on _source',
    );
  }
}
