import type { Outcome } from '../verdict/decide-verdict.ts';
import type { Result } from '../verdict/result.ts';
import { escapeText } from './escape-text.ts';
import type { ReportDetails } from './json.ts';
import { hang, type Layout, paint, type Style } from './layout.ts';
import {
  describeNotes,
  listAccepted,
  listErrorsFirst,
  listInfos,
  nameVerdict,
  outcomeOf,
  summarise,
} from './summary.ts';
import { renderEdges } from './terminal-edges.ts';
import { type FindingOptions, renderAccepted, renderFinding, renderInfos } from './terminal-findings.ts';
import { renderUnreported } from './terminal-unreported.ts';

/** Longer lines of prose are hard to read. */
export const widestText = 110;

const styles = {
  passed: 'green',
  failed: 'red',
  unknown: 'yellow',
} as const satisfies Record<Outcome, Style>;

/** The result for people. The first line is the verdict; all text from outside is escaped. Ends with a line feed. */
export function renderTerminal(result: Result, details: ReportDetails, options: FindingOptions): string {
  const layout = { ...options, width: Math.min(options.width, widestText) };
  const accepted = listAccepted(result);
  const infos = listInfos(result);
  const parts = [
    renderVerdict(result, details, layout),
    renderEdges(result, layout),
    ...listErrorsFirst(result).map((finding) => renderFinding(finding, layout)),
    accepted.length === 0 ? [] : ['Accepted:', ...renderAccepted(accepted, layout)],
    infos.length === 0 ? [] : ['Good to know:', ...renderInfos(infos, layout)],
    result.explain === undefined ? [] : renderUnreported(result.explain, layout),
  ];
  return `${parts
    .filter((part) => part.length > 0)
    .map((part) => part.join('\n'))
    .join('\n\n')}\n`;
}

/** The verdict, the summary in one line, and the notes. */
export function renderVerdict(result: Result, details: ReportDetails, layout: Layout): readonly string[] {
  const label = `${nameVerdict(result, details)}  `;
  const verdict = hang(label, summarise(result, details), layout).map((line, index) =>
    index === 0
      ? `${paint(layout, styles[outcomeOf(result, details)], label.trimEnd())}  ${line.slice(label.length)}`
      : line,
  );
  const notes = describeNotes(details).flatMap((note) => hang('note  ', escapeText(note), layout));
  return [...verdict, ...notes];
}
