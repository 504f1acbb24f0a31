import { escapeText } from '../../report/escape-text.ts';
import { formatTime } from '../../report/format-time.ts';
import type { ReportDetails } from '../../report/json.ts';
import { listErrorsFirst, sumCalls, verdictNames } from '../../report/summary.ts';
import { labelService, type Mark, markRest, nameEdge } from '../../report/terminal-edges.ts';
import { countOf } from '../../util/count-of.ts';
import { isAccepted } from '../../verdict/decide-verdict.ts';
import { leavesOpen } from '../../verdict/leaves-open.ts';
import type { Finding } from '../../verdict/result.ts';
import type { AuditEdge, AuditResult } from '../audit-result.ts';
import { placeOf } from '../edge-place.ts';
import type { Rate } from '../estimate-rate.ts';

/** Further findings are left out: the table has all causes. */
const mostFindings = 10;

const verdicts = { passed: 'intact', failed: 'broken', unknown: 'unknown' } as const;

/** The first word of the report, such as `INTACT`. `WITHIN LIMIT`: all broken calls are within `--fail-under`. `FAILED`: only warnings fail. */
export function nameOutcome(audit: Pick<AuditResult, 'outcome' | 'edges' | 'failUnder' | 'result'>): string {
  if (failsByWarning(audit)) return 'FAILED';
  return listWithinLimit(audit).length > 0 ? 'WITHIN LIMIT' : verdictNames[verdicts[audit.outcome]];
}

function failsByWarning({ outcome, result }: Pick<AuditResult, 'outcome' | 'result'>): boolean {
  return outcome === 'failed' && result.verdict !== 'broken';
}

/** The edges with broken calls that meet the limit; empty where another edge fails. */
function listWithinLimit({
  outcome,
  ...audit
}: Pick<AuditResult, 'outcome' | 'edges' | 'failUnder'>): readonly AuditEdge[] {
  return outcome === 'passed' ? audit.edges.filter(isWithin(audit)) : [];
}

/** Whether an edge has broken calls and meets the limit. */
function isWithin({ failUnder }: Pick<AuditResult, 'failUnder'>): (edge: AuditEdge) => boolean {
  return (edge) =>
    failUnder !== null && edge.broken > 0 && !isAccepted(edge) && (edge.rate?.value ?? 0) >= failUnder;
}

/** The findings to show in full, the worst first, and lines that count the others. Findings within the limit are only counted. */
export function chooseFindings(audit: AuditResult): {
  readonly shown: readonly Finding[];
  readonly left: readonly string[];
} {
  const places = new Set(audit.edges.filter(isWithin(audit)).map(placeOf));
  const findings = listErrorsFirst(audit.result);
  const shown = findings.filter((finding) => !places.has(placeOf(finding)));
  const within = findings.length - shown.length;
  const more = shown.length - mostFindings;
  return {
    shown: shown.slice(0, mostFindings),
    left: [
      ...(more > 0 ? [`… and ${countOf(more, 'more finding')}`] : []),
      ...(within > 0
        ? [`… ${countOf(within, 'finding')} within the limit (in full without --fail-under, or with --json)`]
        : []),
    ],
  };
}

/** The audit in one line. */
export function summariseAudit(audit: AuditResult, { reason }: Pick<ReportDetails, 'reason'>): string {
  const { outcome, edges, failUnder, result, source } = audit;
  const where = `${describeWindow(audit)}, ${countOf(result.traces, 'trace')}, ${countOf(result.spans, 'span')} of ${escapeText(source)}`;
  const judged = edges.filter(({ calls, tolerated }) => calls > 0 && tolerated !== true);
  const calls = sumCalls(judged, 'calls');
  const failed = edges.filter((edge) => markAuditEdge(edge, result) === 'error');
  const limit = failUnder === null ? '' : ` below ${formatShare(failUnder, 'nearest')}`;
  const suspected = edges.filter(({ tolerated }) => tolerated !== true).map(splitSuspected);
  const maybe = describeSuspected({
    own: suspected.reduce((sum, { own }) => sum + own, 0),
    others: suspected.reduce((sum, { others }) => sum + others, 0),
  })
    .map((text) => `, ${text}`)
    .join('');
  const broken = `${sumCalls(judged, 'broken')} of ${countOf(calls, 'call')} broken${maybe}`;
  if (outcome === 'unknown') {
    const counts = judged.length === 0 ? '' : `${broken}; `;
    return `${escapeText(reason ?? 'nothing to judge')} (${counts}${where})`;
  }
  const within = listWithinLimit(audit);
  if (within.length > 0) {
    const lowest = Math.min(...within.map(({ rate }) => rate?.value ?? 1));
    const ofEdges = edges.length === 1 ? '' : ` on ${within.length} of ${countOf(edges.length, 'edge')}`;
    const rate = `${edges.length === 1 ? '' : 'lowest '}${formatShare(lowest)} intact, limit ${formatShare(failUnder ?? 0, 'nearest')}`;
    return `${broken}${ofEdges} (${rate}; ${where})`;
  }
  const warned = failsByWarning(audit) ? '; warnings fail (--fail-on warning)' : '';
  return `${failed.length} of ${countOf(edges.length, 'edge')}${limit || ' broken'}; ${broken}${warned} (${where})`;
}

/** Calls that may be broken. */
interface Suspected {
  /** Those that are counted among the calls of the edge. */
  readonly own: number;
  /** Those that are not judged. */
  readonly others: number;
}

