import { atTime } from '../span/row-span.ts';
import type { Span } from '../span/span.ts';

/** Turns of the common range, in sixteenths: none is a simple fraction of another, so that rhythms do not return. */
const turns = [3n, 5n, 7n, 11n, 13n];

/** `rules/thresholds.ts` has the numbers and their reasons. */
export interface ChanceThresholds {
  readonly fewestSteady: number;
  readonly chanceOutliers: number;
  readonly chanceShare: number;
}

/**
 * Whether clearly fewer pairs would be found, had the spans come at other times of the capture: what pairs up at any
 * time does so by chance. `count` pairs anew with the spans that it is given.
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

/** Moves spans by a part of their common range; what passes its end comes in again at its beginning. */
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
