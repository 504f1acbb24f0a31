import { readCallFacts } from '../calls/call-facts.ts';
import { viewCalls } from '../calls/call-group.ts';
import { isEntry, isOutgoing } from '../calls/edge.ts';
import { isRoot } from '../graph/trace-graph.ts';
import type { Span } from '../span/span.ts';
import { groupBy } from '../util/group-by.ts';
import { median } from '../util/statistics.ts';
import { type Check, type Draft, protocolOf, type Scene } from './check.ts';
import { finding as missingCall } from './missing-call.ts';
import type { Thresholds } from './thresholds.ts';

/**
 * The service with which an expected path begins shows calls and nothing that led to them: no SERVER span, no job, no
 * message. Its calls begin traces, one after the other, as requests come in that somebody sends on each answer.
 * Services that begin traces themselves show no entry either, and are told apart by their rhythm: a timer rests for
 * longer, and a loop does not rest. Without an expectation nothing is said.
 */
export const findUnseenEntrances: Check = (scene) =>
  listEntrances(scene).flatMap((service): readonly Draft[] => {
    const spans = scene.spansOf(service);
    const roots = spans.filter(isRoot);
    const calls = roots.filter(isOutgoing);
    const whole = new Set(
      viewCalls(
        scene.graph,
        scene.groups.filter((group) => group.client === service),
      ).map((call) => call.client),
    );
    // Each call of the service is a root: nothing led to any of them.
    const isBare =
      spans.every((span) => !isEntry(span) && span.links.length === 0) &&
      roots.every((span) => isOutgoing(span) || isConnecting(span)) &&
      calls.every((span) => span.kind === 'CLIENT' && whole.has(span)) &&
      calls.length === whole.size;
    const [first] = calls;
    if (first === undefined || !isBare || !areAskedFor(calls, scene.thresholds)) return [];
    return [
      missingCall.report({
        client: null,
        server: service,
        protocol: protocolOf(first),
        candidates: ['server-not-instrumented', 'client-not-instrumented', 'not-sampled'],
        shown: calls.map((server) => ({
          client: null,
          server,
          says: `CLIENT "${server.name}" begins the trace: ${service} has no SERVER span for the request that led to it, nor anybody a call to ${service}`,
        })),
      }),
    ];
  });

/** Callers that must call and that nobody is expected to call. */
function listEntrances({ expectation }: Scene): readonly string[] {
  const called = new Set(expectation.edges.map((edge) => edge.server));
  const callers = expectation.edges.filter((edge) => edge.rule === 'must').map((edge) => edge.client);
  return [...new Set(callers)].filter((service) => !called.has(service));
}

/** `dns.lookup`, `tcp.connect` and the like begin traces in every process. */
function isConnecting(span: Span): boolean {
  return readCallFacts(span).protocol === 'unknown' && span.kind !== 'CONSUMER';
}

/**
 * Whether calls, each in a trace of its own, rest for about as long as they take, and every time for about as long: so
 * does whoever waits for an answer and asks again. Messages and people come when they like.
 */
function areAskedFor(calls: readonly Span[], thresholds: Thresholds): boolean {
  const pauses = calls
    .slice(1)
    .map((call, index) => Number(call.startTimeUnixNano - (calls[index]?.endTimeUnixNano ?? 0n)));
  const durations = calls.map((call) => Number(call.endTimeUnixNano - call.startTimeUnixNano));
  const usual = median(pauses);
  const rest = usual / median(durations);
  return (
    calls.length >= thresholds.fewestInRhythm &&
    usual <= thresholds.longestPause &&
    rest >= thresholds.shortestRest &&
    rest <= thresholds.longestRest &&
    pauses.every(
      (pause) => pause >= usual / thresholds.rhythmSpread && pause <= usual * thresholds.rhythmSpread,
    ) &&
    groupBy(calls, (call) => call.traceId).length === calls.length
  );
}
