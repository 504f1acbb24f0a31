import { keyOf, type TraceGraph } from '../graph/trace-graph.ts';
import type { WireRecord } from '../headers/evidence.ts';
import { lookUpAnswers } from '../pairing/answers.ts';
import { pairByIds, selectNamed } from '../pairing/pair-by-ids.ts';
import { thresholds } from '../rules/thresholds.ts';
import type { Span } from '../span/span.ts';

/** Spans of broken calls whose ids prove the break, so that no later span can be the other side. */
export interface ProvenSides {
  readonly clients: ReadonlySet<Span>;
  readonly servers: ReadonlySet<Span>;
}

/**
 * Finds the two sides of broken calls whose ids name each other. A tap that saw the header of a CLIENT span removed proves only that
 * side.
 * @param clients CLIENT spans that no span continued.
 * @param servers Entry spans without a parent in the data.
 */
export function findProvenSides(
  graph: TraceGraph,
  clients: readonly Span[],
  servers: readonly Span[],
  wire: readonly WireRecord[],
): ProvenSides {
  const answersOf = lookUpAnswers(graph, clients, { wire }, thresholds);
  const pairs = pairByIds(graph, clients, servers, answersOf, thresholds);
  const clientOf = new Map(clients.map((span) => [keyOf(span), span]));
  const stripped = wire.flatMap(({ sent, received }) => {
    if (received === null) return [];
    const passedOn = new Set(selectNamed(received, clientOf));
    return selectNamed(sent, clientOf).filter((client) => !passedOn.has(client));
  });
  return {
    clients: new Set([...pairs.map(({ client }) => client), ...stripped]),
    servers: new Set(pairs.map(({ server }) => server)),
  };
}