function splitSuspected({ suspected, unjudged = 0, client, server, causes }: AuditEdge): Suspected {
  const open = causes.filter((cause) => !isAccepted(cause) && leavesOpen({ ...cause, client, server }));
  const left = open.reduce((sum, { count }) => sum + count, 0);
  const others = Math.min(suspected, unjudged, left);
  return { own: suspected - others, others };
}

function describeSuspected({ own, others }: Suspected): readonly string[] {
  return [
    ...(own === 0 ? [] : [`${own} of them may be`]),
    ...(others === 0 ? [] : [`${countOf(others, 'other')} may be`]),
  ];
}

/** `2026-11-28 21:00:00 to 22:00:00 UTC`. */
function describeWindow({ window: { from, to } }: Pick<AuditResult, 'window'>): string {
  if (from === null) return to === null ? 'everything' : `everything before ${formatTime(to)} UTC`;
  if (to === null) return `everything since ${formatTime(from)} UTC`;
  const end =
    to.slice(0, dateLength) === from.slice(0, dateLength)
      ? formatTime(to).slice(dateLength + 1)
      : formatTime(to);
  return `${formatTime(from)} to ${end} UTC`;
}

const dateLength = '2026-11-28'.length;

/** The mark of an edge. As in the reports of a check, but broken calls within the limit are not an error. */
export function markAuditEdge(edge: AuditEdge, result: AuditResult['result']): Mark {
  const own = edge.causes.filter((cause) => !isAccepted(cause));
  if (edge.tolerated === true) return 'accepted';
  return own.some(({ severity }) => severity === 'error') ? 'error' : markRest(edge, own, result);
}

const order: readonly Mark[] = ['error', 'warning', 'accepted', 'fine'];

/** The worst edges first: by mark, then by rate. */
export function rankAuditEdges({
  edges,
  result,
}: Pick<AuditResult, 'edges' | 'result'>): readonly AuditEdge[] {
  return edges.toSorted(
    (left, right) =>
      order.indexOf(markAuditEdge(left, result)) - order.indexOf(markAuditEdge(right, result)) ||
      (left.rate?.value ?? 0) - (right.rate?.value ?? 0),
  );
}

/** `1,400`; `1,400 of 3,000` where not all calls are judged; `10 (4 doubtful)`. */
export function describeCalls({ calls, unjudged = 0, doubtful = 0 }: AuditEdge): string {
  const [judged, made, doubted] = [calls, calls + unjudged, doubtful].map((count) =>
    count.toLocaleString('en'),
  );
  const counted = judged === made ? `${made}` : `${judged} of ${made}`;
  return doubtful > 0 ? `${counted} (${doubted} doubtful)` : counted;
}

/** `97.3 %`. Rounded down unless `rounding` says otherwise, so that 100 % means all. */
export function formatShare(share: number, rounding: 'down' | 'up' | 'nearest' = 'down'): string {
  const round = { down: Math.floor, up: Math.ceil, nearest: Math.round }[rounding];
  return `${round(Number((share * 10_000).toFixed(6))) / 100} %`;
}

/** `96.2–98.1 %`. */
export function formatInterval({ low, high }: Rate): string {
  return `${formatShare(low).replace(' %', '')}–${formatShare(high, 'up')}`;
}

const arrows = { better: '↑', worse: '↓', unproven: '' } as const;

/** `99.9 % ↓`: the rate before, and an arrow where the counts prove a change. */
export function describeTrend({ trend, rate }: AuditEdge): string {
  if (trend === null) return '';
  const { change, before } = trend;
  if (change === 'unproven') return rate?.value === before.value ? '=' : `${formatShare(before.value)} ?`;
  return `${formatShare(before.value)} ${arrows[change]}`;
}

/** The causes with their counts, and the limit that the rate misses. */
export function describeCauses(edge: AuditEdge, failUnder: number | null): string {
  const { causes, below, isNew, past } = edge;
  const limit =
    below === undefined || failUnder === null
      ? []
      : [
          `below ${formatShare(failUnder, 'nearest')}, ${below === 'proven' ? 'proven' : 'not proven by so few calls'}`,
        ];
  return [
    ...limit,
    ...(isNew === true ? ['new edge'] : []),
    ...(past === undefined ? [] : [`${past.calls} past ${labelService(past.service)}`]),
    ...describeSuspected(splitSuspected(edge)).map((text) => `${text} broken`),
    ...causes.map(({ id, candidates: [likeliest] = [], count, ...cause }) => {
      const facts = [
        ...(likeliest === undefined ? [] : [`maybe ${likeliest}`]),
        ...(cause.isNew === true && isNew !== true ? ['new'] : []),
        ...(isAccepted(cause) ? [cause.known === true ? 'known' : 'tolerated'] : []),
      ];
      return `${id}${count === 0 ? '' : ` ${count}`}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`;
    }),
  ].join('; ');
}

/** One line for each change since the last run that the table does not show. */
export function describeGone({ edges, vanished }: AuditResult, width: number): readonly string[] {
  return [
    ...edges.flatMap((edge) =>
      (edge.gone ?? []).map((id) => `gone since the last run: ${nameEdge(edge, width)}: ${id}`),
    ),
    ...vanished.map((edge) => `no call in this window: ${nameEdge(edge, width)}`),
  ];
}
