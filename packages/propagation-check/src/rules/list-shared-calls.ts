import { readAddress } from '../calls/address.ts';
import { kindNumber, type Span } from '../span/span.ts';
import type { Scene } from './scene.ts';

/** Calls, and those among them that began traces and may be within another one. */
export interface SharedCalls {
  readonly outer: readonly Span[];
  readonly inner: readonly Span[];
}

/** CLIENT spans to the hosts that several services call, and those of them that began traces and were continued. */
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
  // Nearly all programs end here, before anything is asked of all their calls.
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
  // Before views are made: nearly all calls that began traces are of programs that have no sidecar.
  const isShared = (row: number): boolean => isCall(row) && shared.has(hostOf(row));
  const inner = beginning.filter(isShared);
  return inner.length < thresholds.fewestDisplaced
    ? { inner: [], outer: [] }
    : { inner: graph.viewsOf(inner), outer: graph.select(isShared) };
}
