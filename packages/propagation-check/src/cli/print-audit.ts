import { appendFile, writeFile } from 'node:fs/promises';
import type { AuditResult } from '../audit/audit-result.ts';
import type { AuditReportInput } from '../audit/report/audit-report-input.ts';
import { auditReports } from '../audit/reports.ts';
import type { ReportDetails } from '../report/json.ts';
import { pickSpans } from '../report/pick-spans.ts';
import { describeFileError, quotePath } from '../source/file-error.ts';
import { findDocsRoot } from '../source/find-docs-root.ts';
import type { SpanStore } from '../span/span-store.ts';
import type { CheckArguments } from './common-options.ts';
import type { Output } from './open-output.ts';
import { withPrinted } from './parse-report.ts';
import { readPageScript } from './read-page-script.ts';

/** An audit as it is reported. */
export interface Audited {
  readonly audit: AuditResult;
  readonly details: ReportDetails;
  /** Null where the source does not hand its spans out. */
  readonly store: SpanStore | null;
  readonly isRepeated: boolean;
  /** Printed in the place of the report for people. */
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
  const failures: string[] = [];
  for (const { name, path } of withPrinted(auditReports, json ? 'json' : 'terminal', report)) {
    if (path === null && name === 'terminal' && line !== null) {
      await output.print(`${line}\n`);
      continue;
    }
    const text = await auditReports[name].render(input);
    if (path === null) await output.print(text);
    else
      await writeFile(path, text).catch((error: unknown) => {
        failures.push(`--report ${name}: ${quotePath(path)} cannot be written: ${describeFileError(error)}`);
      });
    if (name === 'github') await addToStepSummary(input, failures);
  }
  return failures;
}

/** Source: GitHub Actions, "Adding a job summary". */
async function addToStepSummary(input: AuditReportInput, failures: string[]): Promise<void> {
  const { GITHUB_STEP_SUMMARY: path } = process.env;
  if (path === undefined || path === '') return;
  await appendFile(path, await auditReports.markdown.render(input)).catch((error: unknown) => {
    failures.push(`GITHUB_STEP_SUMMARY ${quotePath(path)} cannot be written: ${describeFileError(error)}`);
  });
}
