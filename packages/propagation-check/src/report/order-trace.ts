import { byStart, type Span } from '../span/span.ts';
import { mapBy } from '../util/group-by.ts';

export interface PlacedSpan {
  readonly span: Span;
  /** 0 for the top span of a tree. */
  readonly depth: number;
  /** Whether it is the last of its siblings. */
  readonly isLast: boolean;
  /** Why the span begins a tree although it has a parent; otherwise empty. */
  readonly note: string;
}

/**
 * The spans of one trace, depth first, siblings by start time. Spans that descend only from a cycle come last, beginning with the earliest.
 * Terminates for cycles, repeated ids and traces of any depth.
 */
export function* orderTrace(spans: readonly Span[]): Generator<PlacedSpan, undefined> {
  const inOrder = spans.toSorted(byStart);
  const ids = new Set(spans.map((span) => span.spanId));
  const children = mapBy(inOrder, (span) => span.parentSpanId);
  const tops = inOrder.filter((span) => span.parentSpanId === null || !ids.has(span.parentSpanId));
  const seen = new Set<Span>();

  for (const top of [...tops, ...inOrder]) {
    const stack = [{ span: top, depth: 0, isLast: true }];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const { span, depth } = next;
      if (seen.has(span)) continue;
      seen.add(span);
      yield { ...next, note: depth === 0 ? noteOnTop(span, ids) : '' };
      const nested = (children.get(span.spanId) ?? []).filter((child) => !seen.has(child));
      for (let index = nested.length - 1; index >= 0; index -= 1) {
        const child = nested[index];
        if (child !== undefined)
          stack.push({ span: child, depth: depth + 1, isLast: index === nested.length - 1 });
      }
    }
  }
}

function noteOnTop(span: Span, ids: ReadonlySet<string>): string {
  if (span.parentSpanId === null) return '';
  if (ids.has(span.parentSpanId)) return `its parents form a cycle: ${span.parentSpanId} descends from it`;
  return `its parent ${span.parentSpanId} is not in this trace`;
}
