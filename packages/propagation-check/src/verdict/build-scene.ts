import { viewCalls } from '../calls/call-group.ts';
import type { TraceGraph } from '../graph/trace-graph.ts';
import type { Coverage, SceneFacts, Services } from '../rules/check.ts';
import { type Span, spanKinds } from '../span/span.ts';
import { keyFor, mapBy } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { earlier, later } from '../util/statistics.ts';

type Facts = Pick<
  SceneFacts,
  'graph' | 'groups' | 'facts' | 'expectation' | 'headersOf' | 'headers' | 'clockOffsets' | 'thresholds'
>;

/** Adds the look-ups that checks share. */
export function buildScene(facts: Facts): SceneFacts {
  const { graph, groups } = facts;
  const between = mapBy(groups, ({ client, server }) => keyFor(client, server));
  const from = mapBy(groups, ({ client }) => client);
  const into = mapBy(groups, ({ server }) => server);
  const groupsBetween: SceneFacts['groupsBetween'] = (client, server) =>
    between.get(keyFor(client, server)) ?? [];
  const groupsFrom: SceneFacts['groupsFrom'] = (client) => from.get(client) ?? [];
  const groupsInto: SceneFacts['groupsInto'] = (server) => into.get(server) ?? [];
  const selectSpans: SceneFacts['selectSpans'] = (service, isMeant) => {
    const meant: number[] = [];
    for (const row of graph.rowsOfService(service)) if (isMeant(row)) meant.push(row);
    return graph.viewsOf(meant);
  };
  return {
    ...facts,
    groupsBetween,
    groupsFrom,
    groupsInto,
    calls: remember(() => viewCalls(graph, groups)),
    callsBetween: remember((client: string | null, server: string | null) =>
      viewCalls(graph, groupsBetween(client, server)),
    ),
    callsInto: remember((server: string | null) => viewCalls(graph, groupsInto(server))),
    spansOf: remember((service: string | null) => graph.viewsOf(graph.rowsOfService(service))),
    entriesOf: remember((service: string | null) => selectSpans(service, (row) => graph.isEntry(row))),
    selectSpans,
    services: describeServices(facts),
    ...measureCoverage(graph, facts.thresholds.sharedTime),
  };
}

function describeServices({ graph, facts }: Facts): Services {
  const { resources, kinds, resourceTable, size } = graph.store;
  const seen = new Map<string | null, { kinds: number; isCalling: boolean }>();
  const ofResource = resourceTable.map(({ serviceName }) => {
    const known = seen.get(serviceName) ?? { kinds: 0, isCalling: false };
    seen.set(serviceName, known);
    return known;
  });
  for (let row = 0; row < size; row += 1) {
    const service = ofResource[resources[row] ?? 0];
    if (service === undefined || !graph.has(row)) continue;
    service.kinds |= 1 << (kinds[row] ?? 0);
    if (!service.isCalling && facts.isOutgoing(row)) service.isCalling = true;
  }
  const hasKind = (service: string | null, kind: Span['kind']): boolean =>
    ((seen.get(service)?.kinds ?? 0) & (1 << spanKinds.indexOf(kind))) !== 0;
  return {
    names: () => [...seen].flatMap(([service, { kinds }]) => (kinds === 0 ? [] : [service])),
    has: (service) => (seen.get(service)?.kinds ?? 0) !== 0,
    hasKind,
    hasEntries: (service) => hasKind(service, 'SERVER') || hasKind(service, 'CONSUMER'),
    isCalling: (service) => seen.get(service)?.isCalling ?? false,
  };
}

/** The rows with the first and the last end. */
interface Ends {
  from: number;
  to: number;
}

/**
 * When a service would have delivered each span of each of its instances. An instance that exports late is cut off
 * earlier than the others; one that was replaced by another is not cut off at all.
 */
function measureCoverage(graph: TraceGraph, sharedTime: number): Pick<SceneFacts, 'coverage' | 'capture'> {
  const { resources, resourceTable, size } = graph.store;
  const instances = new Map<string | null, Map<string, Ends | null>>();
  const ofResource: (Ends | null)[] = resourceTable.map(() => null);
  const { ends } = graph;
  for (let row = 0; row < size; row += 1) {
    if (!graph.has(row)) continue;
    const resource = resources[row] ?? 0;
    const known = ofResource[resource] ?? null;
    if (known === null) ofResource[resource] = { from: row, to: row };
    else widen(ends, known, row);
  }
  for (const [resource, { serviceName, attributes }] of resourceTable.entries()) {
    const found = ofResource[resource] ?? null;
    if (found === null) continue;
    const ofService = instances.get(serviceName) ?? new Map<string, Ends | null>();
    instances.set(serviceName, ofService);
    const name = keyFor(...[...attributes].map(([key, value]) => `${key}=${String(value)}`).sort());
    const known = ofService.get(name) ?? null;
    if (known === null) ofService.set(name, found);
    else for (const row of [found.from, found.to]) widen(ends, known, row);
  }
  const coverage = remember((service: string | null) => {
    const measured = [...(instances.get(service)?.values() ?? [])].flatMap((found) =>
      found === null ? [] : [{ from: graph.endTimeOf(found.from), to: graph.endTimeOf(found.to) }],
    );
    return measured.length === 0 ? null : intersect(measured, sharedTime);
  });
  const all = [...instances.values()].flatMap((ofService) => [...ofService.values()]);
  const [first, ...others] = all.flatMap((found) => found ?? []);
  if (first === undefined) return { coverage, capture: { from: 0n, to: 0n } };
  const whole = { ...first };
  for (const { from, to } of others) for (const row of [from, to]) widen(ends, whole, row);
  return { coverage, capture: { from: graph.endTimeOf(whole.from), to: graph.endTimeOf(whole.to) } };
}

function widen(ends: TraceGraph['ends'], known: Ends, row: number): void {
  const end = ends[row] ?? 0;
  if (end < (ends[known.from] ?? 0)) known.from = row;
  if (end > (ends[known.to] ?? 0)) known.to = row;
}

/** The time that all instances cover; where that is little, they followed one another, and the time of any of them counts. */
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
