import { isAbsolute } from 'node:path';
import { proseOf } from '../rules/findings.ts';
import { countOf } from '../util/count-of.ts';
import type { Finding } from '../verdict/result.ts';
import { describeCount, nameCounted } from './describe-count.ts';
import { escapeText } from './escape-text.ts';
import { columnsOf } from './fit-text.ts';
import { hang, isNarrow, keepsWords, type Layout, narrowIndent, paint, truncate, wrap } from './layout.ts';
import { nameAcceptance } from './summary.ts';
import { labelService, nameEdge, paintMark } from './terminal-edges.ts';

/** How to print a finding. */
export interface FindingOptions extends Layout {
  /** The folder of `docs/findings`, relative to the reader: empty, or `node_modules/propagation-check/`. */
  readonly docsRoot: string;
  /** The report is read on other machines too. */
  readonly isShared?: boolean;
}

/** More examples show nothing new. JSON has some more, and the count includes all of them. */
const mostEvidence = 3;
const mostCandidates = 3;
const mostInfos = 20;
const mostScopes = 6;
/** Longer text from outside is cut. */
export const longestText = 400;
const labelWidth = 12;

/** An error or a warning: title, edge, count, reason, evidence, candidates, steps to decide, fix. */
export function renderFinding(finding: Finding, options: FindingOptions): readonly string[] {
  const { id, severity } = finding;
  const words = proseOf(id, finding.protocol);
  const mark = paintMark(options, severity === 'error' ? 'error' : 'warning');
  const [title = '', ...rest] = hang('  ', `${words.title} (${nameConfidently(finding)})`, options);
  return [
    `${mark} ${paint(options, 'bold', title.slice(2))}`,
    ...rest.map((line) => paint(options, 'bold', line)),
    ...labelled(...labelPlace(finding), options),
    ...labelled('why', words.why, options),
    ...renderDoubt(finding, options),
    ...renderEvidence(finding, options),
    ...renderFacts(finding, options),
    ...renderProject(finding, options),
    ...renderScopes(finding, options),
    ...renderCandidates(finding, options),
    ...renderSteps(finding, options),
    ...labelled('fix', escapeText(finding.fix), options),
    ...labelled('read', nameDocs(finding, options), options),
  ];
}

/** A finding without a caller may concern all spans of a service. */
function labelPlace(finding: Finding): readonly [label: string, text: string] {
  const count = describeCount(finding);
  return finding.id === 'service-unnamed'
    ? ['service', `${labelService(finding.server)}, ${count}`]
    : ['edge', `${nameEdge(finding, longestText)}, ${count}`];
}

/** Where the page of the finding is. A path of this machine does not help readers of a report on another one. */
function nameDocs({ id, docs }: Finding, { docsRoot, isShared = false }: FindingOptions): string {
  const isElsewhere = isAbsolute(docsRoot) || docsRoot.startsWith('..');
  return isShared && isElsewhere ? `propagation-check explain ${id}` : escapeText(`${docsRoot}${docs}`);
}

/** The id of the finding; `likely` where its confidence is not certain. */
export function nameConfidently({ id, confidence }: Finding): string {
  return confidence === 'likely' ? `${id}, likely` : id;
}

export function renderFacts({ facts = [] }: Finding, layout: Layout): readonly string[] {
  return facts.flatMap((fact, index) =>
    labelled(index === 0 ? 'facts' : '', truncate(escapeText(fact), longestText), layout),
  );
}

/** Places in the files of the project that support the finding. */
function renderProject({ project = [] }: Finding, layout: Layout): readonly string[] {
  return project.slice(0, mostEvidence).flatMap(({ file, line, column, says, check }, index) => {
    const text = `${file}:${line}:${column} ${says} (${check})`;
    return labelled(index === 0 ? 'files' : '', truncate(escapeText(text), longestText), layout);
  });
}

/** The instrumentations of each service of a finding. They show which ones are missing. */
export function listScopes({
  client,
  server,
  scopes,
}: Finding): readonly (readonly [service: string | null, names: readonly string[]])[] {
  const called = client === server ? [] : ([[server, scopes.server]] as const);
  return ([[client, scopes.client], ...called] as const).filter(([, names]) => names.length > 0);
}

function renderScopes(finding: Finding, layout: Layout): readonly string[] {
  const nameScope = (name: string): string => keepEnd(escapeText(name), layout.width - labelWidth - 2);
  const lines = listScopes(finding).map(([service, names]) => {
    const more = names.length > mostScopes ? `, … ${names.length - mostScopes} more` : '';
    const text = `in ${labelService(service)}: ${names.slice(0, mostScopes).map(nameScope).join(', ')}${more}`;
    return truncate(text, longestText);
  });
  return lines.flatMap((text, index) => labelled(index === 0 ? 'scopes' : '', text, layout));
}

/** Cuts the start of a name: package names differ most at their end. */
function keepEnd(name: string, width: number): string {
  return name.length <= width ? name : `…${name.slice(1 - width).replace(/^[\udc00-\udfff]/, '')}`;
}

/** Findings that are known or tolerated, one line each. */
export function renderAccepted(findings: readonly Finding[], layout: Layout): readonly string[] {
  return listDimly('~ ', findings, layout, (finding) => {
    return `${nameAcceptance(finding)}: ${describePlace(finding)}, ${finding.id}, ${describeCount(finding)}`;
  });
}

