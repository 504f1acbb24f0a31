import type { Span } from '../span/span.ts';
import { earlier, later } from '../util/statistics.ts';

/** The start of the first span; 0 without spans. */
export function findStart(spans: readonly Span[]): bigint {
  return spans.length === 0 ? 0n : spans.map((span) => span.startTimeUnixNano).reduce(earlier);
}

/** The end of the last span; 0 without spans. */
export function findEnd(spans: readonly Span[]): bigint {
  return spans.length === 0 ? 0n : spans.map((span) => span.endTimeUnixNano).reduce(later);
}

export function toMs(nanoseconds: bigint): number {
  return Number(nanoseconds) / 1e6;
}
