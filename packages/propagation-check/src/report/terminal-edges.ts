import { nameCall } from '../calls/name-call.ts';
import { isSameEdge } from '../calls/same-edge.ts';
import { thresholds } from '../rules/thresholds.ts';
import { countOf } from '../util/count-of.ts';
import { formatJudged } from '../util/format-judged.ts';
import { areMostlyJudged } from '../verdict/are-mostly-judged.ts';
import { isAccepted } from '../verdict/decide-verdict.ts';
import { leavesOpen } from '../verdict/leaves-open.ts';
import type { EdgeResult, Finding, PastService, Result, Undecided } from '../verdict/result.ts';
import { escapeText } from './escape-text.ts';
import { columnsOf, fitText } from './fit-text.ts';
import { type Layout, narrowIndent, paint, type Style, truncate, wrap } from './layout.ts';

/** A longer list hides broken edges, and more do not fit into a comment on GitHub (65,536 characters). JSON has all of them. */
export const mostEdges = 40;

export type Mark = 'error' | 'warning' | 'fine' | 'accepted';

const marks = {
  error: ['✗', 'red'],
  warning: ['!', 'yellow'],
  fine: ['✓', 'green'],
  accepted: ['~', 'dim'],
} as const satisfies Record<Mark, readonly [string, Style]>;

export function paintMark(layout: Layout, mark: Mark): string {
  const [symbol, style] = marks[mark];
  return paint(layout, style, symbol);
}

/** Whether the edge exists only because others are broken: all its calls passed through another service. */
export function isPast({ calls, past }: Partial<Pick<EdgeResult, 'calls' | 'past'>>): boolean {
  return past !== undefined && past.calls === calls;
}

/** The worst mark that applies to an edge. An accepted finding is better than a warning. */
export function markEdge(
  edge: EdgeResult,
  { findings, undecided = [] }: Pick<Result, 'findings' | 'undecided'>,
): Mark {
  if (edge.tolerated === true) return 'accepted';
  const own = findings.filter((finding) => isOfEdge(finding, edge) && !isAccepted(finding));
  const isBroken = edge.broken > 0 && edge.known !== true;
  if (isBroken || own.some((finding) => finding.severity === 'error')) return 'error';
  return markRest(edge, own, { findings, undecided });
}

type MarkedPlace = Omit<EdgeResult, 'broken'>;

/** The mark of an edge without an error. @param own Its findings that are not accepted. */
export function markRest(
  edge: MarkedPlace,
  own: readonly Pick<Finding, 'severity'>[],
  { findings, undecided = [] }: Pick<Result, 'findings' | 'undecided'>,
): Mark {
  const isOpen =
    edge.openOnBothSides === true ||
    undecided.some((one) => isOfEdge(one, edge)) ||
    isMostlyOpen(edge, findings);
  if (isOpen || own.some((finding) => finding.severity === 'warning')) return 'warning';
  return edge.known === true || edge.calls === 0 || isPast(edge) ? 'accepted' : 'fine';
}

/** Whether most calls of the edge are not judged, and no accepted finding explains that. */
function isMostlyOpen({ calls, unjudged = 0, ...edge }: MarkedPlace, findings: Result['findings']): boolean {
  return (
    unjudged > 0 &&
    !areMostlyJudged(calls, calls + unjudged, thresholds) &&
    !findings.some((one) => isOfEdge(one, edge) && isAccepted(one) && leavesOpen(one))
  );
}

function isOfEdge({ protocol, ...sides }: Undecided | Finding, edge: Omit<MarkedPlace, 'calls'>): boolean {
  return isSameEdge(sides, edge) && (protocol === undefined || protocol === edge.protocol);
}

export interface MarkedEdge {
  readonly edge: EdgeResult;
  readonly mark: Mark;
}

/** The worst edges first. */
export function rankEdges(result: Result): readonly MarkedEdge[] {
  const rank: readonly Mark[] = ['error', 'warning', 'accepted', 'fine'];
  return result.edges
    .map((edge) => ({ edge, mark: markEdge(edge, result) }))
    .sort((left, right) => rank.indexOf(left.mark) - rank.indexOf(right.mark));
}

/** A shorter name of an edge is not recognisable. */
const shortestName = 20;

