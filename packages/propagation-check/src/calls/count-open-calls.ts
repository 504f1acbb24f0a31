import { TraceGraph } from '../graph/trace-graph.ts';
import type { SpanStore } from '../span/span-store.ts';
import { findEdges } from './edge.ts';

/**
 * Estimates how many calls have no callee span, from the first part of a capture. Only the first half of the spans is counted, because the
 * callee span of a later call may still follow.
 */
export function countOpenCalls(store: SpanStore): number {
  const graph = new TraceGraph(store);
  const middle = store.size / 2;
  return findEdges(graph).openClients.filter((span) => graph.rowOf(span) < middle).length * 2;
}
