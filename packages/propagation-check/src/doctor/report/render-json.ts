import { escapeJson } from '../../util/escape-json.ts';
import type { Diagnosis } from '../examine.ts';
import { findCheck } from '../find-check.ts';

/** Version 1: fields may be added, never renamed. */
export function renderJson(diagnosis: Diagnosis): string {
  const findings = diagnosis.findings.map((finding) => {
    const { title, why, fix, leadsTo } = findCheck(finding.id);
    return { ...finding, title, why, fix, leadsTo, docs: `docs/doctor.md#${finding.id}` };
  });
  return `${escapeJson(JSON.stringify({ ...diagnosis, findings }, null, 2))}\n`;
}