/** Findings of severity `info`, one line each. */
export function renderInfos(findings: readonly Finding[], layout: Layout): readonly string[] {
  return listDimly('· ', findings, layout, (finding) => {
    const [first] = finding.evidence;
    const says = first === undefined ? '' : `: ${truncate(escapeText(first.says), longestText)}`;
    const where = finding.server === null && finding.client === null ? '' : ` ${describePlace(finding)}`;
    return `${finding.id}${where}, ${countOf(finding.count, 'time')}${says}`;
  });
}

function listDimly(
  mark: string,
  findings: readonly Finding[],
  layout: Layout,
  write: (finding: Finding) => string,
): readonly string[] {
  const lines = findings
    .slice(0, mostInfos)
    .flatMap((finding) => hang(mark, write(finding), layout).map((line) => paint(layout, 'dim', line)));
  const more = findings.length - mostInfos;
  return more > 0 ? [...lines, `… and ${more} more`] : lines;
}

function describePlace({ client, server }: Finding): string {
  if (client === null) return `at ${labelService(server)}`;
  return server === null ? `from ${labelService(client)}` : nameEdge({ client, server }, longestText);
}

/** Examples that differ only in ids are printed once. */
function renderEvidence(finding: Finding, layout: Layout): readonly string[] {
  const { evidence, count } = finding;
  const shown = evidence.slice(0, mostEvidence);
  const lines = shown.flatMap(({ traceId, spanId, says }, index) => {
    const isSaid = shown.slice(0, index).some((other) => withoutIds(other.says) === withoutIds(says));
    const joint = isNarrow(layout) ? ' ' : nbsp;
    const ids = `trace${joint}${escapeText(traceId)} span${joint}${escapeText(spanId)}`;
    return [
      ...(isSaid ? [] : labelled(index === 0 ? 'seen' : '', truncate(escapeText(says), longestText), layout)),
      ...labelled('', ids, layout).map((line) => paint(layout, 'dim', line.replaceAll(nbsp, ' '))),
    ];
  });
  const more = count - shown.length;
  return more > 0 && shown.length > 0
    ? [...lines, ...labelled('', `… and ${countOf(more, `more ${nameCounted(finding)}`)}`, layout)]
    : lines;
}

/** Keeps an id and the word before it in one line. */
const nbsp = '\u00a0';

function withoutIds(says: string): string {
  return says.replace(/[0-9a-f]{16,32}/g, '#');
}

/** Why the finding is only a warning. */
export function renderDoubt({ doubt }: Finding, layout: Layout): readonly string[] {
  return doubt === undefined ? [] : labelled('doubt', `A warning: ${escapeText(doubt)}`, layout);
}

function renderSteps({ candidates = [], doubt, decide = [] }: Finding, layout: Layout): readonly string[] {
  if (candidates.length === 0 && doubt === undefined) return [];
  return decide.flatMap((step, index) => renderStep(step, index, decide.length, layout));
}

function renderCandidates({ candidates = [], protocol }: Finding, layout: Layout): readonly string[] {
  if (candidates.length === 0) return [];
  const likely = candidates.slice(0, mostCandidates);
  const others = candidates.slice(mostCandidates);
  return [
    ...likely.flatMap((id, index) =>
      labelled(index === 0 ? 'may be' : '', `${index + 1}. ${id}: ${proseOf(id, protocol).title}`, layout, 3),
    ),
    ...(others.length === 0 ? [] : labelled('', `less likely: ${others.join(', ')}`, layout, 3)),
  ];
}

/** A step and its commands. A command stays in one line or is continued by a backslash, so that it can be pasted. */
export function renderStep(step: string, index: number, count: number, layout: Layout): readonly string[] {
  const [text = '', ...commands] = step.split('\n');
  const indent = count === 1 ? 0 : 3;
  return [
    ...labelled(
      index === 0 ? 'to decide' : '',
      count === 1 ? escapeText(text) : `${index + 1}. ${escapeText(text)}`,
      layout,
      indent,
    ),
    ...commands.flatMap((command) => layCommand(escapeText(command), labelWidth + indent, layout)),
  ];
}

const continued = ' \\';

function layCommand(command: string, indent: number, layout: Layout): readonly string[] {
  const start = ' '.repeat(isNarrow(layout) ? narrowIndent : indent);
  const isQuoted = /["']/.test(command);
  if (keepsWords(layout) || isQuoted || start.length + columnsOf(command) <= layout.width)
    return [start + command];
  const width = layout.width - start.length - continued.length;
  return wrap(command, width - narrowIndent, width).map(
    (line, at, all) =>
      `${start}${at === 0 ? '' : ' '.repeat(narrowIndent)}${line}${at === all.length - 1 ? '' : continued}`,
  );
}

/** @param indent Further indent of the second and later lines of the text. */
export function labelled(label: string, text: string, layout: Layout, indent = 0): readonly string[] {
  const isBelow = label === '' && isNarrow(layout);
  const start = isBelow ? ' '.repeat(narrowIndent) : `  ${label}`.padEnd(labelWidth);
  return hang(start, text, layout, indent).map((line, index) =>
    index === 0 ? `${paint(layout, 'cyan', start)}${line.slice(start.length)}` : line,
  );
}