/** One line for each edge, broken ones first, with its counts; the counts go below the name where the line is too short for both. */
export function renderEdges(result: Result, layout: Layout): readonly string[] {
  const all = rankEdges(result);
  const protocolWidth = Math.max(0, ...all.slice(0, mostEdges).map(({ edge }) => edge.protocol.length));
  const room = layout.width - protocolWidth - 6;
  const rows = all.slice(0, mostEdges).map((marked) => {
    const counts = describeCalls(marked.edge);
    return { ...marked, counts, isBelow: room - counts.length < shortestName };
  });
  const beside = rows.filter(({ isBelow }) => !isBelow);
  const nameRoom = room - Math.max(0, ...beside.map(({ counts }) => counts.length));
  const nameWidth = Math.max(0, ...beside.map(({ edge }) => columnsOf(nameEdge(edge, nameRoom))));
  const lines = rows.map(({ edge, mark, counts, isBelow }) => {
    const style = mark === 'error' ? 'red' : mark === 'warning' ? 'yellow' : null;
    const paintCounts = (text: string) => (style === null ? text : paint(layout, style, text));
    const name = nameEdge(edge, isBelow ? layout.width - 2 : nameRoom);
    const protocol = paint(layout, 'dim', edge.protocol.padEnd(isBelow ? 0 : protocolWidth));
    if (!isBelow)
      return `${paintMark(layout, mark)} ${fitText(name, nameWidth)}  ${protocol}  ${paintCounts(counts)}`;
    const indent = narrowIndent + edge.protocol.length + 2;
    const hung = wrap(counts, layout.width - indent)
      .map(paintCounts)
      .join(`\n${' '.repeat(indent)}`);
    return `${paintMark(layout, mark)} ${name}\n${' '.repeat(narrowIndent)}${protocol}  ${hung}`;
  });
  const more = all.length - rows.length;
  return more > 0 ? [...lines, `… and ${countOf(more, 'more edge')}`] : lines;
}

function describeCalls(edge: EdgeResult): string {
  const { known, tolerated, past } = edge;
  const counts = describeCounts(edge);
  if (known === true) return `${counts}, known`;
  if (tolerated === true) return `${counts}, tolerated`;
  if (past === undefined) return counts;
  return `${counts}, ${isPast(edge) ? '' : `${past.calls} `}${describePast(past)}`;
}

export function describePast({ service }: Pick<PastService, 'service'>): string {
  return `past ${truncate(labelService(service), shortestName)}`;
}

function describeCounts(edge: EdgeResult): string {
  const { doubtful = 0 } = edge;
  return doubtful > 0 ? `${describeJudged(edge)}, ${doubtful} doubtful` : describeJudged(edge);
}

function describeJudged(edge: EdgeResult): string {
  const { calls, broken, unjudged = 0 } = edge;
  const one = nameCall(edge);
  if (broken > 0) {
    const all = one === 'call' ? `${calls}` : countOf(calls, one);
    return `broken ${broken} of ${all}${unjudged > 0 ? `, ${unjudged} more not judged` : ''}`;
  }
  if (unjudged > 0) return describeCallsJudged({ calls, unjudged }, one);
  return calls === 0 ? 'never seen' : countOf(calls, one);
}

/** `14 of 30 calls judged`. @param one The word for one call. */
export function describeCallsJudged(
  { calls, unjudged = 0 }: Pick<EdgeResult, 'calls' | 'unjudged'>,
  one?: string,
): string {
  return formatJudged(calls, calls + unjudged, one);
}

/** A column of a table of edges; shown where any edge has such calls. */
export interface ExtraCount {
  readonly title: string;
  readonly count: 'doubtful' | 'unjudged';
}

const extraCounts: readonly ExtraCount[] = [
  { title: 'doubtful', count: 'doubtful' },
  { title: 'not judged', count: 'unjudged' },
];

export function listExtraCounts(edges: readonly EdgeResult[]): readonly ExtraCount[] {
  return extraCounts.filter(({ count }) => edges.some((edge) => edge[count] !== undefined));
}

/** `service-a → service-b`. Where that does not fit, the longer name is cut first. */
export function nameEdge(
  { client, server }: { readonly client: string | null; readonly server: string | null },
  width: number,
): string {
  const arrow = ' → ';
  const [left, right] = [labelService(client), labelService(server)];
  const room = width - arrow.length;
  const [leftColumns, rightColumns] = [columnsOf(left), columnsOf(right)];
  if (leftColumns + rightColumns <= room) return `${left}${arrow}${right}`;
  const half = Math.floor(room / 2);
  const leftWidth = Math.min(leftColumns, Math.max(half, room - rightColumns));
  return `${truncate(left, leftWidth)}${arrow}${truncate(right, room - leftWidth)}`;
}

/** A service as a label of a table, graph or line, escaped. */
export function labelService(service: string | null): string {
  return service === null ? '(unknown)' : escapeText(service);
}
