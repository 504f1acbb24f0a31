import type { Finding, Result } from '../verdict/result.ts';
import { escapeText } from './escape-text.ts';
import type { CommandEnd, ReportDetails, RequestCounts, SearchExtent } from './json.ts';
import { countOf, markEdge, nameEdge } from './terminal-edges.ts';

const verdicts = {
  intact: 'INTACT',
  broken: 'BROKEN',
  unknown: 'CANNOT TELL',
} as const satisfies Record<Result['verdict'], string>;

/** What a reader has to act on: errors, then warnings. */
export function listErrorsFirst({ findings }: Pick<Result, 'findings'>): readonly Finding[] {
  return (['error', 'warning'] as const).flatMap((severity) =>
    findings.filter((finding) => finding.severity === severity),
  );
}

export function nameVerdict(verdict: Result['verdict']): string {
  return verdicts[verdict];
}

/** The result in one line. Failed requests are the likeliest reason why there is no verdict, so that they come first there. */
export function summarise(result: Result, { reason, requests, search, command }: ReportDetails): string {
  const summary =
    result.verdict === 'unknown' && reason !== null ? escapeText(reason) : summariseEdges(result);
  const failed = describeFailed(requests);
  const facts = result.verdict === 'unknown' ? [...failed, summary] : [summary, ...failed];
  return [...facts, ...describeUnjudged(result), ...describeLimit(search), ...describeCommand(command)].join(
    '; ',
  );
}

function describeFailed(requests: RequestCounts | undefined): readonly string[] {
  if (requests === undefined || requests.failed === 0) return [];
  const { sent, failed, failures } = requests;
  return [`${failed} of ${countOf(sent, 'request')} failed (${escapeText(failures.join(', '))})`];
}

/** Of more the note tells. */
const mostUnjudged = 3;
const widestName = 60;

/** What an intact verdict does not cover. */
function describeUnjudged({ verdict, unjudged = [] }: Result): readonly string[] {
  if (verdict !== 'intact' || unjudged.length === 0) return [];
  const names = unjudged
    .slice(0, mostUnjudged)
    .map(({ client, peer }) => nameEdge({ client, server: peer }, widestName));
  const more = unjudged.length - names.length;
  return [`not judged: ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`];
}

function describeLimit(search: SearchExtent | undefined): readonly string[] {
  if (search === undefined || !search.limitReached) return [];
  const limit = countOf(search.limit, 'trace');
  return [`the search ended at its limit of ${limit}, so that older ones may be left out (--limit)`];
}

function describeCommand(command: CommandEnd | undefined): readonly string[] {
  if (command === undefined || command.exitCode === 0) return [];
  return [`${escapeText(command.name)} ended with exit code ${command.exitCode}`];
}

function summariseEdges({ verdict, edges, findings, traces, spans }: Result): string {
  const read = `${countOf(traces, 'trace')}, ${countOf(spans, 'span')}`;
  if (verdict === 'unknown') return `nothing to judge (${read})`;
  const broken = edges.filter((edge) => markEdge(edge, findings) === 'error');
  const calls = edges.reduce((sum, edge) => sum + edge.calls, 0);
  if (verdict === 'broken') {
    const brokenCalls = edges.reduce((sum, edge) => sum + edge.broken, 0);
    return `${broken.length} of ${countOf(edges.length, 'edge')}, ${brokenCalls} of ${countOf(calls, 'call')} (${read})`;
  }
  if (edges.length === 0) return `no call between two services was seen, and nothing is broken (${read})`;
  const warnings = findings.filter((finding) => finding.severity === 'warning').length;
  const but = warnings === 0 ? '' : `, ${countOf(warnings, 'warning')}`;
  return `${countOf(edges.length, 'edge')}, ${countOf(calls, 'call')}${but} (${read})`;
}

/** What a reader must know about the result; not escaped. */
export function describeNotes({ notes, collector }: ReportDetails): readonly string[] {
  if (collector === null) return notes;
  const { name, refused, sendFailed, enqueueFailed } = collector;
  if (refused + sendFailed + enqueueFailed === 0)
    return [...notes, `${name}: no span refused, failed or dropped`];
  return [
    ...notes,
    `${name}: ${refused} spans refused, ${sendFailed} given up by exporters, ${enqueueFailed} dropped from full queues ` +
      'since it started; spans that are missing may be among them',
  ];
}
