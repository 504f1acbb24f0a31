import { readMethod, readPath, readRpcMethod } from '../calls/call-facts.ts';
import { withoutIds } from '../calls/endpoint.ts';
import { nameTarget } from '../calls/target.ts';
import { keyFor } from '../util/group-by.ts';
import type { Scene } from './check.ts';

/**
 * The topmost spans of a service above these calls, and above calls that are broken in another way and not missing: those of the same
 * methods and paths that nobody continued, and those whose own span is lost, while a request to the called service is in the trace.
 *
 * @param called The services that the calls reach, as far as they have spans.
 */
export function listCallers(
  { graph, facts }: Scene,
  service: string | null,
  calls: readonly number[],
  called: readonly (string | null)[] = [],
): ReadonlySet<number> {
  const { traces } = graph.index;
  // Proxies, replicas and restarts give one service several addresses.
  const nameCall = facts.remember((call) => {
    const [path, rpcMethod] = [readPath(call), readRpcMethod(call)];
    return path === null && rpcMethod === null
      ? nameTarget(call)
      : keyFor(readMethod(call), rpcMethod, withoutIds(path ?? ''));
  });
  const names = new Set(calls.filter((row) => facts.isOutgoing(row)).map(nameCall));
  const reached = new Set<number | undefined>();
  for (const each of new Set(called)) {
    for (const row of graph.rowsOfService(each))
      if (graph.isOrphan(row) && graph.isEntry(row)) reached.add(traces[row]);
  }
  const callers = new Set(calls.map((row) => graph.topInService(row)));
  for (const row of graph.rowsOfService(service)) {
    const isOpen = facts.isOutgoing(row) && !graph.hasChild(row) && names.has(nameCall(row));
    if (isOpen || reached.has(traces[row])) callers.add(graph.topInService(row));
  }
  return callers;
}
