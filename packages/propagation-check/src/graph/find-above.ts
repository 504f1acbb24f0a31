import { none, type TraceGraph } from './trace-graph.ts';

/** The parent; for a root, the only span that it links to. */
export function findAbove(graph: TraceGraph, row: number): number {
  const parent = graph.upwards[row] ?? none;
  if (parent !== none || !graph.isRoot(row)) return parent;
  const [linked = none, ...others] = graph.linkTargetsOf(row);
  return others.length === 0 ? linked : none;
}
