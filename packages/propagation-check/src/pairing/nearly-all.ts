/** `rules/thresholds.ts` has the number and its reason. */
export interface NearlyAllThresholds {
  readonly fewestBesideException: number;
}

/** Whether so many are nearly all: this share of them, or all but one of several. */
export function areNearlyAll(
  count: number,
  all: number,
  share: number,
  { fewestBesideException }: NearlyAllThresholds,
): boolean {
  return count >= all * share || (count >= fewestBesideException && all - count <= 1);
}
