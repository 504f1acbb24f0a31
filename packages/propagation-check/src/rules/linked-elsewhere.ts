import { readDestination } from '../calls/messaging-facts.ts';
import type { TraceGraph } from '../graph/trace-graph.ts';
import { kindNumber, type Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, mapBy } from '../util/group-by.ts';
import type { Doubt } from './draft.ts';
import type { Scene } from './scene.ts';

/** The messages that a service received from the destinations of `sent`, and whose links all lead to spans that are not here; by start. */
export function listLinkedElsewhere(scene: Scene, sent: readonly Span[], server: string): readonly Span[] {
  const destinations = new Set(sent.flatMap((span) => readDestination(span) ?? []));
  if (destinations.size === 0) return [];
  return selectLinkedElsewhere(scene, server).filter((span) => destinations.has(readDestination(span) ?? ''));
}

/** The messages that a service received, and whose links all lead to spans that are not here. */
export function selectLinkedElsewhere({ graph, selectSpans }: Scene, server: string): readonly Span[] {
  return selectSpans(server, (row) => isLinkedElsewhere(graph, row));
}

/** The same for all services, by destination. */
export function indexLinkedElsewhere({ graph }: Scene): ReadonlyMap<string | null, Group<Span>> {
  const rows = [...new Set(graph.store.links.rows)].filter(
    (row) => graph.has(row) && isLinkedElsewhere(graph, row),
  );
  return mapBy(graph.viewsOf(rows), readDestination);
}

function isLinkedElsewhere(graph: TraceGraph, row: number): boolean {
  return (
    graph.store.kinds[row] === kindNumber.consumer &&
    graph.hasLinks(row) &&
    graph.linkTargetsOf(row).length === 0
  );
}

/** Why messages may have been received although no span here has them as parent or link; null if no message links elsewhere. */
export function doubtLinkedElsewhere([first, ...others]: readonly Span[]): Doubt | null {
  if (first === undefined) return null;
  const {
    serviceName: server,
    links: [link],
  } = first;
  const messages = countOf(others.length + 1, 'message');
  return {
    says: `${messages} of ${server} from ${readDestination(first)} link to spans that are not here: their traces were not captured, not sampled or no longer kept, or are of another sender.`,
    decide: [
      `Look for the spans that the links of ${server} name, as span ${link?.spanId} of trace ${link?.traceId}: check a capture that has these traces as well, with a parent-based sampler in every service`,
    ],
  };
}
