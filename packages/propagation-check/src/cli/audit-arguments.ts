import type { CheckArguments, SourceArguments } from './common-options.ts';

/** Times in milliseconds. */
export interface AuditArguments extends CheckArguments, Pick<SourceArguments, 'header' | 'settle'> {
  readonly source?: string;
  readonly since?: number;
  readonly until?: number;
  readonly every?: number;
  /** A share from 0 to 1. */
  readonly failUnder?: number;
  readonly printSql?: boolean;
  readonly state?: string;
  readonly limit: number;
}
