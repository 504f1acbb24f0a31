import { findEntry } from '../calls/edge.ts';
import { none } from '../graph/trace-graph.ts';
import { kindNumber, type Span } from '../span/span.ts';
import { mapBy } from '../util/group-by.ts';
import type { BaseScene, CallsOfRequests, GraphFacts } from './scene.ts';

/** Whether a call of the request was open at the same time as the root. */
export function hasOpenCall(calls: CallsOfRequests, request: Span, root: Span): boolean {
  return (calls.get(request) ?? []).some(
    (call) => call.endTimeUnixNano > root.startTimeUnixNano && call.startTimeUnixNano < root.endTimeUnixNano,
  );
}

export function groupCallsByRequest(
  { graph }: Pick<BaseScene, 'graph'>,
  calls: readonly Span[],
): CallsOfRequests {
  return mapBy(calls, (call) => findEntry(graph, call));
}

/**
 * Spans without a child whose attributes do not say what they call: CLIENT spans such as those of a gateway's load balancer, a workflow
 * engine or OpenCensus, and the INTERNAL spans of gRPC attempts.
 */
export function listCallsOfUnknownProtocol({ graph, facts }: GraphFacts): readonly Span[] {
  const { kinds } = graph.store;
  return graph.select(
    (row) =>
      !graph.hasChild(row) &&
      ((kinds[row] === kindNumber.client && facts.protocolOf(row) === 'unknown') ||
        (kinds[row] === kindNumber.internal && isAttempt({ graph, facts }, row))),
  );
}

/** The parent of an attempt is the span of the call to the same method. Source: grpc-go, `stats/opentelemetry/client_tracing.go`. */
function isAttempt({ graph, facts }: GraphFacts, row: number): boolean {
  const name = facts.nameOf(row);
  const sent = name.replace(/^Attempt\./, 'Sent.');
  return sent !== name && facts.nameOf(graph.parents[row] ?? none) === sent;
}

/** Whether the span names of gRPC or OpenCensus on both sides have the same method. */
export function isOfOneMethod(call: Span, server: Span): boolean {
  const method = /^(?:Sent|Attempt)\.(.+)/.exec(call.name)?.[1];
  return method !== undefined && server.name === `Recv.${method}`;
}
