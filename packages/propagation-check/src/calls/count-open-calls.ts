import { TraceGraph } from '../graph/trace-graph.ts';
import type { SpanStore } from '../span/span-store.ts';
import { findEdges } from './edge.ts';

/**
 * Estimates how many calls nobody continued, from the first part of a capture: by the first half of its spans, for the other side of a call
 * of the second half may follow.
 */
export function countOpenCalls(store: SpanStore): number {
  const graph = new TraceGraph(store);
  const middle = store.size / 2;
  return findEdges(graph).openClients.filter((span) => graph.rowOf(span) < middle).length * 2;
}
