import { type CallGroup, groupCalls } from '../calls/call-group.ts';
import { isDetached } from '../calls/edge.ts';
import { isHealthProbe } from '../calls/probes.ts';
import { isExpected } from '../expect/expectation.ts';
import type { Draft } from '../rules/draft.ts';
import type { Scene } from '../rules/scene.ts';
import { mayBeOfOneProcess } from '../span/instance.ts';
import { kindNumber, type Span } from '../span/span.ts';
import { type Group, groupBy } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { countCalls, type UnjudgedCalls } from './list-unjudged.ts';
import { nameRows } from './name-rows.ts';

/**
 * Whole calls that began traces of their own, one after the start of each request of a route that has no call, or has other calls to the
 * same service. Work that continues after the answer and lost its context looks like this; so does work that begins a trace on purpose. A
 * timer rarely makes exactly as many calls as there are requests, each before the next request but one. Where one worker makes the calls in turn,
 * more requests wait; then each call lies within its request, and there are many. If an edge is expected and no request shows it, all its calls
 * are named, because the expectation may mean calls of requests.
 */
export function listCallsAfterRequests(scene: Scene, drafts: readonly Draft[]): readonly UnjudgedCalls[] {
  const { graph, groups, services } = scene;
  const edges = groupCalls(groups);
  const accused = new Set(drafts.map((draft) => draft.client));
  const routesOf = indexRoutes(scene);
  return edges.flatMap((ofEdge) => {
    const [{ client, server }] = ofEdge;
    // Most edges stop here, before their calls are examined.
    const isMeant = ofEdge.some(({ extremes }) => extremes.hasDetached) && services.hasKind(client, 'SERVER');
    if (!isMeant || client === server || client === null || server === null) return [];
    if (accused.has(client)) return [];
    const calls = findAfterRequests(scene, routesOf(client), ofEdge);
    if (calls.length === 0) return [];
    const spans = graph.viewsOf(calls);
    const edge = {
      client,
      peer: server,
      calls: countCalls(scene, spans),
      server,
      why: 'after-request' as const,
    };
    return [
      {
        edge,
        spans,
        says: `it began a trace, and requests of ${client} that may have made it lack it`,
      },
    ];
  });
}

/** Calls of an edge that began traces, all of them or those to one endpoint. */
function findAfterRequests(
  scene: Scene,
  routes: readonly Route[],
  ofEdge: Group<CallGroup>,
): readonly number[] {
  const { graph, expectation, thresholds } = scene;
  const nameEndpoint = nameRows(scene);
  const endpoints = new Map<number, string>();
  const callers = new Set<number>();
  for (const { clients, servers } of ofEdge) {
    for (const [at, client] of clients.entries()) {
      if (isDetached(graph, client)) endpoints.set(client, nameEndpoint(servers[at] ?? client));
      else callers.add(graph.topInService(client));
    }
  }
  const [{ client, server }] = ofEdge;
  // If some requests make the call, they meet the expectation.
  const isMust = callers.size === 0 && isExpected(expectation, client, server);
  const detached = [...endpoints.keys()];
  if (isMust && detached.length >= thresholds.fewestDetached && routes.length > 0) return detached;
  const ofEndpoints = groupBy(detached, (client) => endpoints.get(client) ?? '');
  const isAfter = (calls: readonly number[]): boolean =>
    calls.length >= thresholds.fewestDisplaced &&
    areAfterRequests(
      scene,
      routes.filter(
        ({ rows, isSilent }) =>
          rows.length === calls.length && (isSilent || rows.every((row) => callers.has(row))),
      ),
      calls,
    );
  return [detached, ...ofEndpoints].find(isAfter) ?? [];
}

/** The requests of one route of a service. */
interface Route {
  readonly rows: Group<number>;
  readonly starts: Float64Array;
  /** No request of the route has a call. */
  readonly isSilent: boolean;
}

function indexRoutes(scene: Scene): (service: string) => readonly Route[] {
  const { graph, facts } = scene;
  return remember((service: string) => {
    const rows = [...graph.rowsOfService(service)];
    const calling = new Set(
      rows.filter((row) => facts.isOutgoing(row)).map((row) => graph.topInService(row)),
    );
    const requests = rows.filter((row) => graph.store.kinds[row] === kindNumber.server);
    return groupBy(requests, nameRows(scene))
      .filter(([first]) => !isHealthProbe(graph.view(first)))
      .map((ofRoute) => ({
        rows: ofRoute,
        starts: sortStarts(scene, ofRoute),
        isSilent: ofRoute.every((row) => !calling.has(row)),
      }));
  });
}

/** Whether a route has as many requests as there are calls, each before one call. */
function areAfterRequests(scene: Scene, routes: readonly Route[], calls: readonly number[]): boolean {
  const began = sortStarts(scene, calls);
  return routes.some(({ rows, starts }) => {
    if (!areInTurn(starts, began) && !areWithinInTurn(scene, rows, calls)) return false;
    const requests = takeOneOfEachResource(scene, rows);
    return takeOneOfEachResource(scene, calls).every((call) =>
      requests.some((request) => mayBeOfOneProcess(request, call)),
    );
  });
}

function takeOneOfEachResource({ graph }: Scene, rows: readonly number[]): readonly Span[] {
  return graph.viewsOf(new Map(rows.map((row) => [graph.store.resources[row], row])).values());
}

/** Whether each call begins after its request and before the next request but one; a timer's calls come later. */
function areInTurn(requests: Float64Array, calls: Float64Array): boolean {
  return calls.every(
    (call, at) => call >= (requests[at] ?? call) && call < (requests[at + 2] ?? Number.POSITIVE_INFINITY),
  );
}

/** Whether each of many calls lies within the request that came in its turn. */
function areWithinInTurn(
  { graph, thresholds }: Scene,
  rows: readonly number[],
  calls: readonly number[],
): boolean {
  if (calls.length < thresholds.manyDisplaced) return false;
  const { starts, ends } = graph;
  const inOrder = (some: readonly number[]): readonly number[] =>
    some.toSorted((one, other) => (starts[one] ?? 0) - (starts[other] ?? 0));
  const requests = inOrder(rows);
  return inOrder(calls).every((call, at) => {
    const request = requests[at] ?? call;
    return (starts[call] ?? 0) >= (starts[request] ?? 0) && (ends[call] ?? 0) <= (ends[request] ?? 0);
  });
}

function sortStarts({ graph }: Scene, rows: readonly number[]): Float64Array {
  return Float64Array.from(rows, (row) => graph.starts[row] ?? 0).sort();
}
