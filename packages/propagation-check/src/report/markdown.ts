import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import type { Finding, Result } from '../verdict/result.ts';
import { describeCount } from './describe-count.ts';
import { escapeText } from './escape-text.ts';
import type { ReportDetails } from './json.ts';
import { drawSequence } from './mermaid.ts';
import {
  describeNotes,
  listAccepted,
  listErrorsFirst,
  nameAcceptance,
  nameVerdict,
  summarise,
} from './summary.ts';
import { listExtraCounts, markEdge, mostEdges, nameEdge } from './terminal-edges.ts';
import { type FindingOptions, renderFinding } from './terminal-findings.ts';

const textWidth = 100;
const longestEdge = 200;
const mostFindings = 10;

export const marks = { error: '❌', warning: '⚠️', fine: '✅', accepted: '➖' } as const;

/** The result for pull requests and job summaries. Text from spans is in code spans, where nothing becomes a link, a mention or markup. */
export function renderMarkdown(
  result: Result,
  details: ReportDetails,
  options: FindingOptions,
  spans: readonly Span[],
): string {
  const shown = listErrorsFirst(result);
  const left = shown.length - mostFindings;
  const parts = [
    `## Trace context propagation: ${nameVerdict(result, details)}`,
    fence('text', [summarise(result, details), ...describeNotes(details).map(escapeText)].join('\n')),
    ...listEdges(result),
    ...shown.slice(0, mostFindings).flatMap((finding) => renderSection(finding, options, spans)),
    ...(left > 0 ? [`… and ${countOf(left, 'more finding')}`] : []),
    ...renderAccepted(listAccepted(result)),
  ];
  return `${parts.join('\n\n')}\n`;
}

function listEdges(result: Result): readonly string[] {
  const { edges } = result;
  if (edges.length === 0) return [];
  const extra = listExtraCounts(edges);
  const rows = edges.slice(0, mostEdges).map((edge) => {
    const cells = [
      `${marks[markEdge(edge, result)]} ${code(nameEdge(edge, longestEdge))}`,
      edge.protocol,
      edge.calls,
      edge.broken,
      ...extra.map(({ count }) => edge[count] ?? 0),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const left = edges.length - rows.length;
  const more = left > 0 ? [`\n… and ${countOf(left, 'more edge')}`] : [];
  const title = extra.map(({ title }) => ` ${title} |`).join('');
  const line = '--:|'.repeat(extra.length);
  return [
    [`| edge | protocol | calls | broken |${title}`, `|---|---|--:|--:|${line}`, ...rows, ...more].join('\n'),
  ];
}

export function renderSection(
  finding: Finding,
  options: FindingOptions,
  spans: readonly Span[],
): readonly string[] {
  const text = renderFinding(finding, { ...options, width: textWidth, color: false, isShared: true }).join(
    '\n',
  );
  const sequence = finding.severity === 'error' ? drawSequence(finding, spans) : null;
  return [
    `### ${code(nameEdge(finding, longestEdge))}: ${finding.id}`,
    ...(sequence === null ? [] : [fence('mermaid', sequence)]),
    fence('text', text),
  ];
}

export function renderAccepted(accepted: readonly Finding[]): readonly string[] {
  if (accepted.length === 0) return [];
  const lines = accepted
    .slice(0, mostEdges)
    .map(
      (finding) =>
        `- ${nameAcceptance(finding)}: ${code(nameEdge(finding, longestEdge))} ${finding.id}, ${describeCount(finding)}`,
    );
  const left = accepted.length - lines.length;
  return [[...lines, ...(left > 0 ? [`- … and ${left} more`] : [])].join('\n')];
}

/** A code span that works in a table too. Source: CommonMark 6.1, GFM 4.10. */
export function code(text: string): string {
  const ticks = '`'.repeat(longestRun(text) + 1);
  return `${ticks} ${text.replaceAll('|', '\\|')} ${ticks}`;
}

export function fence(language: string, text: string): string {
  const ticks = '`'.repeat(Math.max(3, longestRun(text) + 1));
  return `${ticks}${language}\n${text}\n${ticks}`;
}

function longestRun(text: string): number {
  return (text.match(/`+/g) ?? []).reduce((longest, run) => Math.max(longest, run.length), 0);
}
