import type { Span } from 'propagation-check';

/** The end of a span's chain of parents. `last` is the last span of the chain, which may be the span itself. */
export interface Ancestry {
  readonly end: 'target' | 'root' | 'absent' | 'cycle';
  readonly last: Span;
}

/** Follows the parents of `span` within its trace to `target`, a root, a parent that has not arrived, or a cycle. */
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
