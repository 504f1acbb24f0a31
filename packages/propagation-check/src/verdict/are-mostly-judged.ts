import type { Thresholds } from '../rules/thresholds.ts';

/** Whether enough of the calls of an edge are judged to call it whole. */
export function areMostlyJudged(
  judged: number,
  calls: number,
  { judgedShare }: Pick<Thresholds, 'judgedShare'>,
): boolean {
  return judged > calls * judgedShare;
}
