import { readCallFacts } from '../calls/call-facts.ts';
import { readOutcome } from '../calls/outcome.ts';
import { isHealthProbe } from '../calls/probes.ts';
import { nameTarget } from '../calls/target.ts';
import { buildTraceGraph, none, type TraceGraph } from '../graph/trace-graph.ts';
import type { RequestCounts } from '../report/json.ts';
import type { Span } from '../span/span.ts';
import { groupBy } from '../util/group-by.ts';

/** Explains why failed requests leave a verdict open. */
export const failedRequestsDoubt =
  'all calls that were seen are intact, but failed requests may have skipped some: repair them, or accept them with ' +
  '--allow-failed-requests';

/** The first status that is an error. Source: RFC 9110, 15: 4xx and 5xx are errors. */
const firstErrorStatus = 400;

/** @param failures One entry for each request: how it failed, or null. */
export function countRequests(failures: readonly (string | null)[]): RequestCounts {
  const failed = failures.filter((failure) => failure !== null);
  return {
    sent: failures.length,
    failed: failed.length,
    failures: groupBy(failed, (failure) => failure).map((same) => `${same.length} ${same[0]}`),
  };
}

export function describeStatus(status: number | null): string | null {
  return status !== null && status >= firstErrorStatus ? `answered with ${status}` : null;
}

/**
 * Counts the requests of a command by its spans: calls that are not inside another call. Two kinds are left out: health probes, and calls
 * to a service that was not up yet. The latter got no answer, and a later call to the same address was answered.
 */
export function countSeenRequests(received: readonly Span[]): RequestCounts {
  const graph = buildTraceGraph(received);
  const calls = graph.select((row) => {
    const span = graph.view(row);
    return isCall(span) && !isHealthProbe(span) && !isWithinCall(graph, row);
  });
  const lastAnswered = new Map(calls.filter(isAnswered).map((span) => [nameTarget(span), span]));
  const wasEarly = (span: Span) => {
    const later = lastAnswered.get(nameTarget(span));
    return !isAnswered(span) && later !== undefined && later.startTimeUnixNano > span.startTimeUnixNano;
  };
  return countRequests(calls.filter((span) => !wasEarly(span)).map(describeFailure));
}

function isCall(span: Span): boolean {
  const isOneSide = span.kind === 'CLIENT' || span.kind === 'SERVER';
  return isOneSide && ['http', 'rpc', 'mcp'].includes(readCallFacts(span).protocol);
}

const remoteKinds: readonly Span['kind'][] = ['CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER'];

function isWithinCall(graph: TraceGraph, row: number): boolean {
  for (let at = graph.upwards[row] ?? none; at !== none; at = graph.upwards[at] ?? none) {
    if (remoteKinds.includes(graph.view(at).kind)) return true;
  }
  return false;
}

function isAnswered(span: Span): boolean {
  return readCallFacts(span).statusCode !== null || readOutcome(span) !== 'unreached';
}

function describeFailure(span: Span): string | null {
  const { statusCode } = readCallFacts(span);
  if (statusCode !== null || span.status.code !== 'ERROR') return describeStatus(statusCode);
  return span.kind === 'SERVER' || isAnswered(span) ? 'answered with an error' : 'without an answer';
}
