import { mapBy } from '../util/group-by.ts';
import {
  decideOutcome,
  decideVerdict,
  type FailOn,
  hasJudgedEdge,
  isAccepted,
} from '../verdict/decide-verdict.ts';
import type { EdgeResult, Finding, Result } from '../verdict/result.ts';
import type { AuditEdge, AuditedWindow, AuditResult, EdgeCause, Trend } from './audit-result.ts';
import type { AuditState, SeenEdge } from './audit-state.ts';
import { type EdgePlace, placeOf } from './edge-place.ts';
import { compareRates, estimateRate, type Rate } from './estimate-rate.ts';
import type { ReadWindow } from './read-windows.ts';

export interface AuditInput {
  readonly source: string;
  readonly now: ReadWindow;
  readonly before: ReadWindow | null;
  /** The state of the last run. */
  readonly state: AuditState | null;
  /** A share from 0 to 1. */
  readonly failUnder: number | null;
  readonly failOn: FailOn;
}

/** Makes an audit of two windows and the state of the last run. */
export function auditWindow({ source, now, before, state, failUnder, failOn }: AuditInput): AuditResult {
  const rates = rateEdges(now.result);
  const ratesBefore = before === null ? null : rateEdges(before.result);
  const isWhole = now.seen.complete;
  const seenBefore = state === null ? null : new Map(state.edges.map((edge) => [placeOf(edge), edge]));
  // Runs that read only parts of their windows may have missed what this one shows.
  const knowsNew = state !== null && state.partial !== true;
  const result = failUnder === null ? now.result : tolerateAbove(now.result, rates, failUnder);
  const findings = mapBy(result.findings, placeOf);
  // Sorted by name, so that the order does not depend on the order of the spans.
  const byName = result.edges.toSorted((left, right) => (placeOf(left) < placeOf(right) ? -1 : 1));
  const edges = byName.map((edge): AuditEdge => {
    const place = placeOf(edge);
    const rate = rates.get(place) ?? null;
    const seen = seenBefore?.get(place) ?? null;
    const causes = (findings.get(place) ?? [])
      .filter(({ severity }) => severity !== 'info')
      .map((finding) => describeCause(finding, knowsNew && seen?.causes.includes(finding.id) !== true));
    const gone = edge.calls === 0 || !isWhole ? [] : listGone(seen, causes);
    const below = failUnder === null ? null : judgeRate(edge, rate, failUnder);
    return {
      ...edge,
      suspected: countSuspected(now.result, place),
      rate,
      trend: describeTrend(rate, ratesBefore?.get(place) ?? null),
      causes,
      ...(knowsNew && seen === null ? { isNew: true } : {}),
      ...(gone.length === 0 ? {} : { gone }),
      ...(below === null ? {} : { below }),
    };
  });
  return {
    kind: 'audit',
    version: 1,
    outcome: decideOutcome(result, failOn),
    source,
    window: describeWindow(now),
    before: before === null ? null : describeWindow(before),
    lastRun: state?.at ?? null,
    failUnder,
    edges,
    vanished: before === null || !isWhole ? [] : listVanished(before.result, result),
    result,
  };
}

/** The rate of each edge, by its place. */
function rateEdges({ edges }: Result): ReadonlyMap<string, Rate | null> {
  return new Map(
    edges.map((edge) => {
      const of = countPossible(edge, edges) - (edge.doubtful ?? 0);
      return [placeOf(edge), estimateRate(of - edge.broken, of)];
    }),
  );
}

/** The calls that would belong to this edge if they were broken. */
function countPossible(edge: EdgeResult, edges: readonly EdgeResult[]): number {
  const { client, server, calls, broken } = edge;
  const isLostWithin = client === server && calls === broken;
  if (client !== null && server !== null && !isLostWithin) return calls;
  const [side, known] = server === null ? (['client', client] as const) : (['server', server] as const);
  if (known === null) return calls;
  return edges.reduce((sum, other) => sum + (other[side] === known ? other.calls : 0), 0);
}

/** Turns errors of edges that meet the limit into warnings. */
function tolerateAbove(result: Result, rates: ReadonlyMap<string, Rate | null>, limit: number): Result {
  const findings = result.findings.map((finding): Finding => {
    const rate = rates.get(placeOf(finding)) ?? null;
    const isMet = finding.severity === 'error' && rate !== null && rate.value >= limit;
    return isMet ? { ...finding, severity: 'warning' } : finding;
  });
  const isJudged = result.verdict === 'intact' || hasJudgedEdge(result);
  const verdict = result.verdict === 'unknown' ? 'unknown' : decideVerdict({ ...result, findings }, isJudged);
  return { ...result, verdict, findings };
}

function countSuspected({ findings }: Result, place: string): number {
  return findings
    .filter((finding) => placeOf(finding) === place && finding.severity === 'warning' && !isAccepted(finding))
    .reduce((sum, { count }) => sum + count, 0);
}

function judgeRate(
  edge: EdgeResult,
  rate: Rate | null,
  limit: number,
): NonNullable<AuditEdge['below']> | null {
  if (rate === null || rate.value >= limit || isAccepted(edge)) return null;
  return rate.high < limit ? 'proven' : 'unproven';
}

function describeTrend(rate: Rate | null, before: Rate | null): Trend | null {
  return rate === null || before === null ? null : { before, change: compareRates(before, rate) };
}

function describeCause(finding: Finding, isNew: boolean): EdgeCause {
  const { id, severity, confidence, candidates, count, known, tolerated, evidence } = finding;
  return {
    ...{ id, severity, confidence, count },
    ...(candidates === undefined ? {} : { candidates }),
    ...(known === undefined ? {} : { known }),
    ...(tolerated === undefined ? {} : { tolerated }),
    ...(isNew ? { isNew } : {}),
    examples: evidence.map(({ traceId, spanId }) => ({ traceId, spanId })),
  };
}

function listGone(seen: SeenEdge | null, causes: readonly EdgeCause[]): SeenEdge['causes'] {
  return (seen?.causes ?? []).filter((cause) => causes.every(({ id }) => id !== cause));
}

function listVanished(before: Result, now: Result): readonly EdgePlace[] {
  const seen = new Set(now.edges.filter(({ calls }) => calls > 0).map(placeOf));
  return before.edges
    .filter((edge) => edge.calls > 0 && !seen.has(placeOf(edge)))
    .map(({ client, server, protocol }) => ({ client, server, protocol }));
}

function describeWindow({ window, result, seen }: ReadWindow): AuditedWindow {
  const { traces, spans } = result;
  return { from: toTime(window.from), to: toTime(window.to), traces, spans, seen };
}

function toTime(milliseconds: number): string | null {
  return Number.isFinite(milliseconds) ? new Date(milliseconds).toISOString() : null;
}
