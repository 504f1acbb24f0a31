import type { Doubt, Draft } from './draft.ts';
import type { FindingId, Severity } from './finding.ts';

/** For people. */
export interface Prose {
  /** One line, for people who do not know the word yet. */
  readonly title: string;
  readonly why: string;
  /** One line: what to change. */
  readonly fix: string;
}

export type CutPlace = 'between' | 'above call' | 'above trace' | 'nowhere';

/** Properties of a finding wherever it is found. Its page, its fixtures and its row in the docs have its id. */
export interface FindingMeta<Id extends FindingId = FindingId> extends Prose {
  readonly id: Id;
  /** Where the words of calls do not fit messages. */
  readonly ofMessages?: Partial<Prose>;
  /** Evidence decides a cause; a symptom has candidates; warnings and information never fail a check. */
  readonly kind: 'cause' | 'symptom' | 'warning' | 'information';
  /** No later span can take it back: both sides of the call are here, or its headers were seen. */
  readonly isConclusive: boolean;
  /** The picture in the data, in words of the docs: A calls B. */
  readonly shows: string;
  /** Where a drawing of the call has the break, unless the ids of its two sides show it. `between` these by default. */
  readonly cut?: CutPlace;
}

interface Report extends Omit<Draft, 'id' | 'severity' | 'doubt'> {
  readonly severity?: Severity;
  readonly doubt?: Doubt | null;
}

/** A finding that rules report. */
export interface Finding<Id extends FindingId = FindingId> extends FindingMeta<Id> {
  /** Its severity is that of its kind unless the report says otherwise, or has a doubt: then it is a warning. */
  report(draft: Report): Draft;
}

const severities = {
  cause: 'error',
  symptom: 'error',
  warning: 'warning',
  information: 'info',
} as const satisfies Record<FindingMeta['kind'], Severity>;

/** The one place where a finding gets its id. */
export function defineFinding<Id extends FindingId>(id: Id, meta: Omit<FindingMeta, 'id'>): Finding<Id> {
  const usual = severities[meta.kind];
  return {
    ...{ id, ...meta },
    report: ({ doubt = null, ...draft }) =>
      doubt === null ? { severity: usual, ...draft, id } : { ...draft, severity: 'warning', doubt, id },
  };
}
