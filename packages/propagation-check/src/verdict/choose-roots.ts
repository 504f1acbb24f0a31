import type { Scene } from '../rules/scene.ts';
import { kindNumber } from '../span/span.ts';
import { nameRows } from './name-rows.ts';

/** The services of an edge that has whole calls or is named by the expectations. */
export interface Sides {
  readonly client: string;
  readonly server: string;
}

/** Which endpoints of the callee: those that the caller is known to call, all, or all but those. */
export type Endpoints = 'called' | 'any' | 'others';

/**
 * Chooses roots of the callee that the caller may have caused, by user agent: not of a program that also begins traces at the caller, and
 * of one that made whole calls of the edge if those have user agents.
 */
export function chooseRoots(
  scene: Scene,
  { client, server }: Sides,
  endpoints: Endpoints,
): (row: number) => boolean {
  const { facts, graph } = scene;
  const outside = new Set<string | null>();
  for (const row of graph.rowsOfService(client))
    if (graph.store.kinds[row] === kindNumber.server && graph.isRoot(row))
      outside.add(facts.userAgentOf(row));
  outside.delete(null);
  const own = new Set<string | null>();
  const called = new Set<string>();
  const nameEndpoint = nameRows(scene);
  for (const { servers } of scene.groupsBetween(client, server)) {
    for (const row of servers) {
      own.add(facts.userAgentOf(row));
      called.add(nameEndpoint(row));
    }
  }
  own.delete(null);
  return (row) => {
    const agent = facts.userAgentOf(row);
    const isOther = agent !== null && (outside.has(agent) || (own.size > 0 && !own.has(agent)));
    return !isOther && (endpoints === 'any' || called.has(nameEndpoint(row)) === (endpoints === 'called'));
  };
}
