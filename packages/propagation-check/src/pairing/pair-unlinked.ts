import type { TraceGraph } from '../graph/trace-graph.ts';
import { kindNumber, type Span } from '../span/span.ts';
import type { AnswerLookup } from './answers.ts';
import { compareRequests } from './compare-requests.ts';
import { type Pair, pairSpans } from './pair-spans.ts';
import type { Tolerances } from './times.ts';

/**
 * Pairs calls with root requests all of whose links were dropped by a limit of the SDK: a dropped link may have named the call.
 * @param clients Calls that nobody continued.
 * @param isExpected Whether the edge is expected, so that overlap in time is enough for a pair.
 */
export function pairUnlinked(
  graph: TraceGraph,
  clients: readonly Span[],
  answersOf: AnswerLookup,
  isExpected: (client: string | null, server: string | null) => boolean,
  tolerances: Tolerances,
): readonly Pair[] {
  if (!graph.someDroppedLinks) return [];
  const servers = graph.select((row) => isUnlinked(graph, row));
  const named = new Set(clients.flatMap((client) => answersOf(client).map(({ row }) => row)));
  const fits = (client: Span, server: Span): boolean => {
    if (graph.areOfOneTrace(client, server)) return false;
    const answers = answersOf(client);
    if (answers.length > 0) return answers.some(({ row }) => row === graph.rowOf(server));
    if (named.has(graph.rowOf(server))) return false;
    const likeness = compareRequests(client, server);
    return (
      likeness === 'yes' || (likeness === 'unknown' && isExpected(client.serviceName, server.serviceName))
    );
  };
  return pairSpans(clients, servers, fits, tolerances);
}

function isUnlinked(graph: TraceGraph, row: number): boolean {
  return (
    graph.hasDroppedLinks(row) &&
    !graph.hasLinks(row) &&
    graph.store.kinds[row] === kindNumber.server &&
    graph.isRoot(row)
  );
}
