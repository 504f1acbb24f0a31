import { annotate, mostOfLevel } from '../util/annotate.ts';
import type { Finding, Result } from '../verdict/result.ts';
import { describeCount } from './describe-count.ts';
import type { ReportDetails } from './json.ts';
import {
  listAccepted,
  listErrorsFirst,
  nameAcceptance,
  nameVerdict,
  outcomeOf,
  summarise,
} from './summary.ts';
import { nameEdge } from './terminal-edges.ts';
import { type FindingOptions, renderFinding } from './terminal-findings.ts';

const textWidth = 100;
const longestEdge = 100;

/** Annotations of GitHub Actions, one for each line: the verdict, then errors, warnings, and accepted findings. */
export function renderGithub(result: Result, details: ReportDetails, options: FindingOptions): string {
  const layout = { ...options, width: textWidth, color: false, isShared: true };
  const level = outcomeOf(result, details) === 'passed' ? 'notice' : 'error';
  const verdict = annotate(
    level,
    { title: `Trace context propagation: ${nameVerdict(result, details)}` },
    summarise(result, details),
  );
  const ofSeverity = (severity: 'error' | 'warning', most: number) =>
    listErrorsFirst(result)
      .filter((finding) => finding.severity === severity)
      .slice(0, most)
      .map((finding) => annotate(severity, nameFinding(finding), renderFinding(finding, layout).join('\n')));
  const errors = ofSeverity('error', level === 'error' ? mostOfLevel - 1 : mostOfLevel);
  const accepted = listAccepted(result)
    .slice(0, level === 'notice' ? mostOfLevel - 1 : mostOfLevel)
    .map((finding) =>
      annotate('notice', nameFinding(finding), `${nameAcceptance(finding)}, ${describeCount(finding)}`),
    );
  return [verdict, ...errors, ...ofSeverity('warning', mostOfLevel), ...accepted, ''].join('\n');
}

function nameFinding(finding: Finding): { readonly title: string } {
  return { title: `${nameEdge(finding, longestEdge)}: ${finding.id}` };
}
