import { type CallFacts, fitsRoute, type McpFacts, readCallFacts } from '../calls/call-facts.ts';
import { isInside } from '../calls/inside.ts';
import { isFromProbe } from '../calls/probes.ts';
import { isUnconnected } from '../calls/unconnected.ts';
import type { TraceGraph } from '../graph/trace-graph.ts';
import type { Span } from '../span/span.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import { indexIntervals } from '../util/interval-index.ts';
import { bounds, shareComparisons } from './bounds.ts';

/** Two spans that belong together. */
export interface Pair {
  readonly client: Span;
  readonly server: Span;
  /** Neither of the two fits another span: this very pair is certain, not only that as many pairs exist. */
  readonly unique: boolean;
}

/** A pair of which it is not said whether it is certain. */
export type PairSides = Pick<Pair, 'client' | 'server'>;

/** Those of each edge. */
export function groupPairs<Sides extends PairSides>(pairs: readonly Sides[]): readonly Group<Sides>[] {
  return groupBy(pairs, ({ client, server }) => keyFor(client.serviceName, server.serviceName));
}

/** How exact times are, in nanoseconds. `rules/thresholds.ts` has the numbers and their reasons. */
export interface Tolerances {
  readonly rounding: bigint;
  readonly jitter: bigint;
  readonly clockTolerance: bigint;
}

/**
 * Pairs as many clients with servers as possible, each once (maximum bipartite matching by augmenting paths).
 * Only spans that overlap in time are compared: a server starts while its client is open.
 */
export function pairSpans(
  clients: readonly Span[],
  servers: readonly Span[],
  fits: (client: Span, server: Span) => boolean,
  tolerances: Tolerances,
): readonly Pair[] {
  if (clients.length === 0 || servers.length === 0) return [];
  const index = indexByTime(clients, tolerances);
  const findOpen = prepareSearch(index, shareComparisons(servers.length), (client, server) => {
    return client !== server && !isAround(server, client, tolerances) && fits(client, server);
  });
  const fitting = new Map<Span, readonly Span[]>();
  for (const server of servers) {
    const candidates = findOpen(server, bounds.candidates);
    if (candidates.length > 0) fitting.set(server, preferExact(candidates, server, tolerances));
  }
  const uses = new Map<Span, number>();
  fitting.forEach((candidates) => {
    for (const client of candidates) uses.set(client, (uses.get(client) ?? 0) + 1);
  });
  const isUnique = (client: Span, server: Span): boolean =>
    fitting.get(server)?.length === 1 && uses.get(client) === 1;
  const matched = matchAll(fitting, isUnique);
  matchTheRest(matched, fitting, index, (server) => findOpen(server, 1));
  const pairs: Pair[] = [];
  matched.forEach((server, client) => {
    pairs.push({ client, server, unique: isUnique(client, server) });
  });
  return pairs;
}

/**
 * Finds the first `most` clients, of at most `looks`, that were open when a server began and can be its own. One function asks them for
 * all servers: one for each would take memory.
 */
function prepareSearch(
  index: TimeIndex,
  looks: number,
  canPair: (client: Span, server: Span) => boolean,
): (server: Span, most: number) => readonly Span[] {
  let search: { readonly server: Span; readonly most: number; left: number } | null = null;
  let found: Span[] | null = null;
  const take = (client: Span): boolean => {
    if (search === null) return true;
    if (canPair(client, search.server)) {
      // Nearly always the only one, for which an empty list would make room for 17.
      if (found === null) found = [client];
      else found.push(client);
    }
    search.left -= 1;
    return search.left <= 0 || (found !== null && found.length >= search.most);
  };
  return (server, most) => {
    found = null;
    search = { server, most, left: looks };
    index.someOpen(server.startTimeUnixNano, take);
    return found ?? noSpans;
  };
}

const noSpans: readonly Span[] = [];

/** In a crowd a server has more candidates than are kept: it takes one that nobody has. */
function matchTheRest(
  matched: Map<Span, Span>,
  fitting: ReadonlyMap<Span, readonly Span[]>,
  index: TimeIndex,
  find: (server: Span) => readonly Span[],
): void {
  const crowded: Span[] = [];
  fitting.forEach((candidates, server) => {
    if (candidates.length === bounds.candidates) crowded.push(server);
  });
  if (crowded.length === 0) return;
  const served = new Set(matched.values());
  const rest = crowded.filter((server) => !served.has(server));
  if (rest.length === 0) return;
  for (const client of matched.keys()) index.remove(client);
  for (const server of rest) {
    const [client] = find(server);
    if (client === undefined) continue;
    matched.set(client, server);
    index.remove(client);
  }
}

