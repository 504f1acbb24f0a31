/** Why traces are closed. `age`: a trace that never became quiet has reached the longest time. */
const closeReasons = ['inactive', 'age', 'memory', 'stop'] as const;
export type CloseReason = (typeof closeReasons)[number];

/** Totals since the first start: the values of `propagation_sink_…_total`. */
export interface JudgeTotals {
  received: number;
  invalid: number;
  late: number;
  repeated: number;
  judged: number;
  tracesJudged: number;
  batches: number;
  failedBatches: number;
  judgeMs: number;
  readonly closed: Record<CloseReason, number>;
}

export const noTotals: JudgeTotals = {
  ...{
    received: 0,
    invalid: 0,
    late: 0,
    repeated: 0,
    judged: 0,
    tracesJudged: 0,
    batches: 0,
    failedBatches: 0,
    judgeMs: 0,
  },
  closed: { inactive: 0, age: 0, memory: 0, stop: 0 },
};
