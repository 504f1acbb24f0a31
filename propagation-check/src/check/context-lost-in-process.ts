import { areAwaited } from '../awaited.ts';
import { type Call, findEntry, findTopInService, isEntry } from '../edge.ts';
import { isExpected } from '../expectation.ts';
import { groupBy, keyFor } from '../group-by.ts';
import { type Pair, pairSpans } from '../pair.ts';
import type { Span } from '../span.ts';
import { isRoot } from '../trace-graph.ts';
import type { Check, Scene } from './check.ts';

/**
 * The edge is whole, but the caller's CLIENT span starts a trace of its own instead of belonging to the request
 * during which it was made. Pollers and jobs start traces too and are healthy, so a coincidence in time is no
 * evidence: the requests must have waited for these calls, and (nearly) all requests of their route must be ones
 * that make the call.
 */
export const findContextLostInProcess: Check = (scene) => {
  const groups = groupBy(scene.calls, (call) =>
    keyFor(call.client.serviceName, call.server.serviceName, call.server.name),
  );
  return groups.flatMap((calls) => {
    const first = calls[0];
    if (first === undefined) return [];
    const detached = calls.filter((call) => startsOwnTrace(scene, call));
    if (detached.length === 0) return [];
    const entriesWithCall = new Set(calls.map((call) => findEntry(scene.graph, call.client)));
    const entries = scene.spansOf(first.client.serviceName).filter(isEntry);
    // Each route is judged for itself: others do not make the call.
    const routes = groupBy(entries, (entry) => keyFor(entry.kind, entry.name));
    const found = routes.flatMap((ofRoute) => pairWithRoute(ofRoute, entriesWithCall, detached));
    const pairs = [...new Map(found.map((pair) => [pair.server, pair])).values()];
    if (pairs.length === 0) return [];
    const serverOf = new Map(calls.map((call) => [call.client, call.server]));
    return [
      {
        id: 'context-lost-in-process' as const,
        // One coincidence in time may be a poller that ran during a request.
        severity:
          pairs.length > 1 ||
          isExpected(scene.expectation, first.client.serviceName, first.server.serviceName)
            ? ('error' as const)
            : ('warning' as const),
        client: first.client.serviceName,
        server: first.server.serviceName,
        protocol: first.protocol,
        shown: pairs.map(({ client: entry, server: client, unique }) => ({
          client,
          server: serverOf.get(client) ?? null,
          says: unique
            ? `root of its own trace, made during "${entry.name}" of trace ${entry.traceId}`
            : `root of its own trace, made while requests "${entry.name}" were open that lack the call`,
        })),
      },
    ];
  });
};

/** The detached calls for which requests of one route waited; none where that route does not make the call. */
function pairWithRoute(
  ofRoute: readonly Span[],
  entriesWithCall: ReadonlySet<Span | null>,
  detached: readonly Call[],
): readonly Pair[] {
  const bereft = ofRoute.filter((entry) => !entriesWithCall.has(entry));
  const pairs = pairSpans(
    bereft,
    detached.map((call) => call.client),
    (entry, client) => entry.traceId !== client.traceId,
  );
  const calling = ofRoute.length - bereft.length + pairs.length;
  const awaited = areAwaited(pairs.map(({ client: request, server: call }) => ({ request, call })));
  return awaited && calling >= ofRoute.length * 0.8 ? pairs : [];
}

/** Whether what led to the call within its service began a trace, and is no entry. */
function startsOwnTrace(scene: Scene, { client }: Call): boolean {
  const top = findTopInService(scene.graph, client);
  return isRoot(top) && !isEntry(top) && top.links.length === 0;
}
