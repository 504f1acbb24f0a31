import { none, type Rows, type TraceGraph } from '../graph/trace-graph.ts';
import type { Span } from '../span/span.ts';
import { weightOf } from '../span/span-store.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import { sumOf } from '../util/statistics.ts';

/** The kind of a call. */
export type EdgeProtocol = 'http' | 'rpc' | 'messaging' | 'mcp' | 'internal';

export const edgeProtocols = [
  'http',
  'rpc',
  'messaging',
  'mcp',
  'internal',
] as const satisfies readonly EdgeProtocol[];

/** One call whose two sides are connected, by parent or by link. */
export interface Call {
  /** The span that the header named: a CLIENT or PRODUCER span, or any span of the caller where propagation is hand-written. */
  readonly client: Span;
  readonly server: Span;
  readonly protocol: EdgeProtocol;
}

/** The rows of the two sides of a call. */
export interface CallRows {
  readonly client: number;
  readonly server: number;
}

/** Whole calls with the same services, protocol and kinds. A call is two rows; no object is made for it. */
export interface CallGroup {
  readonly client: string | null;
  readonly server: string | null;
  readonly protocol: EdgeProtocol;
  readonly clientKind: Span['kind'];
  readonly serverKind: Span['kind'];
  /** The client of each call, at the same index as its server. Calls of one server are consecutive, the call from its parent first. */
  readonly clients: Rows;
  readonly servers: Rows;
  readonly extremes: CallExtremes;
}

/**
 * The extremes of a group over all its calls, measured in the one pass that collects them. For most groups they already show that no call
 * needs a closer look, which would read the rows again in random order.
 */
export interface CallExtremes {
  /**
   * The most nanoseconds by which a client span began after the end of the request above it; negative where every client began before that
   * end.
   */
  late: number;
  /** The most nanoseconds by which a server span began before its client span began or after it ended. */
  apart: number;
  /** The most nanoseconds by which the client span ended after the server span, and the reverse. */
  readonly lag: Record<'client' | 'server', number>;
  /** The topmost span of the caller's service above some client began its trace and is no entry span (see `isDetached`). */
  hasDetached: boolean;
  /** The two sides of some call have different trace ids. */
  isAcrossTraces: boolean;
  /**
   * The client of some call is also the client of an earlier call, of this group or of another. Which of the groups is marked depends on
   * the order of the spans, so ask all groups together.
   */
  isRepeated: boolean;
}

export function countCalls(groups: readonly CallGroup[]): number {
  return sumOf(groups.map(({ servers }) => servers.length));
}

/** The number of calls for which `isMeant` holds, including calls that the source counted but did not send (`weightOf`). */
export function weighCalls(
  { store }: TraceGraph,
  groups: readonly CallGroup[],
  isMeant: (server: number) => boolean = () => true,
): number {
  let sum = 0;
  for (const { servers } of groups) {
    for (const server of servers) if (isMeant(server)) sum += weightOf(store, server);
  }
  return sum;
}

/** All calls as spans, in the order of their server's start. Makes a view of each span. */
export function viewCalls(graph: TraceGraph, groups: readonly CallGroup[]): readonly Call[] {
  return selectCalls(graph, groups, () => true);
}

/** The calls for which `isMeant` holds, as spans. */
export function selectCalls(
  graph: TraceGraph,
  groups: readonly CallGroup[],
  isMeant: (client: number, server: number) => boolean,
): readonly Call[] {
  const chosen = groups.flatMap((group) => selectPairs([group], isMeant).map((rows) => ({ ...rows, group })));
  const placeOf = rememberPlaces(graph);
  return chosen
    .sort((left, right) =>
      left.server === right.server
        ? placeOf(left) - placeOf(right)
        : graph.compare(left.server, right.server),
    )
    .map(({ client, server, group }) => ({
      client: graph.view(client),
      server: graph.view(server),
      protocol: group.protocol,
    }));
}

/** The calls for which `isMeant` holds, as rows. */
export function selectPairs(
  groups: readonly CallGroup[],
  isMeant: (client: number, server: number) => boolean,
): readonly CallRows[] {
  const pairs: CallRows[] = [];
  for (const group of groups) addPairs(pairs, group, isMeant);
  return pairs;
}

/** A plain loop, because iterators and destructured lists allocate for each call of the edge until V8 has optimised the loop. */
function addPairs(
  pairs: CallRows[],
  { clients, servers }: CallGroup,
  isMeant: (client: number, server: number) => boolean,
): void {
  for (let at = 0; at < servers.length; at += 1) {
    const client = clients[at] ?? none;
    const server = servers[at] ?? none;
    if (isMeant(client, server)) pairs.push({ client, server });
  }
}

/** The rows of clients that have more than one call. */
export function listRepeatedClients(
  { store }: TraceGraph,
  groups: readonly CallGroup[],
): ReadonlySet<number> {
  const isSeen = new Uint8Array(store.size);
  const repeated = new Set<number>();
  for (const { clients } of groups) {
    for (const client of clients) {
      if (isSeen[client] === 1) repeated.add(client);
      isSeen[client] = 1;
    }
  }
  return repeated;
}

/**
 * The position of a call among the calls of its server; the parent comes first. A batch may have thousands of links, so they are read once.
 */
function rememberPlaces(graph: TraceGraph): (call: CallRows) => number {
  const placesOf = new Map<number, ReadonlyMap<number, number>>();
  return ({ client, server }) => {
    if (graph.parents[server] === client) return -1;
    const places =
      placesOf.get(server) ?? new Map(graph.linkTargetsOf(server).map((target, at) => [target, at] as const));
    placesOf.set(server, places);
    return places.get(client) ?? -1;
  };
}

export function someCall(
  groups: readonly CallGroup[],
  isSo: (client: number, server: number) => boolean,
): boolean {
  return groups.some(({ clients, servers }) => servers.some((server, at) => isSo(clients[at] ?? 0, server)));
}

/** The groups of each edge, in the order of first calls. */
export function groupCalls(
  groups: readonly CallGroup[],
  keyOf: (group: CallGroup) => string = ({ client, server }) => keyFor(client, server),
): readonly Group<CallGroup>[] {
  return groupBy(groups, keyOf);
}

/** The most nanoseconds by which one side of a call ended after the other. */
export function measureLag(groups: readonly CallGroup[], later: 'client' | 'server'): bigint {
  return BigInt(groups.reduce((most, { extremes }) => Math.max(most, extremes.lag[later]), 0));
}
