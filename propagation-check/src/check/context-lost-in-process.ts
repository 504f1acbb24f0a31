import { areAwaited } from '../awaited.ts';
import { type Call, findEntry, findTopInService, isEntry } from '../edge.ts';
import { isExpected } from '../expectation.ts';
import { groupBy, keyFor } from '../group-by.ts';
import { endsWithin, type Pair, pairSpans } from '../pair.ts';
import type { Span } from '../span.ts';
import { isRoot } from '../trace-graph.ts';
import type { Check, Scene } from './check.ts';

/**
 * The edge is whole, but the caller's CLIENT span starts a trace of its own instead of belonging to the request
 * during which it was made. Pollers and jobs start traces too and are healthy, so a coincidence in time is no
 * evidence: (nearly) all requests of a route that lack the call must have waited for one that is detached.
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

/** The detached calls for which requests of one route waited; none where chance explains them as well. */
function pairWithRoute(
  ofRoute: readonly Span[],
  entriesWithCall: ReadonlySet<Span | null>,
  detached: readonly Call[],
): readonly Pair[] {
  const bereft = ofRoute.filter((entry) => !entriesWithCall.has(entry));
  const clients = detached.map((call) => call.client);
  const pairs = pairContained(bereft, clients);
  const awaited = areAwaited(pairs.map(({ client: request, server: call }) => ({ request, call })));
  // A cache leaves requests without calls, too: then most of them contain none.
  if (!awaited || pairs.length < bereft.length * 0.9) return [];
  const isAlone = clients.length <= pairs.length * 1.1;
  return isAlone || isMoreThanChance(bereft, clients, pairs.length) ? pairs : [];
}

function pairContained(requests: readonly Span[], calls: readonly Span[]): readonly Pair[] {
  return pairSpans(
    requests,
    calls,
    (request, call) => request.traceId !== call.traceId && endsWithin(call, request),
  );
}

/** Fewer pairs than these may be a coincidence whatever the comparison says. */
const fewestPairs = 5;

/** Whether clearly fewer requests would contain a call, had the calls been made at other times of the capture. */
function isMoreThanChance(requests: readonly Span[], calls: readonly Span[], found: number): boolean {
  if (found < fewestPairs) return false;
  const byChance = [3n, 5n, 7n, 11n, 13n]
    .map((sixteenths) => pairContained(requests, rotateInTime(calls, sixteenths)).length)
    .sort((left, right) => left - right);
  return (byChance[2] ?? 0) <= found * 0.7;
}

/** Moves calls by a part of their common range; what passes its end comes in again at its beginning. */
function rotateInTime(calls: readonly Span[], sixteenths: bigint): readonly Span[] {
  const starts = calls.map((call) => call.startTimeUnixNano);
  const from = starts.reduce((least, start) => (start < least ? start : least));
  const to = calls.reduce((most, { endTimeUnixNano: end }) => (end > most ? end : most), from);
  const range = to - from;
  if (range <= 0n) return calls;
  return calls.map((call) => {
    const offset = call.startTimeUnixNano - from;
    const by = ((offset + (range * sixteenths) / 16n) % range) - offset;
    return {
      ...call,
      startTimeUnixNano: call.startTimeUnixNano + by,
      endTimeUnixNano: call.endTimeUnixNano + by,
    };
  });
}

/** Whether what led to the call within its service began a trace, and is no entry. */
function startsOwnTrace(scene: Scene, { client }: Call): boolean {
  const top = findTopInService(scene.graph, client);
  return isRoot(top) && !isEntry(top) && top.links.length === 0;
}
