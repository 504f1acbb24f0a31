import { escapeJson } from '../../util/escape-json.ts';
import type { AuditReportInput } from './audit-report-input.ts';

/** The audit with reason and notes as JSON, escaped for logs. On one line where the audit is one of several. */
export function renderJson({ audit, details, isRepeated = false }: AuditReportInput): string {
  const { reason, notes, collector } = details;
  const text = JSON.stringify({ ...audit, reason, notes, collector }, null, isRepeated ? undefined : 2);
  return `${escapeJson(text)}\n`;
}
