import { readCallFacts, readOutcome } from '../calls/call-facts.ts';
import { type Call, type CallGroup, groupCalls, selectCalls } from '../calls/call-group.ts';
import { findEntry } from '../calls/edge.ts';
import { nameEndpoints } from '../calls/endpoint.ts';
import { shareComparisons } from '../pairing/bounds.ts';
import { pairDisplaced } from '../pairing/displaced.ts';
import {
  compareRequests,
  endsWithin,
  indexByTime,
  pairSpans,
  startsAfter,
  takeFitting,
} from '../pairing/pair.ts';
import { type Span, spanKinds } from '../span/span.ts';
import { groupBy, keyFor, mapBy } from '../util/group-by.ts';
import { type Check, type Draft, edgeProtocol, type Open, type Scene } from './check.ts';
import { defineFinding } from './define-finding.ts';

export const finding = defineFinding('stale-context', {
  kind: 'cause',
  isConclusive: true,
  shows: 'spans begin under a parent that had ended; many requests share one trace',
  title: 'Calls hang under an older request',
  why: 'A context or header of an earlier request is reused for later calls.',
  fix: 'Do not keep a context, header set or client with headers beyond one request; inject anew for every call.',
});

/**
 * A context outlived its request: later calls hang under a span that had ended.
 * Fire-and-forget calls do so too and are healthy; what tells them apart is that here
 * *other* requests lack the very calls that hang in the wrong place.
 */
export const findStaleContext: Check = (scene, open) => [
  ...findStaleClients(scene),
  ...findStaleHeaders(scene, open),
];

/** The context inside the caller was stale: CLIENT spans of many requests under the entry span of one. */
function findStaleClients(scene: Scene): readonly Draft[] {
  const { graph, facts } = scene;
  const edges = groupCalls(scene.groups, ({ client, server }) => keyFor(client, server));
  return edges.flatMap((groups): readonly Draft[] => {
    const owning = listOwners(scene, groups);
    const [first] = groups;
    if (owning.size === 0 || first === undefined) return [];
    const names = new Set([...owning].map((row) => facts.nameOf(row)));
    const isAlike = (row: number): boolean => graph.isEntry(row) && names.has(facts.nameOf(row));
    const isBereft = findBereft(scene, groups);
    const isMissed = (row: number): boolean => isAlike(row) && isBereft(row);
    // Before a view is made of any.
    if (!Array.from(graph.rowsOfService(first.client)).some(isMissed)) return [];
    const entries = scene.selectSpans(first.client, isAlike);
    const calls = selectCalls(graph, groups, (client) => owning.has(graph.topInService(client)));
    const owners = [...mapBy(calls, ({ client }) => findEntry(graph, client))].flatMap(([entry, below]) =>
      entry === null ? [] : [[entry, below.map(({ client }) => client)] as const],
    );
    const below = owners.flatMap(([, clients]) => clients);
    const own = owners.flatMap(([entry, clients]) =>
      clients.filter((client) => endsWithin(client, entry, scene.thresholds)),
    );
    const endpointOf = nameEndpoints(entries);
    const endpoints = new Set(owners.map(([entry]) => endpointOf(entry)));
    const bereft = entries.filter((span) => endpoints.has(endpointOf(span)) && isBereft(graph.rowOf(span)));
    const pairs = groupBy(bereft, endpointOf).flatMap((ofEndpoint) =>
      pairDisplaced(ofEndpoint, below, own.length, scene.thresholds),
    );
    // A stale owner gathers the calls of several requests; fire-and-forget spreads them over their own.
    const gathering = new Set(pairs.map((pair) => findEntry(scene.graph, pair.server)));
    const fewest = gathering.size * scene.thresholds.callsPerStaleOwner;
    if (pairs.length < fewest || !pairs.some((pair) => isLate(scene, pair.server))) return [];
    const serverOf = new Map(calls.map((call) => [call.client, call.server]));
    return [
      finding.report({
        isLikely: true,
        client: first.client,
        server: first.server,
        protocol: first.protocol,
        shown: pairs.map(({ client: entry, server: client }) => ({
          client,
          server: serverOf.get(client) ?? null,
          says: `began during "${entry.name}" of trace ${entry.traceId}, but hangs under an older request`,
        })),
      }),
    ];
  });
}

