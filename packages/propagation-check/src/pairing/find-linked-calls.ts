import { type CallGroup, selectCalls } from '../calls/call-group.ts';
import { isBelow, type TraceGraph } from '../graph/trace-graph.ts';
import type { Span } from '../span/span.ts';
import { mapBy } from '../util/group-by.ts';
import { compareRequests, pairSpans, type Tolerances } from './pair.ts';

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
  const across = groups.filter(
    ({ extremes, clientKind, serverKind }) =>
      extremes.isAcrossTraces &&
      serverKind === 'SERVER' &&
      clientKind !== 'CLIENT' &&
      clientKind !== 'PRODUCER',
  );
  if (across.length === 0) return new Set();
  const { traces } = graph.index;
  const linked = selectCalls(graph, across, (client, server) => traces[client] !== traces[server]);
  const callersOf = mapBy(linked, ({ server }) => server);
  const pairs = pairSpans(
    clients.filter(({ kind }) => kind === 'CLIENT'),
    [...callersOf.keys()],
    (client, server) =>
      compareRequests(client, server) === 'yes' &&
      (callersOf.get(server) ?? []).some((call) => isBelow(graph, client, call.client)),
    tolerances,
  );
  return new Set(pairs.map(({ client }) => client));
}
