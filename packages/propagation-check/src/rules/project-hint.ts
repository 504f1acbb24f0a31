import type { FindingId } from './finding.ts';

/** A fault in the files of a project that breaks propagation, as `doctor` reports it. */
export interface ProjectHint {
  /** The name of the `doctor` check. */
  readonly check: string;
  readonly leadsTo: readonly FindingId[];
  /** The service with the fault; null if the files do not say. */
  readonly service: string | null;
  /** Where `service` is null: the names, in lower case, that the services with this file may have, by their folders. Empty: any service. */
  readonly owners?: readonly string[];
  /** The names, in lower case, that the folders of the project give to services. */
  readonly named?: ReadonlySet<string>;
  /** If set, the fault affects only calls between the service and one of these; null is a service of unknown name. */
  readonly apartFrom?: readonly (string | null)[];
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly says: string;
}
