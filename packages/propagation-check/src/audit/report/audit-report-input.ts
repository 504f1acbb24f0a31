import type { ReportInput } from '../../report/reports.ts';
import type { AuditResult } from '../audit-result.ts';

/** The input of the reports of an audit: those of a result take the rest. */
export interface AuditReportInput extends ReportInput {
  readonly audit: AuditResult;
  /** Audits follow each other. */
  readonly isRepeated?: boolean;
}
