import type { ReportInput } from '../../report/reports.ts';
import type { AuditResult } from '../audit-result.ts';

/** The input of reports of an audit. Reports of its result get the same input. */
export interface AuditReportInput extends ReportInput {
  readonly audit: AuditResult;
  /** The audit is one of several (`--every`). */
  readonly isRepeated?: boolean;
}
