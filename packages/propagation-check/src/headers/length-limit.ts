import type { TraceGraph } from '../graph/trace-graph.ts';
import type { AttributeValue, Span } from '../span/span.ts';
import { keysOf, valueAt } from '../span/span-store.ts';
import { listValues } from './recorded-headers.ts';

/**
 * Prepares a test whether a process records texts longer than `length`. If so, no attribute length limit cut a text to that length
 * (`OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT` applies to all attributes of all spans). The first call reads all spans.
 */
export function learnLengthLimits(graph: TraceGraph): (span: Span, length: number) => boolean {
  let longest: ReadonlyMap<number, number> | null = null;
  return (span, length) => {
    const row = graph.rowOf(span);
    if (row < 0) return false;
    longest ??= findLongestTexts(graph);
    return (longest.get(graph.store.resources[row] ?? 0) ?? 0) > length;
  };
}

/** The longest recorded text of each resource. */
function findLongestTexts({ store }: TraceGraph): ReadonlyMap<number, number> {
  const longest = new Map<number, number>();
  for (let row = 0; row < store.size; row += 1) {
    const resource = store.resources[row] ?? 0;
    let most = longest.get(resource) ?? 0;
    for (let place = 0; place < keysOf(store, row).length; place += 1)
      most = Math.max(most, longestOf(valueAt(store, row, place)));
    longest.set(resource, most);
  }
  return longest;
}

/** A limit applies to each element of a list. */
function longestOf(value: AttributeValue): number {
  return Math.max(0, ...listValues(value).map(({ length }) => length));
}
