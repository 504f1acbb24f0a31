import { ownServiceName } from '../calls/own-service.ts';
import type { EdgeResult, Finding, Result } from './result.ts';

/** The least severity that makes a check fail. */
export type FailOn = 'error' | 'warning';

/** The outcome of a check, which sets the exit code. */
export type Outcome = 'passed' | 'failed' | 'unknown';

/** Whether a finding is in the baseline or has a tolerated peer: it is shown, but not counted and never fails a check. */
export function isAccepted({ known, tolerated }: Pick<Finding, 'known' | 'tolerated'>): boolean {
  return known === true || tolerated === true;
}

/** Whether the edge has calls that count. Calls of a service to itself say nothing about other edges. */
function isJudgedEdge({ client, server, calls, tolerated }: EdgeResult): boolean {
  return calls > 0 && tolerated !== true && client !== server;
}

/**
 * Whether any edge was judged. Requests of this tool count, because a service that calls nobody has no other edge. They do not count if
 * calls of the services are unjudged.
 */
export function hasJudgedEdge({ edges, unjudged = [] }: Pick<Result, 'edges' | 'unjudged'>): boolean {
  // An entry with a server has other calls that are whole, and messages may have no receiver; neither leaves an edge out.
  const isLeftOut = unjudged.some(({ server, protocol }) => server === undefined && protocol === undefined);
  return edges.some((edge) => isJudgedEdge(edge) && (!isLeftOut || edge.client !== ownServiceName));
}

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

/** The outcome for the exit code: the verdict, and with `failOn: 'warning'` the warnings too. */
export function decideOutcome({ verdict, findings }: Result, failOn: FailOn = 'error'): Outcome {
  if (findings.some((finding) => fails(finding, failOn))) return 'failed';
  return verdict === 'unknown' ? 'unknown' : verdict === 'broken' ? 'failed' : 'passed';
}
