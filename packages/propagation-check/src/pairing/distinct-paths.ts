import { readPath } from '../calls/http-facts.ts';
import type { PairSides } from './pair-spans.ts';

/** `rules/thresholds.ts` has the number and its reason. */
export interface DistinctPathsThresholds {
  readonly fewestDistinct: number;
}

/**
 * Whether every pair has a path of its own, such as one with an id. Another caller would have to request the same paths at the same times.
 */
export function areOfDistinctPaths(
  pairs: readonly PairSides[],
  { fewestDistinct }: DistinctPathsThresholds,
): boolean {
  const paths = pairs.flatMap(({ client, server }) => {
    const path = readPath(client);
    return path !== null && path === readPath(server) ? path : [];
  });
  return paths.length >= fewestDistinct && new Set(paths).size === pairs.length;
}