/** The first `most` that fit, of at most `looks`. */
export function takeFitting(
  spans: Iterable<Span>,
  looks: number,
  most: number,
  fits: (span: Span) => boolean,
): readonly Span[] {
  const found: Span[] = [];
  let left = looks;
  for (const span of spans) {
    if (fits(span)) found.push(span);
    left -= 1;
    if (found.length >= most || left <= 0) break;
  }
  return found;
}

/** So many of the servers, from the first, as can be compared with each of the clients. */
export function limitComparisons(clients: readonly Span[], servers: readonly Span[]): readonly Span[] {
  const each = Math.floor(bounds.plainComparisons / Math.max(1, clients.length));
  return servers.slice(0, Math.max(bounds.fewestPlainComparisons, each));
}

/** Whether `inner` starts while `outer` is open. Its end does not count: servers outlive clients that gave up. */
export function startsDuring(inner: Span, outer: Span, { rounding }: Tolerances): boolean {
  return isOpenAt(outer, inner.startTimeUnixNano, rounding);
}

function isOpenAt(span: Span, time: bigint, tolerance: bigint): boolean {
  return time >= span.startTimeUnixNano - tolerance && time <= span.endTimeUnixNano + tolerance;
}

/** A span that began before another and ended after it is its cause rather than its effect. */
function isAround(outer: Span, inner: Span, { rounding, jitter }: Tolerances): boolean {
  const start = outer.startTimeUnixNano;
  const innerStart = inner.startTimeUnixNano;
  if (start >= innerStart || outer.endTimeUnixNano <= inner.endTimeUnixNano) return false;
  const isRounded = start % rounding === 0n || innerStart % rounding === 0n;
  return start + (isRounded ? rounding : jitter) < innerStart;
}

/** Ends are as coarse as starts: some SDKs add a measured duration to a start in whole milliseconds. */
export function endsWithin(inner: Span, outer: Span, { rounding }: Tolerances): boolean {
  return inner.endTimeUnixNano <= outer.endTimeUnixNano + rounding;
}

type Likeness = 'yes' | 'no' | 'unknown';

/**
 * Whether a CLIENT and a SERVER span tell of the same request.
 * `yes` needs something that only this request has in common (path, RPC method, port), so that no two messages get it; `no` needs a contradiction.
 */
export function compareRequests(client: Span, server: Span): Likeness {
  const likeness = compareFacts(client, server);
  return likeness !== 'no' && isUnconnected(client) ? 'no' : likeness;
}

function compareFacts(client: Span, server: Span): Likeness {
  const sent = readCallFacts(client);
  const received = readCallFacts(server);
  const out = asProtocolOf(received, sent);
  const into = asProtocolOf(sent, received);
  // A service that knows nothing of MCP records the request that carries the call (MCP specification, "Transports").
  if (out.mcp !== null && into.protocol === 'http') return into.method === 'POST' ? 'unknown' : 'no';
  if (out.protocol !== into.protocol) return 'no';
  if (out.method !== null && into.method !== null && out.method !== into.method) return 'no';
  if (out.userAgent !== null && into.userAgent !== null && out.userAgent !== into.userAgent) return 'no';
  if (isFromProbe(into) && !isFromProbe(out)) return 'no';
  if (out.statusCode === null || into.statusCode === null || out.statusCode === into.statusCode)
    return compareTargets(client, server, out, into);
  // A hop may answer with another success than it got; a gateway that answers itself reached nobody.
  if (!isSuccess(out.statusCode) || !isSuccess(into.statusCode)) return 'no';
  return compareTargets(client, server, out, into) === 'no' ? 'no' : 'unknown';
}

/** RFC 9110, section 15.3. */
const [firstSuccess, firstRedirect] = [200, 300];

function isSuccess(statusCode: number): boolean {
  return statusCode >= firstSuccess && statusCode < firstRedirect;
}

