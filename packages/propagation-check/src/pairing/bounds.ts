/**
 * Bounds on work and memory, so that hostile data cannot make a check run for hours. They decide nothing in captures of the usual size;
 * numbers that decide verdicts are in `rules/thresholds.ts`.
 */
export const bounds = {
  /** Candidates kept for one span. */
  candidates: 200,
  /** Comparisons in one pairing, divided evenly among its servers. */
  comparisons: 20_000_000,
  /** Lower bound on the comparisons of each server. */
  fewestComparisons: 500,
  /** Comparisons where no time index limits them, divided evenly among the clients. */
  plainComparisons: 2_000_000,
  /** Lower bound on the comparisons of each client. */
  fewestPlainComparisons: 50,
  /** Spans of one trace, or below one span, examined for one span. */
  looks: 1_000,
  /** Enclosing spans kept for one span. */
  around: 200,
  /** Loose ends that `--explain` lists. */
  unreportedEnds: 500,
  /** Services compared as possible callers of one service. */
  callers: 100,
  /** Route templates examined for one target. */
  routes: 500,
} as const;
