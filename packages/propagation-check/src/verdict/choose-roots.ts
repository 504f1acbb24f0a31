import type { Scene } from '../rules/scene.ts';
import { kindNumber } from '../span/span.ts';
import { nameRows } from './name-rows.ts';

/** Two services between which calls are whole, or that the expectations name. */
export interface Sides {
  readonly client: string;
  readonly server: string;
}

/** Of which endpoints of the callee: those that the caller is known to call, any, or only others. */
export type Endpoints = 'called' | 'any' | 'others';

/**
 * Roots that the caller may have caused: not those of programs that begin traces at the caller too, nor of other programs than made its
 * whole calls.
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
