import type { Doubt, Draft } from './draft.ts';
import type { FindingId, Severity } from './finding.ts';

/** The texts of a finding, for people. */
export interface Prose {
  /** One line, for people who do not know the term yet. */
  readonly title: string;
  readonly why: string;
  /** One line: what to change. */
  readonly fix: string;
}

export type CutPlace = 'between' | 'above call' | 'above trace' | 'nowhere';

/** The properties of a finding that do not depend on a capture. Its docs page, fixture folder and row in the docs have its id. */
export interface FindingMeta<Id extends FindingId = FindingId> extends Prose {
  readonly id: Id;
  /** Texts for messages, where those for calls do not fit. */
  readonly ofMessages?: Partial<Prose>;
  /** A cause is decided by evidence; a symptom has candidates; warnings and information never fail a check. */
  readonly kind: 'cause' | 'symptom' | 'warning' | 'information';
  /** A later span cannot revoke the finding: both sides of the call are here, or its headers were seen. */
  readonly isConclusive: boolean;
  /** What the data show, in the words of the docs: A calls B. */
  readonly shows: string;
  /** Where a drawing of the call shows the break, unless the ids of its two sides show it. Default: `between` the two sides. */
  readonly cut?: CutPlace;
}

interface Report extends Omit<Draft, 'id' | 'severity' | 'doubt'> {
  readonly severity?: Severity;
  readonly doubt?: Doubt | null;
}

/** A finding with the function that reports it. */
export interface Finding<Id extends FindingId = FindingId> extends FindingMeta<Id> {
  /** The severity is that of the kind, unless the report names another. A report with a doubt is a warning. */
  report(draft: Report): Draft;
}

const severities = {
  cause: 'error',
  symptom: 'error',
  warning: 'warning',
  information: 'info',
} as const satisfies Record<FindingMeta['kind'], Severity>;

/** Every finding gets its id here. */
export function defineFinding<Id extends FindingId>(id: Id, meta: Omit<FindingMeta, 'id'>): Finding<Id> {
  const usual = severities[meta.kind];
  return {
    ...{ id, ...meta },
    report: ({ doubt = null, ...draft }) =>
      doubt === null ? { severity: usual, ...draft, id } : { ...draft, severity: 'warning', doubt, id },
  };
}
