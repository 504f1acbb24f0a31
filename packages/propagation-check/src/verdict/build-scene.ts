import { viewCalls } from '../calls/call-group.ts';
import { none, type TraceGraph } from '../graph/trace-graph.ts';
import type { BaseScene, Coverage, Services } from '../rules/scene.ts';
import { type Span, spanKinds } from '../span/span.ts';
import { keyFor, mapBy } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { earlier, later } from '../util/statistics.ts';

type Known = Pick<
  BaseScene,
  'graph' | 'groups' | 'facts' | 'expectation' | 'headersOf' | 'headers' | 'clockOffsets' | 'thresholds'
>;

/** Adds the look-ups that rules share. */
export function buildScene(known: Known): BaseScene {
  const { graph, groups } = known;
  const between = mapBy(groups, ({ client, server }) => keyFor(client, server));
  const from = mapBy(groups, ({ client }) => client);
  const spans = summarizeResources(known);
  const into = mapBy(groups, ({ server }) => server);
  const groupsBetween: BaseScene['groupsBetween'] = (client, server) =>
    between.get(keyFor(client, server)) ?? [];
  const groupsFrom: BaseScene['groupsFrom'] = (client) => from.get(client) ?? [];
  const groupsInto: BaseScene['groupsInto'] = (server) => into.get(server) ?? [];
  const selectSpans: BaseScene['selectSpans'] = (service, isMeant) => {
    const meant: number[] = [];
    for (const row of graph.rowsOfService(service)) if (isMeant(row)) meant.push(row);
    return graph.viewsOf(meant);
  };
  return {
    ...known,
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
    services: describeServices(graph, spans),
    ...measureCoverage(graph, spans, known.thresholds.sharedTime),
  };
}

/** The spans of each resource, indexed by its number; filled in one pass over all rows. */
interface ResourceSpans {
  /** One bit for each span kind. */
  readonly kinds: Uint8Array;
  readonly isCalling: Uint8Array;
  /** The rows with the earliest and the latest end; `none` where the resource has no span. */
  readonly firsts: Int32Array;
  readonly lasts: Int32Array;
}

function summarizeResources({ graph, facts }: Known): ResourceSpans {
  const { resources, kinds, resourceTable, size } = graph.store;
  const { ends } = graph;
  const count = resourceTable.length;
  const found = { kinds: new Uint8Array(count), isCalling: new Uint8Array(count) };
  const rows = { firsts: new Int32Array(count).fill(none), lasts: new Int32Array(count).fill(none) };
  const earliest = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const latest = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
  for (let row = 0; row < size; row += 1) {
    if (!graph.has(row)) continue;
    const resource = resources[row] ?? 0;
    const end = ends[row] ?? 0;
    found.kinds[resource] = (found.kinds[resource] ?? 0) | (1 << (kinds[row] ?? 0));
    if (found.isCalling[resource] === 0 && facts.isOutgoing(row)) found.isCalling[resource] = 1;
    if (end < (earliest[resource] ?? 0)) {
      earliest[resource] = end;
      rows.firsts[resource] = row;
    }
    if (end > (latest[resource] ?? 0)) {
      latest[resource] = end;
      rows.lasts[resource] = row;
    }
  }
  return { ...found, ...rows };
}

function describeServices({ store }: TraceGraph, spans: ResourceSpans): Services {
  const seen = new Map<string | null, { kinds: number; isCalling: boolean }>();
  for (const [resource, { serviceName }] of store.resourceTable.entries()) {
    const service = seen.get(serviceName) ?? { kinds: 0, isCalling: false };
    seen.set(serviceName, service);
    service.kinds |= spans.kinds[resource] ?? 0;
    if (spans.isCalling[resource] === 1) service.isCalling = true;
  }
  const hasKind = (service: string | null, kind: Span['kind']): boolean =>
    ((seen.get(service)?.kinds ?? 0) & (1 << spanKinds.indexOf(kind))) !== 0;
  return {
    // Sorted: the order of the table of resources is that of the file.
    names: remember(() => [...seen].flatMap(([service, { kinds }]) => (kinds === 0 ? [] : [service])).sort()),
    has: (service) => (seen.get(service)?.kinds ?? 0) !== 0,
    hasKind,
    hasEntries: (service) => hasKind(service, 'SERVER') || hasKind(service, 'CONSUMER'),
    isCalling: (service) => seen.get(service)?.isCalling ?? false,
  };
}

/** The rows with the earliest and the latest end. */
interface Ends {
  from: number;
  to: number;
}

/**
 * The time for which every instance of a service would have delivered its spans. An instance that exports late is cut off earlier than the
 * others; an instance that another one replaced is not cut off.
 */
function measureCoverage(
  graph: TraceGraph,
  { firsts, lasts }: ResourceSpans,
  sharedTime: number,
): Pick<BaseScene, 'coverage' | 'capture'> {
  const instances = new Map<string | null, Map<string, Ends>>();
  const { ends } = graph;
  for (const [resource, { serviceName, attributes }] of graph.store.resourceTable.entries()) {
    const found = { from: firsts[resource] ?? none, to: lasts[resource] ?? none };
    if (found.from === none) continue;
    const ofService = instances.get(serviceName) ?? new Map<string, Ends>();
    instances.set(serviceName, ofService);
    const name = keyFor(...[...attributes].map(([key, value]) => `${key}=${String(value)}`).sort());
    const known = ofService.get(name);
    if (known === undefined) ofService.set(name, found);
    else for (const row of [found.from, found.to]) widen(ends, known, row);
  }
  const coverage = remember((service: string | null) => {
    const measured = [...(instances.get(service)?.values() ?? [])].map((found) => ({
      from: graph.endTimeOf(found.from),
      to: graph.endTimeOf(found.to),
    }));
    return measured.length === 0 ? null : intersect(measured, sharedTime);
  });
  const all = [...instances.values()].flatMap((ofService) => [...ofService.values()]);
  const [first, ...others] = all;
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

/**
 * The time that all instances cover. If that is a small part, the instances replaced each other, and the time that any of them covers
 * counts.
 */
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
