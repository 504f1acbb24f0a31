import type { Coverage, SceneFacts } from '../rules/check.ts';
import type { Span } from '../span/span.ts';
import { groupBy, keyFor } from '../util/group-by.ts';

type Facts = Pick<
  SceneFacts,
  'graph' | 'calls' | 'expectation' | 'headersOf' | 'clockOffsets' | 'thresholds'
>;

/** Adds the look-ups that checks share. */
export function buildScene(facts: Facts): SceneFacts {
  const { graph, calls } = facts;
  const ofEdge = indexBy(calls, ({ client, server }) => keyFor(client.serviceName, server.serviceName));
  return {
    ...facts,
    callsBetween: (client, server) => ofEdge(keyFor(client, server)),
    callsInto: indexBy(calls, (call) => call.server.serviceName),
    spansOf: indexBy(graph.spans, (span) => span.serviceName),
    coverage: measureCoverage(graph.spans, facts.thresholds.sharedTime),
    capture: measureEnds(graph.spans),
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

/**
 * When a service would have delivered each span of each of its instances. An instance that exports late is cut off
 * earlier than the others; one that was replaced by another is not cut off at all.
 */
function measureCoverage(spans: readonly Span[], sharedTime: number): SceneFacts['coverage'] {
  const coverages = new Map(
    groupBy(spans, (span) => keyFor(span.serviceName)).map((ofService) => [
      ofService[0]?.serviceName ?? null,
      intersect(groupBy(ofService, nameInstance).map(measureEnds), sharedTime),
    ]),
  );
  return (service) => coverages.get(service) ?? null;
}

function nameInstance(span: Span): string {
  return keyFor(...[...span.resource].map(([key, value]) => `${key}=${String(value)}`).sort());
}

function measureEnds(spans: readonly Span[]): Coverage {
  const ends = spans.map((span) => span.endTimeUnixNano);
  return { from: ends.reduce(earlier, ends[0] ?? 0n), to: ends.reduce(later, ends[0] ?? 0n) };
}

/** What all instances cover; where that is little, they followed one another, and what any of them covers. */
function intersect(coverages: readonly Coverage[], sharedTime: number): Coverage {
  const any = {
    from: coverages.map(({ from }) => from).reduce(earlier),
    to: coverages.map(({ to }) => to).reduce(later),
  };
  const all = {
    from: coverages.map(({ from }) => from).reduce(later),
    to: coverages.map(({ to }) => to).reduce(earlier),
  };
  return Number(all.to - all.from) > Number(any.to - any.from) * sharedTime ? all : any;
}

function earlier(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

function later(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
