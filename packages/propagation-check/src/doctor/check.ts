import type { FindingId } from '../rules/finding.ts';
import type { Place } from './place.ts';
import type { Project } from './project.ts';

/** One place where a check has found its problem. */
export interface Observation {
  readonly place: Place;
  readonly says: string;
  /** The `service.name` of the service that is concerned. Absent: unknown. */
  readonly service?: string | null;
  /** The files alone do not decide: reported as a note. */
  readonly isUnsure?: boolean;
  /** Only calls between the service and one of these are concerned. Null is a service of unknown name. */
  readonly apartFrom?: readonly (string | null)[];
}

/** A kind of mistake in a project that breaks propagation. */
export interface DoctorCheck {
  readonly id: string;
  /** `error`: propagation is broken wherever the check matches. `warning`: it is, unless something outside the files compensates. */
  readonly severity: 'error' | 'warning';
  readonly title: string;
  readonly why: string;
  /** The change to make, in one or two sentences. */
  readonly fix: string;
  /** The corrected text, for the documentation. */
  readonly example: { readonly language: string; readonly text: string };
  /** The findings in spans that the mistake leads to. */
  readonly leadsTo: readonly FindingId[];
  readonly find: (project: Project) => readonly Observation[];
}

export interface DoctorFinding extends Place {
  readonly id: string;
  readonly severity: 'error' | 'warning' | 'note';
  readonly service: string | null;
  readonly apartFrom?: readonly (string | null)[];
  readonly says: string;
}