function compareTargets(client: Span, server: Span, out: CallFacts, into: CallFacts): Likeness {
  if (out.mcp !== null && into.mcp !== null) return compareMcp(out.mcp, into.mcp);
  if (out.protocol === 'rpc') {
    if (out.rpcMethod !== null && into.rpcMethod !== null)
      return out.rpcMethod === into.rpcMethod ? 'yes' : 'no';
    return client.name === server.name ? 'yes' : 'unknown';
  }
  // All messages of a broker have its port in common, and all of a queue its path.
  if (out.protocol === 'messaging') return 'unknown';
  const samePort = out.port !== null && out.port === into.port;
  if (out.path === null) return samePort ? 'yes' : 'unknown';
  if (into.path !== null) {
    const called = trimSlash(out.path);
    const asked = trimSlash(into.path);
    if (called === asked) return 'yes';
    // A gateway may add or cut a prefix.
    if (!out.path.endsWith(into.path) && !into.path.endsWith(out.path)) return 'no';
    // Requests to a third party end as those of a service here.
    const isOfOwnHost = out.host === null || isInside(out.host);
    return isOfOwnHost && tailOfPath(called) === tailOfPath(asked) ? 'yes' : 'unknown';
  }
  if (into.route !== null) return fitsRoute(out.path, into.route) ? 'yes' : 'unknown';
  return samePort ? 'yes' : 'unknown';
}

/** The id of a request is unique within its session; over stdio a session has no id. */
function compareMcp(out: McpFacts, into: McpFacts): 'yes' | 'no' {
  const facts = ['method', 'target', 'requestId', 'sessionId'] as const;
  return facts.every((fact) => out[fact] === null || into[fact] === null || out[fact] === into[fact])
    ? 'yes'
    : 'no';
}

/**
 * An instrumentation of HTTP records gRPC as a POST to `/package.Service/Method` (gRPC over HTTP/2, "Requests"): then both sides
 * are compared as HTTP.
 */
function asProtocolOf(other: CallFacts, facts: CallFacts): CallFacts {
  return facts.protocol === 'rpc' && other.protocol === 'http' ? asHttp(facts) : facts;
}

export function asHttp(facts: CallFacts): CallFacts {
  if (facts.rpcMethod === null) return facts;
  return { ...facts, protocol: 'http', method: 'POST', path: pathOfRpc(facts.rpcMethod) };
}

export function pathOfRpc(rpcMethod: string): string {
  return `/${rpcMethod}`;
}

/** Whether two SERVER spans may tell of one request that a hop handed on: by the path, where both have one. */
export function isSamePath(outer: Span, inner: Span): boolean {
  const [one, other] = [readCallFacts(outer), readCallFacts(inner)];
  if (one.protocol !== other.protocol) return false;
  if (one.path === null || other.path === null) return one.rpcMethod === other.rpcMethod;
  // A gateway may add or cut a prefix.
  return one.path.endsWith(other.path) || other.path.endsWith(one.path);
}

/** Whether the client called this very server by host or port; true where the data do not say. */
export function isAddressedTo(client: Span, server: Span): boolean {
  const [out, into] = [readCallFacts(client), readCallFacts(server)];
  const known = [
    ...(out.host !== null && into.host !== null ? [out.host === into.host] : []),
    ...(out.port !== null && into.port !== null ? [out.port === into.port] : []),
  ];
  return known.length === 0 || known.includes(true);
}

export function trimSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

/** The last two segments of a path, as `/items/3`: one alone, as `/health`, is that of many services. The path itself where it has fewer. */
export function tailOfPath(path: string): string {
  return path.slice(Math.max(0, path.lastIndexOf('/', path.lastIndexOf('/') - 1)));
}

/** A look-up of the spans that were open at a time. */
export interface TimeIndex {
  /** Asks of those that had started and not ended, the latest start first, until one is meant. */
  someOpen(time: bigint, isMeant: (span: Span) => boolean): boolean;
  /** No later look-up finds the span. */
  remove(span: Span): void;
}

/** Prepares the look-up. Of spans with one start the later in the list comes first. */
export function indexByTime(spans: readonly Span[], { clockTolerance }: Tolerances): TimeIndex {
  const origin = spans[0]?.startTimeUnixNano ?? 0n;
  const [starts, ends] = [new Float64Array(spans.length), new Float64Array(spans.length)];
  spans.forEach((span, at) => {
    starts[at] = Number(span.startTimeUnixNano - origin);
    ends[at] = Number(span.endTimeUnixNano - origin);
  });
  const intervals = indexIntervals(starts, ends);
  const tolerance = Number(clockTolerance);
  const asked = new Float64Array(1);
  let isMeantNow = (_: Span): boolean => false;
  const isMeantAt = (_: number, position: number): boolean => {
    const span = spans[position];
    return span !== undefined && isMeantNow(span);
  };
  let positions: Map<Span, number> | null = null;
  return {
    someOpen(time, isMeant) {
      asked[0] = Number(time - origin);
      // A look-up within `isMeant` asks for another: then this one goes on.
      const outer = isMeantNow;
      isMeantNow = isMeant;
      const isSome = intervals.someOpenAt(asked, 0, tolerance, isMeantAt);
      isMeantNow = outer;
      return isSome;
    },
    remove(span) {
      positions ??= new Map(spans.map((one, at) => [one, at]));
      const at = positions.get(span);
      if (at !== undefined) intervals.remove(at);
    },
  };
}

