import type { Thresholds } from '../rules/thresholds.ts';

/** Whether enough calls of an edge are judged to call the edge whole. */
export function areMostlyJudged(
  judged: number,
  calls: number,
  { judgedShare }: Pick<Thresholds, 'judgedShare'>,
): boolean {
  return judged > calls * judgedShare;
}
