import { readCallFacts } from '../call-facts.ts';
import { findEntry } from '../edge.ts';
import { groupBy, keyFor } from '../group-by.ts';
import { compareRequests, pairSpans, startsAfter } from '../pair.ts';
import type { Span } from '../span.ts';
import { type Check, type Draft, edgeProtocol, type Open, type Scene } from './check.ts';

/**
 * A context outlived its request: later calls hang under a span that had ended.
 * Fire-and-forget calls do so too and are healthy; what tells them apart is that here
 * *other* requests lack the very calls that hang in the wrong place.
 */
export const findStaleContext: Check = (scene, open) => [
  ...findStaleClients(scene),
  ...findStaleHeaders(scene, open),
];

/** The context inside the caller was stale: CLIENT spans of many requests under the entry span of one. */
function findStaleClients(scene: Scene): readonly Draft[] {
  const groups = groupBy(scene.calls, (call) => keyFor(call.client.serviceName, call.server.serviceName));
  return groups.flatMap((calls): readonly Draft[] => {
    const first = calls[0];
    if (first === undefined) return [];
    const callsOf = new Map<Span, Span[]>();
    for (const { client } of calls) {
      const entry = findEntry(scene.graph, client);
      if (entry !== null) callsOf.set(entry, [...(callsOf.get(entry) ?? []), client]);
    }
    // Fire-and-forget calls are late too, and every request makes about as many of them.
    const late = [...callsOf].filter(
      ([entry, clients]) =>
        clients.some((client) => startsAfter(client, entry)) &&
        clients.length >= 3 * countUsualCalls(callsOf, entry),
    );
    if (late.length === 0) return [];
    const routes = new Set(late.map(([entry]) => entry.name));
    const bereft = scene
      .spansOf(first.client.serviceName)
      .filter((span) => span.kind === 'SERVER' && routes.has(span.name) && !callsOf.has(span));
    const clients = late.flatMap(([, below]) => below);
    // Roles are turned: the entry span is open while the CLIENT span starts.
    const pairs = pairSpans(bereft, clients, () => true);
    const anyLate = pairs.some((pair) => isLate(scene, pair.server));
    // A cache, too, leaves requests without calls; here (nearly) all of them are accounted for.
    if (!anyLate || pairs.length < bereft.length * 0.8) return [];
    return [
      {
        id: 'stale-context',
        severity: 'error',
        client: first.client.serviceName,
        server: first.server.serviceName,
        protocol: first.protocol,
        shown: pairs.map(({ client: entry, server: client }) => ({
          client,
          server: calls.find((call) => call.client === client)?.server ?? null,
          says: `began during "${entry.name}" of trace ${entry.traceId}, but hangs under an older request`,
        })),
      },
    ];
  });
}

/** The median of what the other requests call. */
function countUsualCalls(callsOf: ReadonlyMap<Span, readonly Span[]>, entry: Span): number {
  const counts = [...callsOf].flatMap(([other, clients]) => (other === entry ? [] : [clients.length]));
  return counts.sort((left, right) => left - right)[counts.length >> 1] ?? 1;
}

function isLate(scene: Scene, client: Span): boolean {
  const entry = findEntry(scene.graph, client);
  return entry !== null && startsAfter(client, entry);
}

/** The header itself was stale: many SERVER spans under one old span, while the CLIENT spans of the calls stay alone. */
function findStaleHeaders(scene: Scene, open: Open): readonly Draft[] {
  const groups = groupBy(scene.calls, (call) => keyFor(call.client.traceId, call.client.spanId));
  const drafts = groups.flatMap((calls): readonly Draft[] => {
    const parent = calls[0]?.client;
    if (parent === undefined || !calls.some((call) => startsAfter(call.server, parent))) return [];
    const ownClients = open.clients.filter((span) => span.serviceName === parent.serviceName);
    const pairs = pairSpans(
      ownClients,
      calls.map((call) => call.server),
      (client, server) => compareRequests(client, server) === 'yes',
    );
    if (!pairs.some((pair) => startsAfter(pair.server, parent))) return [];
    return [
      {
        id: 'stale-context',
        severity: 'error',
        client: parent.serviceName,
        server: pairs[0]?.server.serviceName ?? null,
        protocol: edgeProtocol(readCallFacts(parent).protocol),
        shown: pairs.map(({ client, server }) => ({
          client,
          server,
          says: `received the span id of "${parent.name}" (${parent.spanId}), not of the CLIENT span that called it`,
        })),
      },
    ];
  });
  return drafts;
}
