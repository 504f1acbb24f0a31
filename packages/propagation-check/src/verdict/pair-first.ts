import { pairContained } from '../pairing/contained.ts';
import type { Pair } from '../pairing/pair-spans.ts';
import type { Thresholds } from '../rules/thresholds.ts';
import type { Span } from '../span/span.ts';

/** Requests, and what may be their calls. */
export interface Paired {
  readonly requests: readonly Span[];
  readonly unpaired: readonly Span[];
  readonly pairs: readonly Pair[];
}

/**
 * Pairs the first of what may be calls with the requests that may enclose those: of most services they tell enough before all are paired.
 * @param unpaired By start.
 */
export function pairFirst(
  requests: readonly Span[],
  unpaired: readonly Span[],
  thresholds: Thresholds,
): Paired {
  const first = unpaired.slice(0, thresholds.mostRootsCompared);
  const last = first.at(-1)?.startTimeUnixNano ?? 0n;
  const early = requests.filter((request) => request.startTimeUnixNano <= last + thresholds.clockTolerance);
  return { requests: early, unpaired: first, pairs: pairContained(early, first, thresholds) };
}
