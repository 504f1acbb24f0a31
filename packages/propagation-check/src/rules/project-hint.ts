import type { FindingId } from './finding.ts';

/** Something in the files of a project that breaks propagation, as `doctor` sees it. */
export interface ProjectHint {
  /** The name of its check. */
  readonly check: string;
  readonly leadsTo: readonly FindingId[];
  /** The service that it concerns; null where the files do not say. */
  readonly service: string | null;
  /** Where there are any, it concerns only calls between the service and one of these; null is one of unknown name. */
  readonly apartFrom?: readonly (string | null)[];
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly says: string;
}
