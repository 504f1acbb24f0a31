import type { Expectation } from '../expect/expectation.ts';
import type { WireRecord } from '../headers/evidence.ts';
import type { ProjectHint } from '../rules/project-hint.ts';
import type { CollectorCounters } from '../span/collector-counters.ts';
import type { Span } from '../span/span.ts';
import type { SpanStore } from '../span/span-store.ts';
import { storeOf } from '../span/span-writer.ts';
import { applyBaseline, type Baseline } from '../verdict/apply-baseline.ts';
import { checkStore } from '../verdict/check-traces.ts';
import type { Result } from '../verdict/result.ts';

/** Everything that a check needs beside spans. */
export interface CheckInputs {
  readonly expectation: Expectation;
  readonly wire: readonly WireRecord[];
  /** Faults that `doctor` found in the project. */
  readonly project?: readonly ProjectHint[];
  /** Say of each loose end why nothing is reported. */
  readonly explain?: boolean;
  readonly baseline?: Baseline;
}

export function judge(
  spans: readonly Span[],
  inputs: CheckInputs,
  collector: CollectorCounters | null = null,
): Result {
  return judgeStore(storeOf(spans), inputs, collector);
}

export function judgeStore(
  store: SpanStore,
  { expectation, wire, project = [], explain = false, baseline }: CheckInputs,
  collector: CollectorCounters | null = null,
): Result {
  const result = checkStore(store, {
    expectation,
    headers: { wire, received: [] },
    collector,
    project,
    explain,
  });
  return baseline === undefined ? result : applyBaseline(result, baseline);
}

/** Where something is missing to a verdict, what is there may be broken, and is not called intact. */
export function withDoubt(result: Result, isDoubtful: boolean): Result {
  return isDoubtful && result.verdict === 'intact' ? { ...result, verdict: 'unknown' } : result;
}
