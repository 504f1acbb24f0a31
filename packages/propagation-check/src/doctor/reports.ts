import type { Layout } from '../report/layout.ts';
import type { Diagnosis } from './examine.ts';
import { renderGithub } from './report/render-github.ts';
import { renderJson } from './report/render-json.ts';
import { renderSarif } from './report/render-sarif.ts';
import { renderTerminal } from './report/render-terminal.ts';
import type { DoctorReportName } from './report-names.ts';

export interface DoctorReportOptions extends Layout {
  /** The folder that holds `docs/doctor.md`, as seen from where the reader is. */
  readonly docsRoot: string;
  /** Of this tool. */
  readonly version: string;
}

interface DoctorReport {
  readonly render: (diagnosis: Diagnosis, options: DoctorReportOptions) => string;
  /** It is for a program that reads a log: it is printed below the report for people. */
  readonly isBeside?: boolean;
}

/** By the names that `doctor --report` takes. */
export const doctorReports = {
  terminal: { render: (diagnosis, options) => renderTerminal(diagnosis, options, options.docsRoot) },
  json: { render: renderJson },
  sarif: { render: (diagnosis, { version }) => renderSarif(diagnosis, version) },
  github: { isBeside: true, render: renderGithub },
} as const satisfies Record<DoctorReportName, DoctorReport>;
