import type { Span } from '../span/span.ts';
import { endsWithin, type Pair, pairSpans, type Tolerances } from './pair.ts';

/** Pairs spans with those that lie within them. */
export function pairContained(
  outer: readonly Span[],
  inner: readonly Span[],
  tolerances: Tolerances,
  fits: (one: Span, other: Span) => boolean = () => true,
): readonly Pair[] {
  return pairSpans(
    outer,
    inner,
    (one, other) => fits(one, other) && endsWithin(other, one, tolerances),
    tolerances,
  );
}
