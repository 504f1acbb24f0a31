/**
 * Bounds on work and memory, so that hostile data cannot make a check run for hours. They decide nothing in data of the
 * usual size; numbers that do are in `rules/thresholds.ts`.
 */
export const bounds = {
  /** Candidates that are kept for one span. */
  candidates: 200,
  /** Comparisons in one pairing, shared evenly by its servers. */
  comparisons: 20_000_000,
  /** Each server gets so many of them at least. */
  fewestComparisons: 500,
  /** Comparisons where times do not limit them, shared evenly by the clients. */
  plainComparisons: 2_000_000,
  /** Each client gets so many of them at least. */
  fewestPlainComparisons: 50,
  /** Spans of one trace, or below one span, that are looked at for one of it. */
  looks: 1_000,
  /** Spans around one span that are kept. */
  around: 200,
  /** Loose ends that `--explain` lists. */
  unreportedEnds: 500,
  /** Route templates of one target that are looked at. */
  routes: 500,
} as const;
