import type { Coverage, Scene } from './check/check.ts';
import { keyFor } from './group-by.ts';
import type { Span } from './span.ts';

type Facts = Pick<Scene, 'graph' | 'calls' | 'expectation' | 'headersOf' | 'clockOffsets'>;

/** Adds the look-ups that checks share. */
export function buildScene(facts: Facts): Scene {
  const { graph, calls } = facts;
  const ofEdge = indexBy(calls, ({ client, server }) => keyFor(client.serviceName, server.serviceName));
  return {
    ...facts,
    callsBetween: (client, server) => ofEdge(keyFor(client, server)),
    callsInto: indexBy(calls, (call) => call.server.serviceName),
    spansOf: indexBy(graph.spans, (span) => span.serviceName),
    coverage: measureCoverage(graph.spans),
  };
}

function indexBy<Key, Item>(
  items: readonly Item[],
  keyOf: (item: Item) => Key,
): (key: Key) => readonly Item[] {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return (key) => groups.get(key) ?? [];
}

function measureCoverage(spans: readonly Span[]): Scene['coverage'] {
  const coverages = new Map<string | null, Coverage>();
  for (const { serviceName, endTimeUnixNano: end } of spans) {
    const known = coverages.get(serviceName) ?? { from: end, to: end };
    coverages.set(serviceName, {
      from: end < known.from ? end : known.from,
      to: end > known.to ? end : known.to,
    });
  }
  return (service) => coverages.get(service) ?? null;
}
