import type { Rows, TraceGraph } from '../graph/trace-graph.ts';
import { kindNumber } from '../span/span.ts';
import { groupBy, mapBy } from '../util/group-by.ts';
import { type IntervalIndex, indexIntervals } from '../util/interval-index.ts';
import type { CallGroup } from './call-group.ts';
import { readPath, readRoute } from './http-facts.ts';
import { family } from './protocol.ts';
import type { RowFacts } from './row-facts.ts';

/**
 * Roots of HTTP requests that only carry MCP. Their path is the one whose requests contain most of the MCP SERVER spans of the service;
 * streams and ends of sessions are among them. The call is an MCP call: its context travels in `params._meta`, whatever happens to the
 * headers (semantic conventions, "Model Context Protocol", "Context propagation"). Requests that start during an open HTTP call are left
 * out, because there the context was lost in HTTP.
 */
export function findMcpTransports(
  graph: TraceGraph,
  facts: RowFacts,
  roots: Rows,
  openClients: readonly number[],
): ReadonlySet<number> {
  const transports = new Set<number>();
  const servers = mapBy(selectMcpServers(graph, facts), (row) => graph.serviceOf(row));
  if (servers.size === 0) return transports;
  const requests = roots.filter(
    (row) =>
      servers.has(graph.serviceOf(row)) &&
      graph.store.kinds[row] === kindNumber.server &&
      facts.protocolOf(row) === 'http',
  );
  for (const [service, ofService] of mapBy(requests, (row) => graph.serviceOf(row))) {
    const called = servers.get(service) ?? [];
    for (const row of selectRequestsAround(graph, facts, ofService, called)) transports.add(row);
  }
  if (transports.size === 0) return transports;
  const httpCalls = openClients.filter((row) => facts.protocolOf(row) === 'http');
  const calls = indexRows(graph, httpCalls);
  return new Set(
    [...transports].filter((row) => {
      const start = graph.starts[row] ?? 0;
      for (const _ of calls.openBetween(start, start)) return false;
      return true;
    }),
  );
}

function selectMcpServers(graph: TraceGraph, facts: RowFacts): readonly number[] {
  const { store } = graph;
  if (!facts.hasFamily(family.mcp)) return [];
  const rows: number[] = [];
  for (let row = 0; row < store.size; row += 1) {
    if (graph.has(row) && store.kinds[row] === kindNumber.server && facts.protocolOf(row) === 'mcp')
      rows.push(row);
  }
  return rows;
}

/** For an MCP call and the HTTP call below it, which carry separate contexts: whether one stays open although the other is continued. */
interface Separation {
  isOuterApart(outer: number, inner: number): boolean;
  isInnerApart(outer: number, inner: number): boolean;
}

/** A layer stays open where the called service began traces with spans of that layer. Null where no span is of MCP. */
export function separateMcp(
  graph: TraceGraph,
  facts: RowFacts,
  groups: readonly CallGroup[],
): Separation | null {
  const servers = selectMcpServers(graph, facts);
  if (servers.length === 0) return null;
  const isRootOf = (row: number, protocol: 'http' | 'mcp'): boolean =>
    graph.isRoot(row) && graph.store.kinds[row] === kindNumber.server && facts.protocolOf(row) === protocol;
  const listServices = (rows: Iterable<number>, protocol: 'http' | 'mcp'): ReadonlySet<string | null> =>
    new Set(Array.from(rows).flatMap((row) => (isRootOf(row, protocol) ? [graph.serviceOf(row)] : [])));
  const withMcpRoots = listServices(servers, 'mcp');
  const called = new Set(servers.map((row) => graph.serviceOf(row)));
  const withHttpRoots = new Set(
    [...called].filter((service) => listServices(graph.rowsOfService(service), 'http').size > 0),
  );
  const calleeOf = new Map<number, string | null>();
  for (const { server, clients } of groups) for (const client of clients) calleeOf.set(client, server);
  const areLayers = (outer: number, inner: number): boolean =>
    facts.protocolOf(outer) === 'mcp' && facts.protocolOf(inner) === 'http';
  return {
    isOuterApart(outer, inner) {
      if (withMcpRoots.size === 0 || !areLayers(outer, inner)) return false;
      const callee = calleeOf.get(inner);
      return callee === undefined || withMcpRoots.has(callee);
    },
    isInnerApart: (outer, inner) => areLayers(outer, inner) && withHttpRoots.has(calleeOf.get(outer) ?? null),
  };
}

/** By chance, some calls lie within requests to another path, but not most of them. */
const majority = 0.5;

/** The requests to the one path that contains most of the calls. */
function selectRequestsAround(
  graph: TraceGraph,
  facts: RowFacts,
  requests: readonly number[],
  called: readonly number[],
): readonly number[] {
  const paths = groupBy(requests, (row) => {
    const request = facts.at(row);
    return readPath(request) ?? readRoute(request) ?? '';
  });
  const held = countHeld(graph, paths, called);
  return paths.find((_, path) => (held[path] ?? 0) > called.length * majority) ?? [];
}

/** Counts the calls that lie within a request to each path. Sweeps over time and keeps the latest end of the requests that have begun. */
function countHeld(
  graph: TraceGraph,
  paths: readonly (readonly number[])[],
  called: readonly number[],
): Uint32Array {
  const startOf = (row: number): number => graph.starts[row] ?? 0;
  const endOf = (row: number): number => graph.ends[row] ?? 0;
  const begins = paths
    .flatMap((rows, path) => rows.map((row) => ({ path, row })))
    .sort((left, right) => startOf(left.row) - startOf(right.row));
  const held = new Uint32Array(paths.length);
  /** The latest end by path; a path is removed when all its requests have ended. */
  const latestEnds = new Map<number, number>();
  let at = 0;
  for (const row of called.toSorted((left, right) => startOf(left) - startOf(right))) {
    for (let next = begins[at]; next !== undefined && startOf(next.row) <= startOf(row); next = begins[at]) {
      latestEnds.set(next.path, Math.max(latestEnds.get(next.path) ?? 0, endOf(next.row)));
      at += 1;
    }
    for (const [path, end] of latestEnds) {
      if (end >= endOf(row)) held[path] = (held[path] ?? 0) + 1;
      else if (end < startOf(row)) latestEnds.delete(path);
    }
  }
  return held;
}

function indexRows(graph: TraceGraph, rows: readonly number[]): IntervalIndex {
  return indexIntervals(
    Float64Array.from(rows, (row) => graph.starts[row] ?? 0),
    Float64Array.from(rows, (row) => graph.ends[row] ?? 0),
  );
}
