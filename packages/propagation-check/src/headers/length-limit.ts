import type { TraceGraph } from '../graph/trace-graph.ts';
import type { AttributeValue, Span } from '../span/span.ts';
import { keysOf, valueAt } from '../span/span-store.ts';
import { listValues } from './recorded-headers.ts';

/**
 * Prepares the look-up whether a process records texts longer than `length`: then no attribute length limit cut a text to that length
 * (`OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT` is for all attributes of all spans). Reads the spans of a resource at the first question of it.
 */
export function learnLengthLimits(graph: TraceGraph): (span: Span, length: number) => boolean {
  const longest = new Map<number, number>();
  return (span, length) => {
    const row = graph.rowOf(span);
    if (row < 0) return false;
    const resource = graph.store.resources[row] ?? 0;
    const known = longest.get(resource) ?? findLongestText(graph, resource);
    longest.set(resource, known);
    return known > length;
  };
}

function findLongestText({ store }: TraceGraph, resource: number): number {
  let longest = 0;
  for (let row = 0; row < store.size; row += 1) {
    if (store.resources[row] !== resource) continue;
    for (let place = 0; place < keysOf(store, row).length; place += 1)
      longest = Math.max(longest, longestOf(valueAt(store, row, place)));
  }
  return longest;
}

/** A limit cuts each element of a list. */
function longestOf(value: AttributeValue): number {
  return Math.max(0, ...listValues(value).map(({ length }) => length));
}
