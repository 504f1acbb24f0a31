/** Whole milliseconds, rounded down: of a time since the Unix epoch, or of a duration that is not negative. */
export function toMilliseconds(nanoseconds: bigint): number {
  return Number(nanoseconds / 1_000_000n);
}
