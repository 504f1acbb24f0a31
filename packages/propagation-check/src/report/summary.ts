import { countOf } from '../util/count-of.ts';
import { sumOf } from '../util/statistics.ts';
import { decideOutcome, fails, isAccepted, type Outcome } from '../verdict/decide-verdict.ts';
import type { EdgeResult, Finding, Result, UnjudgedEdge } from '../verdict/result.ts';
import { escapeText } from './escape-text.ts';
import type { CommandEnd, ReportDetails, RequestCounts, SearchExtent } from './json.ts';
import { describeCallsJudged, isPast, markEdge, nameEdge } from './terminal-edges.ts';

export const verdictNames = {
  intact: 'INTACT',
  broken: 'BROKEN',
  unknown: 'CANNOT TELL',
} as const satisfies Record<Result['verdict'], string>;

/** The findings to act on: errors, then warnings. */
export function listErrorsFirst(result: Pick<Result, 'findings'>): readonly Finding[] {
  return sortBySeverity(result).filter((finding) => !isAccepted(finding));
}

/** Findings that are known or tolerated. */
export function listAccepted(result: Pick<Result, 'findings'>): readonly Finding[] {
  return sortBySeverity(result).filter(isAccepted);
}

/** Findings of severity `info`, except calls to peers that a note already sums up. */
export function listInfos({
  findings,
  unjudged = [],
}: Pick<Result, 'findings' | 'unjudged'>): readonly Finding[] {
  const isNamedInNotes = ({ client, peer, count }: Finding): boolean =>
    peer !== undefined &&
    unjudged.some(
      (edge) =>
        edge.client === client &&
        edge.peer === peer &&
        edge.calls === count &&
        edge.server === undefined &&
        edge.why === undefined,
    );
  return findings.filter((finding) => finding.severity === 'info' && !isNamedInNotes(finding));
}

function sortBySeverity({ findings }: Pick<Result, 'findings'>): readonly Finding[] {
  return (['error', 'warning'] as const).flatMap((severity) =>
    findings.filter((finding) => finding.severity === severity),
  );
}

export function nameAcceptance({ known }: Finding): string {
  return known === true ? 'known' : 'tolerated';
}

/** Corresponds to the exit code. */
export function outcomeOf(result: Result, { failOn }: ReportDetails): Outcome {
  return decideOutcome(result, failOn);
}

/** The first word of a report, such as `INTACT`. `FAILED` where nothing is broken and warnings fail. */
export function nameVerdict(result: Result, details: ReportDetails): string {
  return failsByWarning(result, details) ? 'FAILED' : verdictNames[result.verdict];
}

function failsByWarning(result: Result, details: ReportDetails): boolean {
  return result.verdict !== 'broken' && outcomeOf(result, details) === 'failed';
}

/**
 * The result in one line. Without a verdict, its likeliest reasons come first: the exit code of the command and failed requests. Where
 * warnings fail, the line begins with that, because the first word is `FAILED`.
 */
export function summarise(result: Result, details: ReportDetails): string {
  const { reason, requests, search, command } = details;
  const summary =
    result.verdict === 'unknown' && reason !== null ? escapeText(reason) : summariseEdges(result);
  const failed = describeFailed(requests);
  const ended = describeCommand(command);
  const warned = failsByWarning(result, details) ? ['warnings fail (--fail-on warning)'] : [];
  const limit = describeLimit(search);
  const parts =
    result.verdict === 'unknown'
      ? [...warned.map((text) => `${countWarnings(result)}: ${text}`), ...ended, ...failed, summary, ...limit]
      : [summary, ...failed, ...warned, ...describeUnjudged(result), ...limit, ...ended];
  return parts.join('; ');
}

function countWarnings({ findings }: Result): string {
  return countOf(findings.filter((finding) => fails(finding, 'warning')).length, 'warning');
}

function describeFailed(requests: RequestCounts | undefined): readonly string[] {
  if (requests === undefined || requests.failed === 0) return [];
  const { sent, failed, failures } = requests;
  return [`${failed} of ${countOf(sent, 'request')} failed (${escapeText(failures.join(', '))})`];
}

