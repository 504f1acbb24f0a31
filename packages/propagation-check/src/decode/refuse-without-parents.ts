import type { Span } from '../span/span.ts';
import { DecodeError } from './decode-error.ts';
import { quoteValue } from './quote-value.ts';

/**
 * Refuses spans whose query left out the field of the parent: all would look like roots, and each callee would seem to drop the parent.
 * A capture of root spans alone is possible. Two kinds of spans of one service in one trace, all without a parent, are not: an SDK that
 * puts a span into an existing trace knows its parent.
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
