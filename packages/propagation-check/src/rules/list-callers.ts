import { withoutIds } from '../calls/endpoint.ts';
import { readMethod, readPath } from '../calls/http-facts.ts';
import { readRpcMethod } from '../calls/rpc-facts.ts';
import { nameTarget } from '../calls/target.ts';
import { keyFor, mapBy } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import type { BaseScene, BrokenCalls, Scene } from './scene.ts';

export function indexBrokenCalls({ graph, facts }: BaseScene): BrokenCalls {
  const { traces } = graph.index;
  const nameOf = facts.remember((call) => {
    const [path, rpcMethod] = [readPath(call), readRpcMethod(call)];
    return path === null && rpcMethod === null
      ? nameTarget(call)
      : keyFor(readMethod(call), rpcMethod, withoutIds(path ?? ''));
  });
  const selectOf = (service: string | null, isMeant: (row: number) => boolean): readonly number[] =>
    [...graph.rowsOfService(service)].filter(isMeant);
  return {
    nameOf,
    openOf: remember((service: string | null) =>
      mapBy(
        selectOf(service, (row) => facts.isOutgoing(row) && !graph.hasChild(row)),
        nameOf,
      ),
    ),
    tracesReaching: remember(
      (service: string | null) =>
        new Set(
          selectOf(service, (row) => graph.isOrphan(row) && graph.isEntry(row)).map((row) => traces[row]),
        ),
    ),
  };
}

/**
 * The topmost spans of a service above these calls, and above its calls that exist but are broken in another way: calls with the same
 * method and path that were not continued, and calls whose own span is lost while their trace has a request to the called service.
 *
 * @param called The service that the calls reach, if it has spans.
 */
export function listCallers(
  { graph, facts, shared: { brokenCalls } }: Scene,
  service: string | null,
  calls: readonly number[],
  called?: string | null,
): ReadonlySet<number> {
  const { traces } = graph.index;
  const names = new Set(calls.filter((row) => facts.isOutgoing(row)).map(brokenCalls.nameOf));
  const open = [...names].flatMap((name) => brokenCalls.openOf(service).get(name) ?? []);
  const callers = new Set([...calls, ...open].map((row) => graph.topInService(row)));
  const reached = called === undefined ? null : brokenCalls.tracesReaching(called);
  if (reached === null || reached.size === 0) return callers;
  for (const row of graph.rowsOfService(service)) {
    if (reached.has(traces[row])) callers.add(graph.topInService(row));
  }
  return callers;
}
