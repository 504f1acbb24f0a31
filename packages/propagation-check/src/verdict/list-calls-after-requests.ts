import { isHealthProbe } from '../calls/call-facts.ts';
import { groupCalls } from '../calls/call-group.ts';
import { isDetached } from '../calls/edge.ts';
import type { Draft, Scene } from '../rules/check.ts';
import { mayBeOfOneProcess } from '../span/instance.ts';
import { kindNumber } from '../span/span.ts';
import { keyFor, mapBy } from '../util/group-by.ts';
import { countCalls, type UnjudgedCalls } from './list-unjudged.ts';
import { nameRows } from './name-rows.ts';

/**
 * Edges of which all calls are whole and began traces of their own, one after each request of a route that shows no call. Work that goes on after the
 * answer, and has lost its context, makes this picture; so does work that begins traces on purpose. A timer hardly ever makes as many calls as there are requests.
 */
export function listCallsAfterRequests(scene: Scene, drafts: readonly Draft[]): readonly UnjudgedCalls[] {
  const { graph, groups, services } = scene;
  const edges = groupCalls(groups, ({ client, server }) => keyFor(client, server));
  return edges.flatMap((ofEdge) => {
    const [{ client, server }] = ofEdge;
    // Most edges end here, before anything is made of all their calls.
    const isMeant =
      ofEdge.every(({ extremes }) => extremes.hasDetached) && services.hasKind(client, 'SERVER');
    if (!isMeant || client === server || client === null || server === null) return [];
    if (drafts.some((draft) => draft.client === client)) return [];
    const calls = [...new Set(ofEdge.flatMap(({ clients }) => [...clients]))];
    if (calls.length < scene.thresholds.fewestDisplaced || !calls.every((row) => isDetached(graph, row)))
      return [];
    if (!areAfterRequests(scene, client, calls)) return [];
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

/** Whether as many requests of one route as calls show no call, each before one. */
function areAfterRequests(scene: Scene, client: string, calls: readonly number[]): boolean {
  const { graph, facts } = scene;
  const rows = [...graph.rowsOfService(client)];
  const calling = new Set(rows.filter((row) => facts.isOutgoing(row)).map((row) => graph.topInService(row)));
  const requests = rows.filter((row) => graph.store.kinds[row] === kindNumber.server && !calling.has(row));
  const began = sortStarts(scene, calls);
  const [call] = graph.viewsOf(calls.slice(0, 1));
  const isOfCaller = (row: number): boolean => call !== undefined && mayBeOfOneProcess(graph.view(row), call);
  return [...mapBy(requests, nameRows(scene)).values()].some(
    (ofRoute) =>
      ofRoute.length === calls.length &&
      !isHealthProbe(graph.view(ofRoute[0])) &&
      ofRoute.some(isOfCaller) &&
      sortStarts(scene, ofRoute).every((start, at) => start <= (began[at] ?? start)),
  );
}

function sortStarts({ graph }: Scene, rows: readonly number[]): Float64Array {
  return Float64Array.from(rows, (row) => graph.starts[row] ?? 0).sort();
}
