import type { Span } from '../span/span.ts';
import { type AwaitedThresholds, areAwaited } from './awaited.ts';
import { type ChanceThresholds, isMoreThanChance } from './chance.ts';
import { pairContained } from './contained.ts';
import type { Pair, Tolerances } from './pair.ts';

/** `rules/thresholds.ts` has the numbers and their reasons. */
export interface DisplacedThresholds extends Tolerances, AwaitedThresholds, ChanceThresholds {
  readonly displacedShare: number;
  readonly displacedLeftOver: number;
  readonly fewestDisplaced: number;
  readonly manyDisplaced: number;
  readonly uniqueShare: number;
}

/**
 * Pairs requests of one route that lack a call with calls that hang elsewhere, when those requests waited for them.
 * None where caches, timers or chance explain it as well.
 *
 * @param bereft requests of the route without a call
 * @param calls CLIENT spans that hang elsewhere
 * @param own how many of these calls are known to be in the right place
 */
export function pairDisplaced(
  bereft: readonly Span[],
  calls: readonly Span[],
  own: number,
  thresholds: DisplacedThresholds,
): readonly Pair[] {
  const { displacedShare, displacedLeftOver, fewestDisplaced } = thresholds;
  const pairs = pairContained(bereft, calls, thresholds);
  const awaited = areAwaited(
    pairs.map(({ client: request, server: call }) => ({ request, call })),
    thresholds,
  );
  // A cache leaves requests without calls, too: then most of them contain none.
  if (!awaited || pairs.length < bereft.length * displacedShare) return [];
  const isAlone = calls.length - own <= pairs.length * displacedLeftOver;
  const isSure =
    (isAlone && areOneToOne(pairs, thresholds)) ||
    (pairs.length >= fewestDisplaced &&
      isMoreThanChance(
        calls,
        pairs.length,
        (moved) => pairContained(bereft, moved, thresholds).length,
        thresholds,
      ));
  return isSure ? pairs : [];
}

/** Whether the requests and the calls correspond, not only as a whole. Where they overlap, so many tell it as well. */
function areOneToOne(pairs: readonly Pair[], { uniqueShare, manyDisplaced }: DisplacedThresholds): boolean {
  const unique = pairs.filter((pair) => pair.unique);
  return unique.length >= pairs.length * uniqueShare || pairs.length >= manyDisplaced;
}
