import { pairContained } from '../pairing/contained.ts';
import type { Pair } from '../pairing/pair-spans.ts';
import type { Thresholds } from '../rules/thresholds.ts';
import type { Span } from '../span/span.ts';

/** Requests, and the spans that may be their calls. */
export interface Paired {
  readonly requests: readonly Span[];
  readonly unpaired: readonly Span[];
  readonly pairs: readonly Pair[];
}

/**
 * Pairs the first possible calls with the requests that may enclose them: for most services these decide before all are paired.
 * @param unpaired Possible calls, by start.
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
