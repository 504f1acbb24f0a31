import { withoutIds } from '../calls/endpoint.ts';
import { readMethod, readPath } from '../calls/http-facts.ts';
import { readRpcMethod } from '../calls/rpc-facts.ts';
import { nameTarget } from '../calls/target.ts';
import { keyFor, mapBy } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { sumOf } from '../util/statistics.ts';
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
  /** The traces in which a service has a request whose parent is missing. */
  const tracesReaching = remember(
    (service: string | null) =>
      new Set(
        selectOf(service, (row) => graph.isOrphan(row) && graph.isEntry(row)).map((row) => traces[row]),
      ),
  );
  return {
    nameOf,
    openOf: remember((service: string | null) =>
      mapBy(
        selectOf(service, (row) => facts.isOutgoing(row) && !graph.hasChild(row)),
        nameOf,
      ),
    ),
    callersReaching: remember((service: string | null, called: string | null) => {
      const reached = tracesReaching(called);
      const rows = reached.size === 0 ? [] : selectOf(service, (row) => reached.has(traces[row]));
      return new Set(rows.map((row) => graph.topInService(row)));
    }),
  };
}

/** The topmost spans of a service above these calls, and above its calls with the same method and path that were not continued. */
export function listOwnCallers(
  { graph, facts, shared: { brokenCalls } }: Scene,
  service: string | null,
  calls: readonly number[],
): ReadonlySet<number> {
  const names = new Set(calls.filter((row) => facts.isOutgoing(row)).map(brokenCalls.nameOf));
  const open = [...names].flatMap((name) => brokenCalls.openOf(service).get(name) ?? []);
  return new Set([...calls, ...open].map((row) => graph.topInService(row)));
}

/** Rows of topmost spans; `size` may count some of them twice. */
type Callers = Pick<ReadonlySet<number>, 'has' | 'size'>;

/**
 * As `listOwnCallers`, with those above calls whose own span is lost while their trace has a request to the called service.
 *
 * @param called The services that the calls reach and that have spans.
 */
export function listCallers(
  scene: Scene,
  service: string | null,
  calls: readonly number[],
  ...called: readonly (string | null)[]
): Callers {
  const found = [
    listOwnCallers(scene, service, calls),
    ...called.map((one) => scene.shared.brokenCalls.callersReaching(service, one)),
  ];
  return {
    has: (row) => found.some((callers) => callers.has(row)),
    size: sumOf(found.map(({ size }) => size)),
  };
}
