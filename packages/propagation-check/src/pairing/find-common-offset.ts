/** By how many nanoseconds a SERVER span starts after its CLIENT span, and ends after it. */
export type Apart = readonly [start: number, end: number];

/**
 * By how much the clock of the servers is most likely ahead: the middle of the offsets with which most SERVER spans lie within
 * their CLIENT spans, give or take the tolerance; the lowest such where there are several, and 0 where none can.
 */
export function findCommonOffset(pairs: readonly Apart[], tolerance: number): number {
  const ranges = pairs.map((apart) => rangeOf(apart, tolerance)).filter(([least, most]) => least <= most);
  const lows = Float64Array.from(ranges, ([least]) => least).sort();
  const highs = Float64Array.from(ranges, ([, most]) => most).sort();
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

/** Whether the SERVER span lies within its CLIENT span, were its clock right by `offset`; all in nanoseconds. */
export function isWithin(apart: Apart, offset: number, tolerance: number): boolean {
  const [least, most] = rangeOf(apart, tolerance);
  return least <= offset && offset <= most;
}

function rangeOf([start, end]: Apart, tolerance: number): readonly [least: number, most: number] {
  return [end - tolerance, start + tolerance];
}
