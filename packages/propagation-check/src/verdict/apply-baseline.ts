import type { EdgeProtocol } from '../calls/call-group.ts';
import { isSameEdge } from '../calls/same-edge.ts';
import type { FindingId } from '../rules/finding.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import { decideVerdict, type FailOn, fails, hasJudgedEdge, isAccepted } from './decide-verdict.ts';
import { leavesOpen } from './leaves-open.ts';
import type { EdgeResult, Finding, Result, Undecided } from './result.ts';

/** Findings that are known and accepted. */
export type Baseline = readonly KnownFinding[];

/** A finding that a baseline accepts. */
export interface KnownFinding {
  readonly client: string | null;
  readonly server: string | null;
  /** Any protocol if absent. */
  readonly protocol?: EdgeProtocol;
  readonly finding: FindingId;
  /** The likeliest cause, if the finding is a symptom. */
  readonly cause?: FindingId;
}

/** Marks the findings that the baseline accepts, and decides the verdict anew without them. */
export function applyBaseline(result: Result, baseline: Baseline): Result {
  const findings = result.findings.map((finding): Finding => {
    const { known: _, ...rest } = finding;
    return baseline.some((entry) => isOf(entry, finding)) ? { ...rest, known: true } : rest;
  });
  const edges = result.edges.map((edge): EdgeResult => {
    const { known: _, ...rest } = edge;
    const errors = findings.filter(
      ({ severity, ...place }) => severity === 'error' && isSameEdge(place, edge) && hasProtocol(place, edge),
    );
    return errors.length > 0 && errors.every(({ known }) => known) ? { ...rest, known: true } : rest;
  });
  // A broken result may have nothing left to judge once its known findings are accepted: an expected edge that was never seen has no call.
  const isJudged =
    result.verdict === 'intact' ||
    ((result.verdict === 'broken' || result.undecided !== undefined) && hasJudgedEdge(result));
  const { undecided: before = [], ...rest } = result;
  const undecided = before.filter((one) => isUndecided(one, findings));
  const verdict = decideVerdict({ findings, undecided }, isJudged);
  return { ...rest, verdict, edges, findings, ...(undecided.length > 0 ? { undecided } : {}) };
}

/** Whether an undecided edge stays undecided: the baseline may accept the warnings that left it open. */
function isUndecided(undecided: Undecided, findings: Result['findings']): boolean {
  return (
    undecided.finding === undefined ||
    findings.some(
      (one) =>
        isSameEdge(one, undecided) &&
        hasProtocol(undecided, one) &&
        (leavesOpen(one) || one.doubt !== undefined) &&
        !isAccepted(one),
    )
  );
}

/** Entries that match no finding although their edge was judged: repaired, or (see `findOtherCause`) now with another cause. */
export function listFixed(result: Result, baseline: Baseline): Baseline {
  return baseline.filter(
    (entry) => wasJudged(result, entry) && !result.findings.some((finding) => isOf(entry, finding)),
  );
}

/** The finding of the entry's id on its edge, which the entry does not accept because the likeliest cause differs. */
export function findOtherCause(result: Result, entry: KnownFinding): Finding | null {
  return (
    result.findings.find(
      (finding) => finding.id === entry.finding && isSameEdge(entry, finding) && hasProtocol(entry, finding),
    ) ?? null
  );
}

/** The baseline that accepts this result: adds failing findings, removes fixed entries, and keeps entries whose edge was not judged. */
export function updateBaseline(result: Result, baseline: Baseline, failOn: FailOn): Baseline {
  const fixed = new Set(listFixed(result, baseline));
  const kept = baseline.filter((entry) => !fixed.has(entry));
  const added = applyBaseline(result, kept).findings.filter((finding) => fails(finding, failOn));
  return sortBaseline([...kept, ...added.map(toEntry)]);
}

/** Each entry once, in an order that does not depend on the run. */
function sortBaseline(baseline: Baseline): Baseline {
  const sortKey = ({ client, server, finding, protocol, cause }: KnownFinding) =>
    keyFor(client, server, finding, protocol ?? null, cause ?? null);
  return groupBy(baseline, sortKey)
    .map(([first]) => first)
    .sort((left, right) => (sortKey(left) < sortKey(right) ? -1 : 1));
}

function toEntry({ client, server, protocol, id, candidates = [] }: Finding): KnownFinding {
  const [cause] = candidates;
  return { client, server, protocol, finding: id, ...(cause === undefined ? {} : { cause }) };
}

/**
 * Also matches a symptom by its likeliest cause: the same break may be a symptom in one run and, with more evidence, its cause in another.
 */
function isOf(entry: KnownFinding, finding: Finding): boolean {
  const { id, candidates: [likeliest] = [] } = finding;
  if (!isSameEdge(entry, finding) || !hasProtocol(entry, finding)) return false;
  if (id !== entry.finding) return id === entry.cause || likeliest === entry.finding;
  return entry.cause === undefined || likeliest === entry.cause;
}

/**
 * Whether the entry's edge was judged. An unknown side may be another service in each run. A finding within one service counts as judged if
 * the service calls or is called.
 */
function wasJudged({ edges }: Result, entry: KnownFinding): boolean {
  const { client, server } = entry;
  if (client === null || server === null) return false;
  return edges.some(
    (edge) =>
      edge.calls > 0 &&
      ((isSameEdge(edge, entry) && hasProtocol(entry, edge)) ||
        (client === server && (edge.client === client || edge.server === client))),
  );
}

function hasProtocol(
  { protocol }: Pick<KnownFinding, 'protocol'>,
  place: Pick<EdgeResult, 'protocol'>,
): boolean {
  return protocol === undefined || protocol === place.protocol;
}