/**
 * Tells of rows whether they start while any of some spans is open, by clocks that may differ.
 * @param mayFit Is asked of a row and of the places in the list of the spans that were open.
 */
export function startsDuringAny(
  graph: TraceGraph,
  spans: readonly Span[],
  { clockTolerance }: Tolerances,
  mayFit: (row: number, at: number) => boolean = () => true,
): (row: number) => boolean {
  const [starts, ends] = [new Float64Array(spans.length), new Float64Array(spans.length)];
  spans.forEach((span, at) => {
    const row = graph.rowOf(span);
    starts[at] = graph.starts[row] ?? 0;
    ends[at] = graph.ends[row] ?? 0;
  });
  const intervals = indexIntervals(starts, ends);
  const tolerance = Number(clockTolerance);
  return (row) => intervals.someOpenAt(graph.starts, row, tolerance, mayFit);
}

/** The candidates that were open by clocks as they are; where none was, all of them. Those that last about as long as the server come first. */
function preferExact(candidates: readonly Span[], server: Span, { rounding }: Tolerances): readonly Span[] {
  const [, second] = candidates;
  if (second === undefined) return candidates;
  const exact = candidates.filter((client) => isOpenAt(client, server.startTimeUnixNano, rounding));
  const slack = (client: Span): number => Math.abs(Number(durationOf(client) - durationOf(server)));
  return (exact.length > 0 ? exact : candidates).toSorted((left, right) => slack(left) - slack(right));
}

/** Both directions of a matching under construction. */
interface Matching {
  readonly serverOf: Map<Span, Span>;
  readonly clientOf: Map<Span, Span>;
  /** Clients that a search passed which failed: no later search can succeed through them. */
  readonly exhausted: Set<Span>;
}

/** @param isUnique Whether neither of two fits another: nearly always, and then no search passes them. */
function matchAll(
  fitting: ReadonlyMap<Span, readonly Span[]>,
  isUnique: (client: Span, server: Span) => boolean,
): Map<Span, Span> {
  const matching: Matching = { serverOf: new Map(), clientOf: new Map(), exhausted: new Set() };
  fitting.forEach((candidates, server) => {
    const first = candidates[0];
    if (first !== undefined && isUnique(first, server)) matching.serverOf.set(first, server);
    else augment(server, fitting, matching);
  });
  return matching.serverOf;
}

/** One breadth-first search for a path that frees a client for `server` (no recursion: chains can be long). */
function augment(server: Span, fitting: ReadonlyMap<Span, readonly Span[]>, matching: Matching): void {
  const free = fitting.get(server)?.find((client) => !matching.serverOf.has(client));
  if (free !== undefined) {
    matching.serverOf.set(free, server);
    matching.clientOf.set(server, free);
    return;
  }
  const cameFrom = new Map<Span, Span>();
  const queue: Span[] = [server];
  for (const at of queue) {
    for (const client of fitting.get(at) ?? []) {
      if (cameFrom.has(client) || matching.exhausted.has(client)) continue;
      cameFrom.set(client, at);
      const holder = matching.serverOf.get(client);
      if (holder === undefined) {
        reassign(client, cameFrom, matching);
        return;
      }
      queue.push(holder);
    }
  }
  for (const client of cameFrom.keys()) matching.exhausted.add(client);
}

function reassign(free: Span, cameFrom: ReadonlyMap<Span, Span>, matching: Matching): void {
  let client: Span | undefined = free;
  while (client !== undefined) {
    const server = cameFrom.get(client);
    if (server === undefined) return;
    const previous = matching.clientOf.get(server);
    matching.serverOf.set(client, server);
    matching.clientOf.set(server, client);
    client = previous;
  }
}

export function durationOf(span: Span): bigint {
  return span.endTimeUnixNano - span.startTimeUnixNano;
}
