/** By how many nanoseconds a SERVER span starts, and ends, after its CLIENT span. */
export type Apart = readonly [start: number, end: number];

/**
 * The most likely offset of the server's clock: the middle of the range of offsets at which most SERVER spans lie within their CLIENT
 * spans, within the tolerance. The lowest such range if there are several; 0 if no offset fits any pair.
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

/** Whether the SERVER span lies within its CLIENT span once its clock is corrected by `offset` nanoseconds. */
export function isWithin(apart: Apart, offset: number, tolerance: number): boolean {
  const [least, most] = rangeOf(apart, tolerance);
  return least <= offset && offset <= most;
}

function rangeOf([start, end]: Apart, tolerance: number): readonly [least: number, most: number] {
  return [end - tolerance, start + tolerance];
}
