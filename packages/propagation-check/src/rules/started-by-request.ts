import { measureSpread } from '../pairing/awaited.ts';
import type { Pair } from '../pairing/pair-spans.ts';
import { median } from '../util/statistics.ts';
import type { Scene } from './scene.ts';

/**
 * Whether calls below older requests began because the requests that waited for them did: each follows its request more evenly than it
 * follows the last work below the older request. Work that the older request left running begins its next call when its last one ends, and
 * requests that wait for such work look the same otherwise.
 * @param pairs Requests of the service `client`, each with the call that it waited for.
 */
export function areStartedByRequests(
  { graph, thresholds }: Scene,
  client: string | null,
  pairs: readonly Pair[],
): boolean {
  const { starts, ends } = graph;
  const rounding = Number(thresholds.rounding);
  const startOf = (row: number): number => starts[row] ?? 0;
  const endOf = (row: number): number => ends[row] ?? 0;
  const sides = pairs.map((pair) => ({
    request: graph.rowOf(pair.client),
    call: graph.rowOf(pair.server),
    owner: graph.topInService(graph.rowOf(pair.server)),
  }));
  const owners = new Set(sides.map(({ owner }) => owner));
  const ofOwners = Array.from(graph.rowsOfService(client))
    .filter((row) => owners.has(graph.topInService(row)))
    .sort((one, other) => endOf(one) - endOf(other));
  const lastEnds = new Map<number, number>();
  let at = 0;
  const afterWork = sides
    .toSorted((one, other) => startOf(one.call) - startOf(other.call))
    .map(({ call, owner }) => {
      // A start in whole milliseconds may lie before the end that it follows.
      const latest = startOf(call) + rounding;
      for (let row = ofOwners[at]; row !== undefined && endOf(row) <= latest; row = ofOwners[at]) {
        lastEnds.set(graph.topInService(row), endOf(row));
        at += 1;
      }
      return startOf(call) - (lastEnds.get(owner) ?? startOf(owner));
    });
  const afterRequest = sides.map(({ request, call }) => startOf(call) - startOf(request));
  return (
    median(afterRequest) >= 0 &&
    measureSpread(afterRequest) < measureSpread(afterWork) * thresholds.begunSpread
  );
}
