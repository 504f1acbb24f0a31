import { type Call, groupCalls, someCall, viewCalls } from '../calls/call-group.ts';
import { findEntry } from '../calls/edge.ts';
import { nameEndpoints } from '../calls/endpoint.ts';
import { isExpected } from '../expect/expectation.ts';
import { isRoot } from '../graph/trace-graph.ts';
import { pairDisplaced } from '../pairing/displaced.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import type { Check, Scene } from './check.ts';

/**
 * The edge is whole, but the caller's CLIENT span starts a trace of its own instead of belonging to the request
 * during which it was made. Pollers and jobs start traces too and are healthy, so a coincidence in time is no
 * evidence: (nearly) all requests of a route that lack the call must have waited for one that is detached.
 */
export const findContextLostInProcess: Check = (scene) => {
  const detaching = groupCalls(scene.groups, ({ client, server }) => keyFor(client, server)).filter(
    ([first, ...others]) =>
      first !== undefined &&
      (scene.services.hasKind(first.client, 'SERVER') || scene.services.hasKind(first.client, 'CONSUMER')) &&
      someCall([first, ...others], (client) => isDetached(scene, client)),
  );
  const groups = groupBy(viewCalls(scene.graph, detaching.flat()), (call) =>
    keyFor(call.client.serviceName, call.server.serviceName, call.server.name),
  );
  return groups.flatMap((calls) => {
    const first = calls[0];
    if (first === undefined) return [];
    const detached = calls.filter((call) => startsOwnTrace(scene, call));
    if (detached.length === 0) return [];
    const entriesWithCall = new Set(calls.map((call) => findEntry(scene.graph, call.client)));
    const entries = scene.selectSpans(first.client.serviceName, (row) => scene.graph.isEntry(row));
    // Each route is judged for itself: others do not make the call.
    const routes = groupBy(entries, nameEndpoints(entries));
    const clients = detached.map((call) => call.client);
    const found = routes.flatMap((ofRoute) =>
      pairDisplaced(
        ofRoute.filter((entry) => !entriesWithCall.has(entry)),
        clients,
      ),
    );
    const pairs = [...new Map(found.map((pair) => [pair.server, pair])).values()];
    if (pairs.length === 0) return [];
    const serverOf = new Map(calls.map((call) => [call.client, call.server]));
    return [
      {
        id: 'context-lost-in-process' as const,
        isLikely: true,
        // One coincidence in time may be a poller or a job that ran during a request.
        severity:
          pairs.length > 1 ||
          (isExpected(scene.expectation, first.client.serviceName, first.server.serviceName) &&
            pairs.every(({ server: client }) => isRoot(client)))
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

/** Whether what led to the call within its service began a trace, and is no entry. */
function startsOwnTrace(scene: Scene, { client }: Call): boolean {
  return isDetached(scene, scene.graph.rowOf(client));
}

function isDetached({ graph }: Scene, client: number): boolean {
  const top = graph.topInService(client);
  return graph.isRoot(top) && !graph.isEntry(top) && !graph.hasLinks(top);
}
