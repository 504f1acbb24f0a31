import type { FindingId } from '../rules/finding.ts';
import type { Outcome } from '../verdict/decide-verdict.ts';
import type { Evidence, Finding, PastService, Result } from '../verdict/result.ts';
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
  /** As the exit code: passed 0, failed 1, unknown 2. */
  readonly outcome: Outcome;
  readonly source: string;
  readonly window: AuditedWindow;
  /** The window of the same length before; null where there is none to compare with. */
  readonly before: AuditedWindow | null;
  /** The time of the run against which `isNew` and `gone` are told; null where there was none. */
  readonly lastRun: string | null;
  /** From 0 to 1; null where no limit was given. */
  readonly failUnder: number | null;
  readonly edges: readonly AuditEdge[];
  /** Edges of the window before of which this one has no call. None where this one was read in part. */
  readonly vanished: readonly EdgePlace[];
  /** Of this window. An error of an edge that meets `failUnder` is a warning here. */
  readonly result: Result;
}

export interface AuditedWindow {
  /** RFC 3339; null where the source was read from its beginning, or to its end. */
  readonly from: string | null;
  readonly to: string | null;
  readonly traces: number;
  readonly spans: number;
  readonly seen: WindowCoverage;
}

/** The calls between two services in the window. */
export interface AuditEdge extends EdgePlace {
  readonly calls: number;
  readonly broken: number;
  /** As in a result. */
  readonly unjudged?: number;
  readonly doubtful?: number;
  readonly openOnBothSides?: true;
  /** Calls of which a warning says that they may be broken. The rate leaves out those that are `unjudged` or `doubtful`, and counts the others as intact. */
  readonly suspected: number;
  readonly known?: true;
  readonly tolerated?: true;
  /** As in a result. */
  readonly past?: PastService;
  /**
   * Null where no call was judged without doubt. Where one service is unknown, or calls were lost within one service, only broken calls are counted: the
   * rate is then among all calls of the known service.
   */
  readonly rate: Rate | null;
  /** Null where there is no window before, or the edge has no call in it. */
  readonly trend: Trend | null;
  readonly causes: readonly EdgeCause[];
  /** No run before this one has seen it. Left out until one run has read its whole window, as in causes. */
  readonly isNew?: true;
  /** Causes of the last run of which this one, which read its whole window and saw calls of the edge, shows nothing. */
  readonly gone?: readonly FindingId[];
  /** The rate is below `failUnder`: `proven` where the whole interval is. */
  readonly below?: 'proven' | 'unproven';
}

export interface Trend {
  readonly before: Rate;
  readonly change: Change;
}

/** An error or a warning of an edge. */
export interface EdgeCause
  extends Pick<Finding, 'id' | 'severity' | 'confidence' | 'candidates' | 'count' | 'known' | 'tolerated'> {
  /** The last run did not show it on this edge. */
  readonly isNew?: true;
  readonly examples: readonly Pick<Evidence, 'traceId' | 'spanId'>[];
}
