import { type CallGroup, selectCalls } from '../calls/call-group.ts';
import { isBelow, type TraceGraph } from '../graph/trace-graph.ts';
import type { Span } from '../span/span.ts';
import { mapBy } from '../util/group-by.ts';
import { compareRequests } from './compare-requests.ts';
import { pairSpans } from './pair-spans.ts';
import type { Tolerances } from './times.ts';

/**
 * Finds the calls whose request is linked to a span around the CLIENT span, which the header named in its place: a service that begins
 * traces of its own links them to what it received.
 * @param clients That nobody continued.
 */
export function findLinkedCalls(
  graph: TraceGraph,
  groups: readonly CallGroup[],
  clients: readonly Span[],
  tolerances: Tolerances,
): ReadonlySet<Span> {
  const { traces } = graph.index;
  // Messages are linked, too, and so are requests to the CLIENT spans of callers that are not trusted: no views of these are made.
  const linked = selectCalls(
    graph,
    groups.filter(
      ({ extremes, clientKind, serverKind }) =>
        extremes.isAcrossTraces && serverKind === 'SERVER' && clientKind !== 'CLIENT',
    ),
    (client, server) => traces[client] !== traces[server],
  );
  const callersOf = mapBy(linked, ({ server }) => server);
  const pairs = pairSpans(
    clients,
    [...callersOf.keys()],
    (client, server) =>
      compareRequests(client, server) === 'yes' &&
      (callersOf.get(server) ?? []).some((call) => isBelow(graph, client, call.client)),
    tolerances,
  );
  return new Set(pairs.map(({ client }) => client));
}
