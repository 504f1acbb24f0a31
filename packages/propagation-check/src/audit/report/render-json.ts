import { escapeJson } from '../../util/escape-json.ts';
import type { AuditReportInput } from './audit-report-input.ts';

/** The audit as it is, with reason and notes, so escaped that a log stays whole. On one line where audits follow each other. */
export function renderJson({ audit, details, isRepeated = false }: AuditReportInput): string {
  const { reason, notes, collector } = details;
  const text = JSON.stringify({ ...audit, reason, notes, collector }, null, isRepeated ? undefined : 2);
  return `${escapeJson(text)}\n`;
}
