import type { FindingId } from './finding.ts';

/** A fault in the files of a project that breaks propagation, as `doctor` reports it. */
export interface ProjectHint {
  /** The name of the `doctor` check. */
  readonly check: string;
  readonly leadsTo: readonly FindingId[];
  /** The service with the fault; null if the files do not say. */
  readonly service: string | null;
  /** If set, the fault affects only calls between the service and one of these; null is a service of unknown name. */
  readonly apartFrom?: readonly (string | null)[];
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly says: string;
}
