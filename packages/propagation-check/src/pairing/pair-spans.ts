import type { Span } from '../span/span.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import { bounds } from './bounds.ts';
import { shareComparisons } from './limit-work.ts';
import { durationOf, indexByTime, isAround, isOpenAt, type TimeIndex, type Tolerances } from './times.ts';

/** Two spans that belong together. */
export interface Pair {
  readonly client: Span;
  readonly server: Span;
  /** Neither span fits another span, so that this pair is certain, not only the number of pairs. */
  readonly unique: boolean;
}

/** A pair without `unique`. */
export type PairSides = Pick<Pair, 'client' | 'server'>;

/** Groups pairs by edge. */
export function groupPairs<Sides extends PairSides>(pairs: readonly Sides[]): readonly Group<Sides>[] {
  return groupBy(pairs, ({ client, server }) => keyFor(client.serviceName, server.serviceName));
}

/**
 * Pairs as many clients with servers as possible, each once (maximum bipartite matching by augmenting paths). Compares a server only with
 * clients that were open when it started.
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
 * Finds up to `most` clients, among the first `looks` that were open when a server began, with which it can pair. A single function serves
 * all servers, because a closure for each would take memory.
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
      // Usually the only one. V8 allocates room for 17 elements when it pushes to an empty array.
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

/** A server whose candidates were cut off at the bound takes any open client that is still free. */
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
  for (const client of matched.keys()) index.remove(client);
  for (const server of rest) {
    const [client] = find(server);
    if (client === undefined) continue;
    matched.set(client, server);
    index.remove(client);
  }
}

/**
 * The candidates that were open without any tolerance for clocks; if there are none, all candidates. The closest in duration to the server
 * come first.
 */
function preferExact(candidates: readonly Span[], server: Span, { rounding }: Tolerances): readonly Span[] {
  const second = candidates[1];
  if (second === undefined) return candidates;
  const exact = candidates.filter((client) => isOpenAt(client, server.startTimeUnixNano, rounding));
  const slack = (client: Span): number => Math.abs(Number(durationOf(client) - durationOf(server)));
  return (exact.length > 0 ? exact : candidates).toSorted((left, right) => slack(left) - slack(right));
}

/** Both directions of a matching under construction. */
interface Matching {
  readonly serverOf: Map<Span, Span>;
  readonly clientOf: Map<Span, Span>;
  /** Clients reached by a failed search: no later search can succeed through them. */
  readonly exhausted: Set<Span>;
}

/** @param isUnique Whether neither span fits another. Such pairs, nearly all, need no search. */
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

/** One breadth-first search for a path that frees a client for `server`. Not recursive, because chains can be long. */
function augment(server: Span, fitting: ReadonlyMap<Span, readonly Span[]>, matching: Matching): void {
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
