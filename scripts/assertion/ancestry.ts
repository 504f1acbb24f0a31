import type { Span } from 'propagation-check';

/** Where the parents of a span lead. `last` is the last span on the way, the span itself included. */
export interface Ancestry {
  readonly end: 'target' | 'root' | 'absent' | 'cycle';
  readonly last: Span;
}

/** Follows the parents of `span` within its trace until `target`, a root, a parent that has not arrived, or a cycle. */
export function followParents(span: Span, target: Span, spans: readonly Span[]): Ancestry {
  const trace = spans.filter((other) => other.traceId === span.traceId);
  const byId = new Map(trace.map((other) => [other.spanId, other]));
  const seen = new Set<string>();
  let last = span;
  for (;;) {
    if (last === target) return { end: 'target', last };
    if (seen.has(last.spanId)) return { end: 'cycle', last };
    seen.add(last.spanId);
    if (last.parentSpanId === null) return { end: 'root', last };
    const parent = byId.get(last.parentSpanId);
    if (parent === undefined) return { end: 'absent', last };
    last = parent;
  }
}
