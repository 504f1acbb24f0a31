import { escapeText } from '../../report/escape-text.ts';
import type { DoctorFinding } from '../check.ts';
import type { Diagnosis } from '../examine.ts';
import { findCheck } from '../find-check.ts';
import { countFindings, describeReading } from './describe-reading.ts';

/** GitHub shows at most this many annotations of each level in a step. */
const mostOfLevel = 10;

const levels = { error: 'error', warning: 'warning', note: 'notice' } as const satisfies Record<
  DoctorFinding['severity'],
  string
>;

/** Annotations of GitHub Actions at the places of findings. Source: actions/toolkit, `packages/core/src/command.ts`. */
export function renderGithub(diagnosis: Diagnosis): string {
  const findings = (['error', 'warning', 'note'] as const).flatMap((severity) =>
    diagnosis.findings.filter((finding) => finding.severity === severity).slice(0, mostOfLevel),
  );
  return [
    ...findings.map((finding) => {
      const { title, fix } = findCheck(finding.id);
      const { path, line, column } = finding;
      const place = `file=${escapeProperty(escapeText(path))},line=${line},col=${column}`;
      return `::${levels[finding.severity]} ${place},title=${escapeProperty(`${title} (${finding.id})`)}::${escapeData(`${escapeText(finding.says)}\n${fix}`)}`;
    }),
    `::${diagnosis.verdict === 'unknown' ? 'error' : 'notice'} title=propagation-check doctor::${escapeData(`${diagnosis.reason ?? countFindings(diagnosis)}; ${describeReading(diagnosis)}`)}`,
    '',
  ].join('\n');
}

function escapeData(text: string): string {
  return text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replace(/:/g, '%3A').replace(/,/g, '%2C');
}
