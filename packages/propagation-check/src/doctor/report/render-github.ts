import { escapeText } from '../../report/escape-text.ts';
import { annotate, mostOfLevel } from '../../util/annotate.ts';
import type { DoctorFinding } from '../check.ts';
import type { Diagnosis } from '../examine.ts';
import { findCheck } from '../find-check.ts';
import { countFindings, describeReading } from './describe-reading.ts';

const levels = { error: 'error', warning: 'warning', note: 'notice' } as const satisfies Record<
  DoctorFinding['severity'],
  string
>;

/** Annotations of GitHub Actions at the places of findings. */
export function renderGithub(diagnosis: Diagnosis): string {
  const findings = (['error', 'warning', 'note'] as const).flatMap((severity) =>
    diagnosis.findings.filter((finding) => finding.severity === severity).slice(0, mostOfLevel),
  );
  return [
    ...findings.map((finding) => {
      const { title, fix } = findCheck(finding.id);
      const { path, line, column } = finding;
      const properties = { file: escapeText(path), line, col: column, title: `${title} (${finding.id})` };
      return annotate(levels[finding.severity], properties, `${escapeText(finding.says)}\n${fix}`);
    }),
    annotate(
      diagnosis.verdict === 'unknown' ? 'error' : 'notice',
      { title: 'propagation-check doctor' },
      `${diagnosis.reason ?? countFindings(diagnosis)}; ${describeReading(diagnosis)}`,
    ),
    '',
  ].join('\n');
}
