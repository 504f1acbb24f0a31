import type { Expectation } from '../expect/expectation.ts';
import type { WireRecord } from '../headers/evidence.ts';
import type { ProjectHint } from '../rules/project-hint.ts';
import type { CollectorCounters } from '../span/collector-counters.ts';
import type { SpanStore } from '../span/span-store.ts';
import { applyBaseline, type Baseline } from '../verdict/apply-baseline.ts';
import { describeExamination, type Examination, examineStore } from '../verdict/check-traces.ts';
import type { Result } from '../verdict/result.ts';
import { leaveUncausedOpen } from './leave-uncaused-open.ts';

/** The inputs of a check, apart from spans. */
export interface CheckInputs {
  readonly expectation: Expectation;
  readonly wire: readonly WireRecord[];
  /** Faults that `doctor` found in the project. */
  readonly project?: readonly ProjectHint[];
  /** Explain for each loose end why nothing is reported. */
  readonly explain?: boolean;
  readonly baseline?: Baseline;
  /** The most calls shown for a finding. */
  readonly mostEvidence?: number;
}

/** The result, and what it was made from. */
export interface Judgement extends Pick<Examination, 'scene' | 'looseEnds'> {
  readonly result: Result;
}

export function judge(
  store: SpanStore,
  { expectation, wire, project = [], explain = false, baseline, mostEvidence }: CheckInputs,
  collector: CollectorCounters | null = null,
): Judgement {
  const shown = mostEvidence === undefined ? {} : { mostEvidence };
  const options = { expectation, headers: { wire, received: [] }, collector, project, explain, ...shown };
  const examination = examineStore(store, options);
  const judged = describeExamination(examination, options);
  const result = leaveUncausedOpen(judged, examination.scene.graph, expectation);
  return { ...examination, result: baseline === undefined ? result : applyBaseline(result, baseline) };
}

/** Changes `intact` to `unknown` if data are missing: the missing part may be broken. */
export function withDoubt(result: Result, isDoubtful: boolean): Result {
  return isDoubtful && result.verdict === 'intact' ? { ...result, verdict: 'unknown' } : result;
}
