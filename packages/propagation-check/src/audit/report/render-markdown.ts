import { escapeText } from '../../report/escape-text.ts';
import { code, fence, marks, renderAccepted, renderSection } from '../../report/markdown.ts';
import { describeNotes, listAccepted } from '../../report/summary.ts';
import { mostEdges, nameEdge } from '../../report/terminal-edges.ts';
import { countOf } from '../../util/count-of.ts';
import type { AuditReportInput } from './audit-report-input.ts';
import {
  chooseFindings,
  describeCalls,
  describeCauses,
  describeGone,
  describeTrend,
  formatInterval,
  formatShare,
  markAuditEdge,
  nameOutcome,
  rankAuditEdges,
  summariseAudit,
} from './describe-audit.ts';

const longestEdge = 200;
const mostSpans = 10_000;

/** The audit for pull requests, job summaries and chats. */
export function renderMarkdown({ audit, details, options, pickSpans }: AuditReportInput): string {
  const { window, result } = audit;
  const { shown, left } = chooseFindings(audit);
  const spans = shown.length === 0 ? [] : pickSpans(mostSpans);
  const says = window.seen.says === '' ? [] : [window.seen.says];
  const facts = [summariseAudit(audit, details), ...[...says, ...describeNotes(details)].map(escapeText)];
  const parts = [
    `## Trace context propagation: ${nameOutcome(audit)}`,
    fence('text', [...facts, ...describeGone(audit, longestEdge)].join('\n')),
    ...listEdges(audit),
    ...shown.flatMap((finding) => renderSection(finding, options, spans)),
    ...left,
    ...renderAccepted(listAccepted(result)),
  ];
  return `${parts.join('\n\n')}\n`;
}

function listEdges(audit: AuditReportInput['audit']): readonly string[] {
  const { edges, failUnder, result } = audit;
  if (edges.length === 0) return [];
  const ranked = rankAuditEdges(audit);
  const rows = ranked.slice(0, mostEdges).map((edge) => {
    const cells = [
      `${marks[markAuditEdge(edge, result)]} ${code(nameEdge(edge, longestEdge))}`,
      edge.protocol,
      describeCalls(edge),
      edge.rate === null ? '' : formatShare(edge.rate.value),
      edge.rate === null ? '' : formatInterval(edge.rate),
      describeTrend(edge),
      describeCauses(edge, failUnder),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const left = ranked.length - rows.length;
  const more = left > 0 ? [`\n… and ${countOf(left, 'more edge')}`] : [];
  const head = '| edge | protocol | calls | intact | 95 % interval | before | causes |';
  return [[head, '|---|---|--:|--:|--:|--:|---|', ...rows, ...more].join('\n')];
}