/** The entry spans that had ended when a call below them began. */
function listOwners(scene: Scene, groups: readonly CallGroup[]): ReadonlySet<number> {
  const owners = new Set<number>();
  for (const { clients } of groups) {
    for (const client of clients) if (isLateRow(scene, client)) owners.add(scene.graph.topInService(client));
  }
  return owners;
}

/** Tells of rows whether they are SERVER spans that none of the calls is below. */
function findBereft({ graph }: Scene, groups: readonly CallGroup[]): (row: number) => boolean {
  const hasCall = new Uint8Array(graph.store.size);
  for (const { clients } of groups) for (const client of clients) hasCall[graph.topInService(client)] = 1;
  return (row) => hasCall[row] === 0 && graph.store.kinds[row] === server;
}

const server = spanKinds.indexOf('SERVER');

function isLate(scene: Scene, client: Span): boolean {
  const entry = findEntry(scene.graph, client);
  return entry !== null && startsAfter(client, entry, scene.thresholds);
}

/** As `isLate`, of a row. */
function isLateRow(scene: Scene, client: number): boolean {
  const top = scene.graph.topInService(client);
  return scene.graph.isEntry(top) && isAfterRow(scene, client, top);
}

/** As `startsAfter`, of rows. */
function isAfterRow({ graph: { starts, ends }, thresholds }: Scene, later: number, earlier: number): boolean {
  return (starts[later] ?? 0) > (ends[earlier] ?? 0) + Number(thresholds.clockTolerance);
}

/** The client stopped waiting, and a busy server came to the request later. */
function isGivenUp({ client, server }: Call): boolean {
  return (
    client.kind === 'CLIENT' && readOutcome(client) !== 'answered' && compareRequests(client, server) !== 'no'
  );
}

/** The header itself was stale: many SERVER spans under one old span, while the CLIENT spans of the calls stay alone. */
function findStaleHeaders(scene: Scene, open: Open): readonly Draft[] {
  const clientsOf = mapBy(open.clients, (span) => span.serviceName);
  const indexes = new Map(
    [...clientsOf].map(([service, clients]) => [service, indexByTime(clients, scene.thresholds)]),
  );
  const drafts = listLateCalls(scene, (service) => indexes.has(service)).flatMap(
    (calls): readonly Draft[] => {
      const parent = calls[0]?.client;
      if (parent === undefined || calls.every(isGivenUp)) return [];
      const fits = (client: Span, server: Span): boolean => compareRequests(client, server) === 'yes';
      const openAt = (server: Span): Iterable<Span> =>
        indexes.get(parent.serviceName)?.openAt(server.startTimeUnixNano) ?? [];
      const looks = shareComparisons(calls.length);
      const canPair = calls.some(
        ({ server }) => takeFitting(openAt(server), looks, 1, (client) => fits(client, server)).length > 0,
      );
      if (!canPair) return [];
      const pairs = pairSpans(
        clientsOf.get(parent.serviceName) ?? [],
        calls.map((call) => call.server),
        fits,
        scene.thresholds,
      );
      if (!pairs.some((pair) => startsAfter(pair.server, parent, scene.thresholds))) return [];
      return [
        finding.report({
          client: parent.serviceName,
          server: pairs[0]?.server.serviceName ?? null,
          protocol: edgeProtocol(readCallFacts(parent).protocol),
          shown: pairs.map(({ client, server }) => ({
            client,
            server,
            says: `received the span id of "${parent.name}" (${parent.spanId}), not of the CLIENT span that called it`,
          })),
        }),
      ];
    },
  );
  return drafts;
}

/** The calls of each span of which one began after it had ended, in services that are meant. */
function listLateCalls(
  scene: Scene,
  isMeant: (service: string | null) => boolean,
): readonly (readonly Call[])[] {
  const groups = scene.groups.filter(({ client }) => isMeant(client));
  const late = new Set<number>();
  for (const { clients, servers } of groups) {
    for (const [at, client] of clients.entries()) {
      if (isAfterRow(scene, servers[at] ?? 0, client)) late.add(client);
    }
  }
  if (late.size === 0) return [];
  const calls = selectCalls(scene.graph, groups, (client) => late.has(client));
  return [...mapBy(calls, (call) => call.client).values()];
}
