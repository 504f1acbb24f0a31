import { atTime } from '../span/row-span.ts';
import type { Span } from '../span/span.ts';

/** Rotations in sixteenths of the common time range. None is a simple fraction of another, so that periodic calls do not fit again. */
const turns = [3n, 5n, 7n, 11n, 13n];

/** `rules/thresholds.ts` has the numbers and their reasons. */
export interface ChanceThresholds {
  readonly fewestSteady: number;
  readonly chanceOutliers: number;
  readonly chanceShare: number;
}

/**
 * Permutation test: rotate the spans in time and pair again. Whether clearly fewer pairs are found then; pairs that are found at any
 * rotation are chance.
 * @param count Counts the pairs with the rotated spans.
 */
export function isMoreThanChance(
  spans: readonly Span[],
  found: number,
  count: (moved: readonly Span[]) => number,
  { fewestSteady, chanceOutliers, chanceShare }: ChanceThresholds,
): boolean {
  const byChance = turns.map((turn) => count(rotateInTime(spans, turn))).sort((left, right) => left - right);
  const most = found < fewestSteady ? byChance.at(-1 - chanceOutliers) : byChance[byChance.length >> 1];
  return (most ?? 0) <= found * chanceShare;
}

/** Moves spans by a part of their common time range; spans that pass its end reappear at its beginning. */
function rotateInTime(spans: readonly Span[], sixteenths: bigint): readonly Span[] {
  const starts = spans.map((span) => span.startTimeUnixNano);
  const from = starts.reduce((least, start) => (start < least ? start : least), starts[0] ?? 0n);
  const to = spans.reduce((most, { endTimeUnixNano: end }) => (end > most ? end : most), from);
  const range = to - from;
  if (range <= 0n) return spans;
  return spans.map((span) => {
    const offset = span.startTimeUnixNano - from;
    const by = ((offset + (range * sixteenths) / 16n) % range) - offset;
    return atTime(span, span.startTimeUnixNano + by, span.endTimeUnixNano + by);
  });
}
