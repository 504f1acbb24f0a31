import { type Report, type ReportName, reports } from '../report/reports.ts';
import type { AuditReportInput } from './report/audit-report-input.ts';

export interface AuditReport extends Pick<Report, 'isFile' | 'isBeside'> {
  readonly render: (input: AuditReportInput) => Promise<string>;
}

/** The reports, by the names that `--report` takes. Those that show single calls and findings are the reports of a check. */
export const auditReports = {
  tree: withAudit(reports.tree),
  html: withAudit(reports.html),
  junit: withAudit(reports.junit),
  github: withAudit(reports.github),
  terminal: {
    render: async (input) => {
      const text = (await import('./report/render-terminal.ts')).renderTerminal(input);
      return input.options.ascii === true ? (await import('../report/to-ascii.ts')).toAscii(text) : text;
    },
  },
  json: { render: async (input) => (await import('./report/render-json.ts')).renderJson(input) },
  markdown: { render: async (input) => (await import('./report/render-markdown.ts')).renderMarkdown(input) },
} as const satisfies Record<ReportName, AuditReport>;

/** A report of a check that shows the result of the audit, and the audit itself in a note. */
function withAudit<Of extends Report>(report: Of): Of & AuditReport {
  return {
    ...report,
    render: async (input: AuditReportInput) => {
      const { nameOutcome, summariseAudit } = await import('./report/describe-audit.ts');
      const { audit, details } = input;
      const summary = `audit: ${nameOutcome(audit)}, ${summariseAudit(audit, details)}`;
      const says = audit.window.seen.says === '' ? [] : [audit.window.seen.says];
      return report.render({
        ...input,
        details: { ...details, notes: [summary, ...says, ...details.notes] },
      });
    },
  };
}
