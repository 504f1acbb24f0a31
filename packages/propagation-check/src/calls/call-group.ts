import type { Rows, TraceGraph } from '../graph/trace-graph.ts';
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
  /** The span that the header named: a CLIENT or PRODUCER, or any span of the caller in hand-made propagation. */
  readonly client: Span;
  readonly server: Span;
  readonly protocol: EdgeProtocol;
}

/** The rows of its two sides. */
export interface CallRows {
  readonly client: number;
  readonly server: number;
}

/** Whole calls that have services, protocol and kinds in common: two rows a call, and no objects. */
export interface CallGroup {
  readonly client: string | null;
  readonly server: string | null;
  readonly protocol: EdgeProtocol;
  readonly clientKind: Span['kind'];
  readonly serverKind: Span['kind'];
  /** Of each call. The calls of one server are consecutive, that of its parent first. */
  readonly clients: Rows;
  readonly servers: Rows;
  readonly extremes: CallExtremes;
}

/**
 * How far the calls of a group go, measured once and in the order of the file: it tells of most groups that no call of them is
 * worth a look, and looks by group wait for memory.
 */
export interface CallExtremes {
  /** By how many nanoseconds a client began after the request that it is below had ended, at most; negative where all began before. */
  late: number;
  /** By how many nanoseconds a server began before or after its client was open, at most. */
  apart: number;
  /** By how many nanoseconds the client, or the server, ended after the other, at most. */
  readonly lag: Record<'client' | 'server', number>;
  /** Some call has a span of its service above it that began the trace and is no entry. */
  hasDetached: boolean;
  /** The two sides of some call have different trace ids. */
  isAcrossTraces: boolean;
  /**
   * The client of some call is that of an earlier one, of this group or another. The order of the spans decides which of the groups has it,
   * so ask all groups together.
   */
  isRepeated: boolean;
}

export function countCalls(groups: readonly CallGroup[]): number {
  return sumOf(groups.map(({ servers }) => servers.length));
}

/** The calls that are meant, with those like them that the source counted and did not send. */
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

/** The calls with their spans, by the start of the server. Makes views of them all. */
export function viewCalls(graph: TraceGraph, groups: readonly CallGroup[]): readonly Call[] {
  return selectCalls(graph, groups, () => true);
}

/** Those of the calls that `isMeant` chooses by their rows. */
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

/** The rows of the calls that `isMeant` chooses. */
export function selectPairs(
  groups: readonly CallGroup[],
  isMeant: (client: number, server: number) => boolean,
): readonly CallRows[] {
  const pairs: CallRows[] = [];
  for (const { clients, servers } of groups) {
    for (const [at, server] of servers.entries()) {
      const client = clients[at] ?? 0;
      if (isMeant(client, server)) pairs.push({ client, server });
    }
  }
  return pairs;
}

/** The rows of the clients that have more than one of the calls. */
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

/** The place of a call among those of its server, its parent first. A batch has thousands of links, so they are read once. */
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

/** Whether any of the calls is so. */
export function someCall(
  groups: readonly CallGroup[],
  isSo: (client: number, server: number) => boolean,
): boolean {
  return groups.some(({ clients, servers }) => servers.some((server, at) => isSo(clients[at] ?? 0, server)));
}

/** Those of each edge, in the order of their first calls. */
export function groupCalls(
  groups: readonly CallGroup[],
  keyOf: (group: CallGroup) => string = ({ client, server }) => keyFor(client, server),
): readonly Group<CallGroup>[] {
  return groupBy(groups, keyOf);
}

/** How much later than the one side of a call the other ended at most, in nanoseconds. */
export function measureLag(groups: readonly CallGroup[], later: 'client' | 'server'): bigint {
  return BigInt(groups.reduce((most, { extremes }) => Math.max(most, extremes.lag[later]), 0));
}
