import { readAddress } from '../calls/address.ts';
import { kindNumber, type Span } from '../span/span.ts';
import type { Scene } from './scene.ts';

/** Calls, and those that began traces and may lie within another call. */
export interface SharedCalls {
  readonly outer: readonly Span[];
  readonly inner: readonly Span[];
}

/** CLIENT spans to hosts that several services call, and those of them that began traces and have a child. */
export function listSharedCalls({
  graph,
  facts,
  thresholds,
}: Pick<Scene, 'graph' | 'facts' | 'thresholds'>): SharedCalls {
  const hostOf = facts.remember((call) => readAddress(call).host);
  const isCall = (row: number): boolean =>
    graph.store.kinds[row] === kindNumber.client && facts.isOutgoing(row);
  const beginning: number[] = [];
  for (let row = 0; row < graph.store.size; row += 1) {
    if (graph.isRoot(row) && graph.hasChild(row) && isCall(row)) beginning.push(row);
  }
  // Most captures end here, before all calls are read.
  if (beginning.length < thresholds.fewestDisplaced) return { inner: [], outer: [] };
  const callers = new Map<string | null, number>();
  const shared = new Set<string | null>();
  for (let row = 0; row < graph.store.size; row += 1) {
    if (!isCall(row)) continue;
    const [host, caller] = [hostOf(row), graph.serviceNumberOf(row)];
    const first = callers.get(host) ?? caller;
    callers.set(host, first);
    if (first !== caller) shared.add(host);
  }
  // Filtered by row before views are made: nearly all calls that begin traces belong to programs without a sidecar.
  const isShared = (row: number): boolean => isCall(row) && shared.has(hostOf(row));
  const inner = beginning.filter(isShared);
  return inner.length < thresholds.fewestDisplaced
    ? { inner: [], outer: [] }
    : { inner: graph.viewsOf(inner), outer: graph.select(isShared) };
}
