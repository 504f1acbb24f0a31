import type { AuditResult } from '../audit/audit-result.ts';
import type { AuditReportInput } from '../audit/report/audit-report-input.ts';
import { auditReports } from '../audit/reports.ts';
import type { ReportDetails } from '../report/json.ts';
import { pickSpans } from '../report/pick-spans.ts';
import { findDocsRoot } from '../source/find-docs-root.ts';
import type { SpanStore } from '../span/span-store.ts';
import type { CheckArguments } from './common-options.ts';
import type { Output } from './open-output.ts';
import { withPrinted } from './parse-report.ts';
import { readPageScript } from './read-page-script.ts';
import { writeReports } from './write-reports.ts';

/** An audit as it is reported. */
export interface Audited {
  readonly audit: AuditResult;
  readonly details: ReportDetails;
  /** Null where the source does not give its spans. */
  readonly store: SpanStore | null;
  readonly isRepeated: boolean;
  /** A line to print instead of the report for people. */
  readonly line: string | null;
}

/** Prints the report that was asked for, and writes the others. @returns Which files could not be written, and why. */
export async function printAudit(
  { audit, details, store, isRepeated, line }: Audited,
  { report = [], json = false, failOn }: CheckArguments,
  output: Output,
): Promise<readonly string[]> {
  const input: AuditReportInput = {
    audit,
    isRepeated,
    result: audit.result,
    details: { ...details, ...(failOn === 'warning' ? { failOn } : {}) },
    options: { ...output, docsRoot: findDocsRoot() },
    pickSpans: (most) => (store === null ? [] : pickSpans(store, audit.result, most)),
    readPageScript,
  };
  const targets = withPrinted(auditReports, json ? 'json' : 'terminal', report);
  return writeReports(
    targets,
    ({ name, path }) =>
      path === null && name === 'terminal' && line !== null ? `${line}\n` : auditReports[name].render(input),
    output,
  );
}
