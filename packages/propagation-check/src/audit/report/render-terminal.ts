import { escapeText } from '../../report/escape-text.ts';
import { hang, type Layout, paint, type Style } from '../../report/layout.ts';
import { describeNotes, listAccepted } from '../../report/summary.ts';
import { widestText } from '../../report/terminal.ts';
import { mostEdges, nameEdge, paintMark } from '../../report/terminal-edges.ts';
import { renderAccepted, renderFinding } from '../../report/terminal-findings.ts';
import { renderUnreported } from '../../report/terminal-unreported.ts';
import { countOf } from '../../util/count-of.ts';
import type { AuditEdge, AuditResult } from '../audit-result.ts';
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

const shortestName = 20;
const gap = '  ';
/** The width of the mark and the space after it. */
const markWidth = 2;

const styles = { passed: 'green', failed: 'red', unknown: 'yellow' } as const satisfies Record<
  AuditResult['outcome'],
  Style
>;

/** The audit for people. The first line is the outcome. Ends with a line feed. */
export function renderTerminal({ audit, details, options }: AuditReportInput): string {
  const layout = { ...options, width: Math.min(options.width, widestText) };
  const accepted = listAccepted(audit.result);
  const { shown, left } = chooseFindings(audit);
  const parts = [
    renderHead(audit, details, layout),
    renderTable(audit, layout),
    describeGone(audit, layout.width).flatMap((line) => hang('', line, layout)),
    ...shown.map((finding) => renderFinding(finding, layout)),
    left.flatMap((line) => hang('', line, layout)),
    accepted.length === 0 ? [] : ['Accepted:', ...renderAccepted(accepted, layout)],
    audit.result.explain === undefined ? [] : renderUnreported(audit.result.explain, layout),
  ];
  return `${parts
    .filter((part) => part.length > 0)
    .map((part) => part.join('\n'))
    .join('\n\n')}\n`;
}

function renderHead(
  audit: AuditResult,
  details: AuditReportInput['details'],
  layout: Layout,
): readonly string[] {
  const label = nameOutcome(audit);
  const [first = '', ...rest] = hang(`${label}${gap}`, summariseAudit(audit, details), layout);
  const { window, before } = audit;
  const notes = [
    ...(window.seen.says === '' ? [] : [window.seen.says]),
    ...(before === null || ['', window.seen.says].includes(before.seen.says)
      ? []
      : [`the window before: ${before.seen.says}`]),
    ...describeNotes(details),
  ];
  return [
    `${paint(layout, styles[audit.outcome], label)}${first.slice(label.length)}`,
    ...rest,
    ...notes.flatMap((note) => hang('note  ', escapeText(note), layout)),
  ];
}

interface Column {
  readonly title: string;
  /** The column is left out where the line is too short. */
  readonly isMinor?: true;
  readonly write: (edge: AuditEdge) => string;
}

/** The columns between the name and the causes. */
const columns: readonly Column[] = [
  { title: 'calls', write: describeCalls },
  { title: 'intact', write: ({ rate }) => (rate === null ? '' : formatShare(rate.value)) },
  { title: '95 % interval', isMinor: true, write: ({ rate }) => (rate === null ? '' : formatInterval(rate)) },
  { title: 'before', write: describeTrend },
];

function renderTable(audit: AuditResult, layout: Layout): readonly string[] {
  const { edges, before, failUnder } = audit;
  if (edges.length === 0) return [];
  const ranked = rankAuditEdges(audit);
  const shown = ranked.slice(0, mostEdges);
  const used = columns.filter(({ title }) => before !== null || title !== 'before');
  const lay = prepareRows(shown, used, layout);
  const lines = shown.flatMap((edge) => {
    const mark = markAuditEdge(edge, audit.result);
    const causes = describeCauses(edge, failUnder);
    const style = mark === 'error' ? 'red' : mark === 'warning' ? 'yellow' : 'dim';
    const [row = '', ...below] = lay(edge);
    return [
      `${paintMark(layout, mark)} ${row}`,
      ...below,
      ...(causes === '' ? [] : hang('    ', causes, layout).map((line) => paint(layout, style, line))),
    ];
  });
  const more = ranked.length - shown.length;
  const unproven = shown.some(
    ({ trend, rate }) => trend?.change === 'unproven' && rate?.value !== trend.before.value,
  );
  return [
    paint(layout, 'dim', lay(null).at(-1) ?? ''),
    ...lines,
    ...(more > 0 ? [`… and ${countOf(more, 'more edge')}`] : []),
    ...(unproven
      ? hang('', '? no change that the counts prove: the intervals overlap', layout).map((line) =>
          paint(layout, 'dim', line),
        )
      : []),
  ];
}

/**
 * Lays out the row of an edge, or of the titles: the numbers beside its name, or below where the line is too short for both.
 *
 * @returns A function that gives the lines of an edge; the first line has no mark yet.
 */
function prepareRows(
  edges: readonly AuditEdge[],
  columns: readonly Column[],
  layout: Layout,
): (edge: AuditEdge | null) => readonly string[] {
  const widthOf = ({ title, write }: Column): number =>
    Math.max(title.length, ...edges.map((edge) => write(edge).length));
  const roomBeside = (some: readonly Column[]): number =>
    layout.width - some.reduce((sum, column) => sum + widthOf(column) + gap.length, markWidth);
  const isBelow = roomBeside(columns) < shortestName;
  const used =
    isBelow && roomBeside(columns) < 0 ? columns.filter(({ isMinor }) => isMinor !== true) : columns;
  const room = isBelow ? layout.width - markWidth : roomBeside(used);
  const nameWidth = isBelow ? 0 : Math.max(0, ...edges.map((edge) => nameEdge(edge, room).length));
  return (edge) => {
    const cells = used.map((column) =>
      (edge === null ? column.title : column.write(edge)).padStart(widthOf(column)),
    );
    const numbers = `${gap}${cells.join(gap)}`.trimEnd();
    const name = edge === null ? '' : nameEdge(edge, room);
    if (isBelow) return [name, numbers];
    return [`${edge === null ? ' '.repeat(markWidth) : ''}${name.padEnd(nameWidth)}${numbers}`];
  };
}
