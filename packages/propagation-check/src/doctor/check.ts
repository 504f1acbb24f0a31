import type { FindingId } from '../rules/finding.ts';
import type { Place } from './place.ts';
import type { Project } from './project.ts';

/** A sighting of a check in one place. */
export interface Observation {
  readonly place: Place;
  readonly says: string;
  /** The service that it concerns, by the name that its spans have. Absent: any. */
  readonly service?: string | null;
  /** Files alone do not tell: reported as a note. */
  readonly isUnsure?: boolean;
  /** It concerns only calls between the service and one of these; null is one of unknown name. */
  readonly apartFrom?: readonly (string | null)[];
}

/** One thing in a project that breaks propagation. */
export interface DoctorCheck {
  readonly id: string;
  /** `error`: propagation is broken wherever this is seen. `warning`: it is unless something outside the files makes up for it. */
  readonly severity: 'error' | 'warning';
  readonly title: string;
  readonly why: string;
  /** The change to make, in one or two sentences. */
  readonly fix: string;
  /** The corrected text, for the page. */
  readonly example: { readonly language: string; readonly text: string };
  /** The findings in spans that it leads to. */
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