/** Further edges are in the note. */
const mostUnjudged = 3;
const widestName = 60;

/** The edges that an intact verdict leaves out. */
function describeUnjudged({ verdict, unjudged = [] }: Result): readonly string[] {
  // Calls of unknown callers may all come from programs outside: a note mentions them.
  const named = unjudged.filter(({ client }) => client !== null);
  if (verdict !== 'intact' || named.length === 0) return [];
  const names = [...new Set(named.map(nameUnjudged))];
  const more = names.length - mostUnjudged;
  return [`not judged: ${names.slice(0, mostUnjudged).join(', ')}${more > 0 ? ` and ${more} more` : ''}`];
}

/** Names an unjudged edge. Where messages are received, the topic follows the receiver. */
function nameUnjudged({ client, server, peer, protocol }: UnjudgedEdge): string {
  const name = nameEdge({ client, server: server ?? peer }, widestName);
  return server === undefined || protocol === undefined ? name : `${name} (${escapeText(peer)})`;
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

function summariseEdges(result: Result): string {
  const { verdict, edges, findings, traces, spans } = result;
  const read = `${countOf(traces, 'trace')}, ${countOf(spans, 'span')}`;
  if (verdict === 'unknown') return `nothing to judge (${read})`;
  const counted = edges.filter((edge) => edge.tolerated !== true && !isPast(edge));
  const broken = counted.filter((edge) => markEdge(edge, result) === 'error');
  const known = counted.filter((edge) => edge.known === true);
  const warnings = findings.filter((finding) => finding.severity === 'warning' && finding.tolerated !== true);
  const fresh = warnings.filter((finding) => finding.known !== true).length;
  const [calls, unjudged, doubtful] = [
    sumCalls(counted, 'calls'),
    sumCalls(counted, 'unjudged'),
    sumCalls(counted, 'doubtful'),
  ];
  const doubt = doubtful === 0 ? '' : `, ${doubtful} doubtful`;
  const left = unjudged === 0 ? '' : `, ${unjudged} more not judged`;
  const ofAll = (some: readonly EdgeResult[]) =>
    `${some.length} of ${countOf(counted.length, 'edge')}, ${calls === 0 ? 'never seen' : `${sumCalls(some, 'broken')} of ${countOf(calls, 'call')}`}${doubt}${left}`;
  const knownWarnings =
    warnings.length === fresh ? '' : `, ${countOf(warnings.length - fresh, 'known warning')}`;
  if (verdict === 'broken') {
    const also =
      known.length === 0
        ? ''
        : `; known: ${countOf(known.length, 'edge')}, ${countOf(sumCalls(known, 'broken'), 'call')}`;
    return `${ofAll(broken)}${also} (${read})`;
  }
  const but = `${fresh === 0 ? '' : `, ${countOf(fresh, 'warning')}`}${knownWarnings}`;
  if (counted.length === 0)
    return `no call between two services was seen, and nothing is broken${but} (${read})`;
  if (known.length > 0) return `except what is known: ${ofAll(known)}${but} (${read})`;
  const judged = unjudged === 0 ? countOf(calls, 'call') : describeCallsJudged({ calls, unjudged });
  return `${countOf(counted.length, 'edge')}, ${judged}${doubt}${but} (${read})`;
}

export function sumCalls<Count extends string>(
  edges: readonly { readonly [Each in Count]?: number }[],
  count: Count,
): number {
  return sumOf(edges.map((edge) => edge[count] ?? 0));
}

/** Notes on the result, not escaped. */
export function describeNotes({ notes, collector }: ReportDetails): readonly string[] {
  if (collector === null) return notes;
  const { name, refused, sendFailed, enqueueFailed } = collector;
  if (refused + sendFailed + enqueueFailed === 0)
    return [...notes, `${name}: no span refused, failed or dropped`];
  return [
    ...notes,
    `${name}: ${countOf(refused, 'span')} refused, ${sendFailed} given up by exporters, ${enqueueFailed} dropped from full queues ` +
      'since it started; spans that are missing may be among them',
  ];
}
