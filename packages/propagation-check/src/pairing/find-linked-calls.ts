import { type CallGroup, selectCalls } from '../calls/call-group.ts';
import { isBelow, type TraceGraph } from '../graph/trace-graph.ts';
import type { Span } from '../span/span.ts';
import { mapBy } from '../util/group-by.ts';
import { compareRequests } from './compare-requests.ts';
import { pairSpans } from './pair-spans.ts';
import type { Tolerances } from './times.ts';

/**
 * Finds calls whose SERVER span links to a span around the CLIENT span, because the header named that span instead. A service that begins
 * traces of its own links them to the received context.
 * @param clients Calls that nobody continued.
 */
export function findLinkedCalls(
  graph: TraceGraph,
  groups: readonly CallGroup[],
  clients: readonly Span[],
  tolerances: Tolerances,
): ReadonlySet<Span> {
  const { traces } = graph.index;
  // Links of messages, and links to CLIENT spans of untrusted callers, are left out before views are made.
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
