/** `rules/thresholds.ts` has the number and its reason. */
export interface NearlyAllThresholds {
  readonly fewestBesideException: number;
}

/** Whether `count` is nearly all: the given share, or all but one of several. */
export function areNearlyAll(
  count: number,
  all: number,
  share: number,
  { fewestBesideException }: NearlyAllThresholds,
): boolean {
  return count >= all * share || (count >= fewestBesideException && all - count <= 1);
}
