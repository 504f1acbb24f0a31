import type { Rows, TraceGraph } from '../graph/trace-graph.ts';
import { kindNumber } from '../span/span.ts';
import { groupBy, mapBy } from '../util/group-by.ts';
import { type IntervalIndex, indexIntervals } from '../util/interval-index.ts';
import type { CallGroup } from './call-group.ts';
import { readPath, readRoute } from './http-facts.ts';
import { family } from './protocol.ts';
import type { RowFacts } from './row-facts.ts';

/**
 * Roots of HTTP that only carry MCP: requests to the path within whose requests most SERVER spans of MCP of the service lie, streams
 * and ends of sessions among them. The call is that of MCP: its context travels in `params._meta`, whatever becomes of the headers (semantic
 * conventions, "Model Context Protocol", "Context propagation"). Requests while an HTTP call is open without an answer are left out: the
 * break is one of HTTP.
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

/** Of a call of MCP and the HTTP call below it, which carry context apart: whether the one is open whatever becomes of the other. */
interface Separation {
  isOuterApart(outer: number, inner: number): boolean;
  isInnerApart(outer: number, inner: number): boolean;
}

/** A layer is open where the called service began traces with spans of that layer. Null where nothing is of MCP. */
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

/** Some calls lie within requests of another path by chance, but not most of them. */
const majority = 0.5;

/** The requests to the one path within whose requests most of the calls lie. */
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

/** How many of the calls lie within a request to each path: in the order of time, by the latest end of the requests that have begun. */
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
  /** By path. Those whose requests have all ended are taken out. */
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
