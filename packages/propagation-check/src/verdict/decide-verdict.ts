import { ownServiceName } from '../calls/own-service.ts';
import type { EdgeResult, Finding, Result } from './result.ts';

/** The least severity of a finding that lets a check fail. */
export type FailOn = 'error' | 'warning';

/** The end of a check, as its exit code says it. */
export type Outcome = 'passed' | 'failed' | 'unknown';

/** Known by the baseline, or of a peer that does not take part: shown, neither counted nor failed on. */
export function isAccepted({ known, tolerated }: Pick<Finding, 'known' | 'tolerated'>): boolean {
  return known === true || tolerated === true;
}

/** Whether calls of the edge were seen and count. A service that calls itself proves nothing of the edges to others. */
function isJudgedEdge({ client, server, calls, tolerated }: EdgeResult): boolean {
  return calls > 0 && tolerated !== true && client !== server;
}

/**
 * Whether any edge was judged. Requests of this tool itself show that its traces arrive, and are all that there is to show of a service that calls
 * nobody; where calls of the services are left unjudged, they prove nothing of those.
 */
export function hasJudgedEdge({ edges, unjudged = [] }: Pick<Result, 'edges' | 'unjudged'>): boolean {
  // With a server, other calls of the edge are whole. Messages may be for nobody.
  const isLeftOut = unjudged.some(({ server, protocol }) => server === undefined && protocol === undefined);
  return edges.some((edge) => isJudgedEdge(edge) && (!isLeftOut || edge.client !== ownServiceName));
}

/** @param isJudged Whether there was anything to judge. */
export function decideVerdict(
  { findings, undecided = [] }: Pick<Result, 'findings' | 'undecided'>,
  isJudged: boolean,
): Result['verdict'] {
  if (findings.some((finding) => fails(finding, 'error'))) return 'broken';
  return isJudged && undecided.length === 0 ? 'intact' : 'unknown';
}

export function fails(finding: Finding, failOn: FailOn): boolean {
  const { severity } = finding;
  return !isAccepted(finding) && (severity === 'error' || severity === failOn);
}

/** The outcome that the exit code tells: the verdict, and with `warning` the warnings too. */
export function decideOutcome({ verdict, findings }: Result, failOn: FailOn = 'error'): Outcome {
  if (findings.some((finding) => fails(finding, failOn))) return 'failed';
  return verdict === 'unknown' ? 'unknown' : verdict === 'broken' ? 'failed' : 'passed';
}
