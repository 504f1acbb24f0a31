import { isHealthProbe } from '../calls/call-facts.ts';
import { groupCalls } from '../calls/call-group.ts';
import { isDetached } from '../calls/edge.ts';
import type { Draft, Scene } from '../rules/check.ts';
import { mayBeOfOneProcess } from '../span/instance.ts';
import { kindNumber, type Span } from '../span/span.ts';
import { type Group, groupBy, keyFor, mapBy } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { countCalls, type UnjudgedCalls } from './list-unjudged.ts';
import { nameRows } from './name-rows.ts';

/**
 * Edges of which all calls are whole and began traces of their own, one after each request of a route that shows no call. Work that goes on after the
 * answer, and has lost its context, makes this picture; so does work that begins traces on purpose. A timer hardly ever makes as many calls as there are requests, each before the next request but one.
 */
export function listCallsAfterRequests(scene: Scene, drafts: readonly Draft[]): readonly UnjudgedCalls[] {
  const { graph, groups, services } = scene;
  const edges = groupCalls(groups, ({ client, server }) => keyFor(client, server));
  const accused = new Set(drafts.map((draft) => draft.client));
  const silentOf = indexSilentRoutes(scene);
  return edges.flatMap((ofEdge) => {
    const [{ client, server }] = ofEdge;
    // Most edges end here, before anything is made of all their calls.
    const isMeant =
      ofEdge.every(({ extremes }) => extremes.hasDetached) && services.hasKind(client, 'SERVER');
    if (!isMeant || client === server || client === null || server === null) return [];
    if (accused.has(client)) return [];
    const calls = [...new Set(ofEdge.flatMap(({ clients }) => [...clients]))];
    if (calls.length < scene.thresholds.fewestDisplaced || !calls.every((row) => isDetached(graph, row)))
      return [];
    if (!areAfterRequests(scene, silentOf(client).get(calls.length) ?? [], calls)) return [];
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
        says: `it began a trace after a request of ${client} that shows no call, as each of its calls did`,
      },
    ];
  });
}

/** The requests of one route of a service, which show no call. */
interface SilentRoute {
  readonly rows: Group<number>;
  readonly starts: Float64Array;
}

/** Those of a service, by how many requests they have. */
type SilentRoutes = (service: string) => ReadonlyMap<number, readonly SilentRoute[]>;

function indexSilentRoutes(scene: Scene): SilentRoutes {
  const { graph, facts } = scene;
  return remember((service: string) => {
    const rows = [...graph.rowsOfService(service)];
    const calling = new Set(
      rows.filter((row) => facts.isOutgoing(row)).map((row) => graph.topInService(row)),
    );
    const requests = rows.filter((row) => graph.store.kinds[row] === kindNumber.server && !calling.has(row));
    const routes = groupBy(requests, nameRows(scene))
      .filter(([first]) => !isHealthProbe(graph.view(first)))
      .map((ofRoute) => ({ rows: ofRoute, starts: sortStarts(scene, ofRoute) }));
    return mapBy(routes, ({ starts }) => starts.length);
  });
}

/** Whether as many requests of one route as calls show no call, each before one. */
function areAfterRequests(scene: Scene, silent: readonly SilentRoute[], calls: readonly number[]): boolean {
  const began = sortStarts(scene, calls);
  return silent.some(({ rows, starts }) => {
    if (!areInTurn(starts, began)) return false;
    const requests = takeOneOfEachResource(scene, rows);
    return takeOneOfEachResource(scene, calls).every((call) =>
      requests.some((request) => mayBeOfOneProcess(request, call)),
    );
  });
}

function takeOneOfEachResource({ graph }: Scene, rows: readonly number[]): readonly Span[] {
  return graph.viewsOf(new Map(rows.map((row) => [graph.store.resources[row], row])).values());
}

/** Whether each call begins after its request, and before the next but one: later ones are those of a timer. */
function areInTurn(requests: Float64Array, calls: Float64Array): boolean {
  return calls.every(
    (call, at) => call >= (requests[at] ?? call) && call < (requests[at + 2] ?? Number.POSITIVE_INFINITY),
  );
}

function sortStarts({ graph }: Scene, rows: readonly number[]): Float64Array {
  return Float64Array.from(rows, (row) => graph.starts[row] ?? 0).sort();
}
