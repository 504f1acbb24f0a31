import type { Layout } from '../report/layout.ts';
import { escapeJson } from '../util/escape-json.ts';
import type { Diagnosis } from './examine.ts';
import { findCheck } from './find-check.ts';
import { renderGithub } from './report/render-github.ts';
import { renderSarif } from './report/render-sarif.ts';
import { renderTerminal } from './report/render-terminal.ts';
import type { DoctorReportName } from './report-names.ts';

export interface DoctorReportOptions extends Layout {
  /** The folder of `docs/doctor.md`, relative to the reader. */
  readonly docsRoot: string;
  /** The version of this tool. */
  readonly version: string;
}

interface DoctorReport {
  readonly render: (diagnosis: Diagnosis, options: DoctorReportOptions) => string;
  /** The report is for a program that reads the log, and is printed below the report for people. */
  readonly isBeside?: boolean;
}

/** The reports, by the names that `doctor --report` takes. */
export const doctorReports = {
  terminal: { render: (diagnosis, options) => renderTerminal(diagnosis, options, options.docsRoot) },
  json: { render: renderJson },
  sarif: { render: (diagnosis, { version }) => renderSarif(diagnosis, version) },
  github: { isBeside: true, render: renderGithub },
} as const satisfies Record<DoctorReportName, DoctorReport>;

/** Version 1: fields may be added, never renamed. */
function renderJson(diagnosis: Diagnosis): string {
  const findings = diagnosis.findings.map((finding) => {
    const { title, why, fix, leadsTo } = findCheck(finding.id);
    return { ...finding, title, why, fix, leadsTo, docs: `docs/doctor.md#${finding.id}` };
  });
  return `${escapeJson(JSON.stringify({ ...diagnosis, findings }, null, 2))}\n`;
}
