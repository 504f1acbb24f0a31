import type { FindingId } from '../rules/finding.ts';
import type { Outcome } from '../verdict/decide-verdict.ts';
import type { EdgeResult, Evidence, Finding, Result } from '../verdict/result.ts';
import type { WindowCoverage } from './audit-source.ts';
import type { EdgePlace } from './edge-place.ts';
import type { Change, Rate } from './estimate-rate.ts';

/**
 * Every edge of a system over a window of time. This is the JSON report of `audit`, version 1: other programs read it, so fields may be
 * added and never renamed.
 */
export interface AuditResult {
  readonly kind: 'audit';
  readonly version: 1;
  /** Corresponds to the exit code: passed 0, failed 1, unknown 2. */
  readonly outcome: Outcome;
  readonly source: string;
  readonly window: AuditedWindow;
  /** The preceding window of the same length; null where there is none to compare with. */
  readonly before: AuditedWindow | null;
  /** The time of the run with which `isNew` and `gone` compare; null where there was none. */
  readonly lastRun: string | null;
  /** The limit of `--fail-under`, from 0 to 1; null where none is given. */
  readonly failUnder: number | null;
  readonly edges: readonly AuditEdge[];
  /** Edges with calls in the preceding window and none in this one. Empty where this window was read in part. */
  readonly vanished: readonly EdgePlace[];
  /** The result of this window. An error of an edge that meets `failUnder` is a warning here. */
  readonly result: Result;
}

export interface AuditedWindow {
  /** RFC 3339. `from` is null where the source was read from its beginning, `to` where it was read to its end. */
  readonly from: string | null;
  readonly to: string | null;
  readonly traces: number;
  readonly spans: number;
  readonly seen: WindowCoverage;
}

/** The calls between two services in the window. */
export interface AuditEdge
  extends Pick<
    EdgeResult,
    | keyof EdgePlace
    | 'calls'
    | 'broken'
    | 'unjudged'
    | 'doubtful'
    | 'openOnBothSides'
    | 'known'
    | 'tolerated'
    | 'past'
  > {
  /** Calls with a warning. The rate leaves out those that are also `unjudged` or `doubtful`, and counts the others as intact. */
  readonly suspected: number;
  /**
   * The share of intact calls; null where no call was judged without doubt. An edge with an unknown service, or whose calls all lost their
   * context inside one service, has only broken calls: its rate is among all calls of the known service.
   */
  readonly rate: Rate | null;
  /** Null where the preceding window is missing or has no call of the edge. */
  readonly trend: Trend | null;
  readonly causes: readonly EdgeCause[];
  /** No earlier run has seen the edge. Absent until a run has read its whole window; the same holds for causes. */
  readonly isNew?: true;
  /** Causes of the last run that have gone. Only where this run read its whole window and saw calls of the edge. */
  readonly gone?: readonly FindingId[];
  /** The rate is below `failUnder`: `proven` where the whole interval is below. */
  readonly below?: 'proven' | 'unproven';
}

export interface Trend {
  readonly before: Rate;
  readonly change: Change;
}

/** An error or a warning of an edge. */
export interface EdgeCause
  extends Pick<Finding, 'id' | 'severity' | 'confidence' | 'candidates' | 'count' | 'known' | 'tolerated'> {
  /** The last run did not show this cause on the edge. */
  readonly isNew?: true;
  readonly examples: readonly Pick<Evidence, 'traceId' | 'spanId'>[];
}
