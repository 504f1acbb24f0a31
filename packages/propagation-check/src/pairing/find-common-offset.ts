/** By how many nanoseconds a SERVER span starts after its CLIENT span, and ends after it. */
export type Apart = readonly [start: number, end: number];

/**
 * By how much the clock of the servers is most likely ahead. A SERVER span lies within its CLIENT span with every offset between
 * its two distances: the middle of those with which the most do, the lowest such where there are several; 0 without spans.
 */
export function findCommonOffset(pairs: readonly Apart[]): number {
  const lows = Float64Array.from(pairs, ([start, end]) => Math.min(start, end)).sort();
  const highs = Float64Array.from(pairs, ([start, end]) => Math.max(start, end)).sort();
  let [passed, most, offset] = [0, 0, 0];
  for (const [index, low] of lows.entries()) {
    while ((highs[passed] ?? low) < low) passed += 1;
    const within = index + 1 - passed;
    if (within <= most) continue;
    most = within;
    offset = Math.floor((low + (highs[passed] ?? low)) / 2);
  }
  return offset;
}

/** Whether the SERVER span lies within its CLIENT span, or around it, were its clock right by `offset`; all in nanoseconds. */
export function isWithin([start, end]: Apart, offset: number, tolerance: number): boolean {
  return offset >= Math.min(start, end) - tolerance && offset <= Math.max(start, end) + tolerance;
}
