import { isHealthProbe, readCallFacts, readOutcome } from '../calls/call-facts.ts';
import { viewCalls } from '../calls/call-group.ts';
import { findEntry, isEntry, isOutgoing } from '../calls/edge.ts';
import { nameEndpoints } from '../calls/endpoint.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import { isRoot } from '../graph/trace-graph.ts';
import { areAwaited, measureFill } from '../pairing/awaited.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { endsWithin, type Pair, pairSpans, startsDuring } from '../pairing/pair.ts';
import type { Span } from '../span/span.ts';
import { groupBy } from '../util/group-by.ts';
import {
  type Check,
  type Draft,
  edgeProtocol,
  hasCall,
  isNamed,
  listUnseenEdges,
  type Open,
  type Scene,
} from './check.ts';
import type { FindingId } from './finding.ts';
import { moveToFront, splitCauses } from './split-trace.ts';

/**
 * An expected edge of which the caller shows nothing: no CLIENT span, and the called service began traces.
 * Without an expectation this cannot be told from direct callers, so nothing is said then.
 */
export const findMissingCalls: Check = (scene, open) => [
  ...findWhollyMissingCalls(scene, open),
  ...findPartlyMissingCalls(scene, open),
];

function findWhollyMissingCalls(scene: Scene, open: Open): readonly Draft[] {
  return listUnseenEdges(scene, open).flatMap((edge): readonly Draft[] => {
    const roots = open.roots.of(edge.server).filter((span) => !isHealthProbe(span));
    if (roots.length === 0) return [];
    const callers = scene.spansOf(edge.client);
    if (hasReachedNobody(callers)) return [];
    const own = withoutOutsiders(scene, edge, roots);
    const ofCaller = own.length * 2 >= roots.length ? own : roots;
    const pairs = pairAllWithRequests(callers.filter(isEntry), ofCaller);
    // Messages are read at any time later; requests while the caller's own request is open.
    const isQueued = roots.some((span) => span.kind === 'CONSUMER');
    if (!isQueued && pairs.length * 2 >= ofCaller.length)
      return [describePairs(edge, pairs, findOpenCalls(scene, open))];
    return callers.some(isOutgoing) ? [] : [describeRoots(edge, roots, callers.length > 0)];
  });
}

/** The caller does show its calls, and nobody answered one of them: the roots are those of others. */
function hasReachedNobody(callers: readonly Span[]): boolean {
  const calls = callers.filter((span) => span.kind === 'CLIENT' && isOutgoing(span));
  return calls.length > 0 && calls.every((call) => readOutcome(call) === 'unreached');
}

/** Each root with the request during which it began; a request may have made several calls. */
function pairAllWithRequests(requests: readonly Span[], roots: readonly Span[]): readonly Pair[] {
  const pairs = pairSpans(requests, roots, () => true);
  const paired = new Set(pairs.map((pair) => pair.server));
  const agents = new Set(pairs.map((pair) => readCallFacts(pair.server).userAgent));
  const left = roots.filter((root) => !paired.has(root) && agents.has(readCallFacts(root).userAgent));
  const more = left.flatMap((root) => pairSpans(requests, [root], endsDuring));
  return [...pairs, ...more];
}

function endsDuring(request: Span, root: Span): boolean {
  return endsWithin(root, request);
}

/**
 * Some calls of an edge are whole and others show no CLIENT span: one of several client libraries is not instrumented.
 * Outside callers of both services make the same picture, unless every request of one route encloses such a root,
 * one to one, and the root was sent by another program (user agent) than the request.
 */
function findPartlyMissingCalls(scene: Scene, open: Open): readonly Draft[] {
  const seen = scene.expectation.edges.filter(
    (edge) => edge.rule === 'must' && hasCall(scene, edge.client, edge.server),
  );
  return seen.flatMap((edge): readonly Draft[] => {
    const roots = open.roots.of(edge.server).filter((span) => span.kind === 'SERVER' && !isHealthProbe(span));
    if (roots.length === 0) return [];
    // What one library sent has one user agent; outside callers have others, which may call both services.
    const own = withoutOutsiders(scene, edge, roots);
    const pairs = groupBy(own, (root) => readCallFacts(root).userAgent ?? '').flatMap((ofAgent) =>
      pairWithRequests(scene, edge, ofAgent),
    );
    return pairs.length === 0 ? [] : [describePairs(edge, pairs, () => null)];
  });
}

/** Roots that no program sent which begins traces at the caller, too: such as scrape all services. */
function withoutOutsiders(scene: Scene, edge: ExpectedEdge, roots: readonly Span[]): readonly Span[] {
  const outside = new Set(
    scene
      .spansOf(edge.client)
      .filter((span) => span.kind === 'SERVER' && isRoot(span))
      .flatMap((span) => readCallFacts(span).userAgent ?? []),
  );
  return roots.filter((root) => !outside.has(readCallFacts(root).userAgent ?? ''));
}

function pairWithRequests(scene: Scene, edge: ExpectedEdge, roots: readonly Span[]): readonly Pair[] {
  const callers = scene.spansOf(edge.client);
  const calling = groupCallsByRequest(scene, callers.filter(isOutgoing));
  const endpointOf = nameEndpoints(callers);
  const callingEndpoints = new Set([...calling.keys()].map(endpointOf));
  const requests = callers.filter((span) => span.kind === 'SERVER' && !isHealthProbe(span));
  const isCalling = (request: Span): boolean => callingEndpoints.has(endpointOf(request));
  const without = pairWithin(
    requests.filter((request) => !isCalling(request)),
    roots,
    isSentByAnother,
    endpointOf,
  );
  if (without.length > 0) return without;
  // Requests that show some of their calls: the root fills a time in which they show none.
  const between = (request: Span, root: Span): boolean =>
    isSentByAnother(request, root) &&
    !(calling.get(request) ?? []).some(
      (call) =>
        call.endTimeUnixNano > root.startTimeUnixNano && call.startTimeUnixNano < root.endTimeUnixNano,
    );
  const pairs = pairWithin(requests.filter(isCalling), roots, between, endpointOf);
  const isSure =
    pairs.length >= fewestBetween &&
    pairs.length === roots.length &&
    isMoreThanChance(
      roots,
      pairs.length,
      (moved) => pairWithin(requests.filter(isCalling), moved, between, endpointOf).length,
    );
  return isSure ? pairs : [];
}

/** Fewer roots between the calls of requests may be a coincidence. */
const fewestBetween = 5;

/** A root for (nearly) every request of an endpoint, one to one, within it and waited for; none otherwise. */
function pairWithin(
  requests: readonly Span[],
  roots: readonly Span[],
  fits: (request: Span, root: Span) => boolean,
  endpointOf: (request: Span) => string,
): readonly Pair[] {
  const isMadeDuring = (request: Span, root: Span): boolean =>
    fits(request, root) && endsWithin(root, request);
  const contained = pairSpans(requests, roots, isMadeDuring);
  const endpoints = new Set(contained.map((pair) => endpointOf(pair.client)));
  const ofEndpoints = requests.filter((request) => endpoints.has(endpointOf(request)));
  const isEvery = contained.length >= ofEndpoints.length * 0.9;
  const awaited = areAwaited(contained.map(({ client: request, server: call }) => ({ request, call })));
  if (!isEvery || !awaited || !areSure(requests, roots, contained, isMadeDuring)) return [];
  // A server may end after the request that waited for it.
  const paired = new Set(contained.flatMap((pair) => [pair.client, pair.server]));
  const isLeft = (span: Span): boolean => !paired.has(span);
  return [...contained, ...pairSpans(ofEndpoints.filter(isLeft), roots.filter(isLeft), fits)];
}

/**
 * Requests that overlap can each have made several of the roots: then chance must explain fewer of those that fill
 * their request best, which under load are the ones that tell.
 */
function areSure(
  requests: readonly Span[],
  roots: readonly Span[],
  pairs: readonly Pair[],
  fits: (request: Span, root: Span) => boolean,
): boolean {
  if (pairs.every((pair) => pair.unique)) return pairs.length >= 2;
  const fills = pairs
    .map(({ client, server }) => measureFill(client, server))
    .sort((one, other) => one - other);
  const median = fills[fills.length >> 1] ?? 1;
  const countFilling = (moved: readonly Span[]): number =>
    pairSpans(requests, moved, (request, root) => fits(request, root) && measureFill(request, root) >= median)
      .length;
  const found = countFilling(roots);
  return found >= fewestBetween && isMoreThanChance(roots, found, countFilling);
}

function groupCallsByRequest(scene: Scene, calls: readonly Span[]): ReadonlyMap<Span, readonly Span[]> {
  const groups = new Map<Span, Span[]>();
  for (const client of calls) {
    const request = findEntry(scene.graph, client);
    if (request === null) continue;
    const known = groups.get(request);
    if (known === undefined) groups.set(request, [client]);
    else known.push(client);
  }
  return groups;
}

/** What sent the root is not what sent the request: nobody outside called both. */
function isSentByAnother(request: Span, root: Span): boolean {
  const outer = readCallFacts(request).userAgent;
  return outer !== null && outer !== readCallFacts(root).userAgent;
}

const candidates: readonly FindingId[] = [
  'client-not-instrumented',
  'server-not-instrumented',
  'header-not-sent',
  'not-sampled',
];

/** The CLIENT span without a child that a request had open when the root began; null where it had none. */
type FindOpenCall = (request: Span, root: Span) => Span | null;

/** A call that only a sidecar or a gateway continued, of whom no expectation speaks, may be lost beyond it. */
function findOpenCalls(scene: Scene, open: Open): FindOpenCall {
  const groups = scene.groups.filter(
    ({ clientKind, server }) => clientKind === 'CLIENT' && !isNamed(scene, server),
  );
  const ended = viewCalls(scene.graph, groups).map(({ client }) => client);
  const calls = groupCallsByRequest(scene, [...open.clients, ...ended]);
  return (request, root) => calls.get(request)?.find((client) => startsDuring(root, client)) ?? null;
}

/**
 * A request of the caller for each root, one to one: nothing but a client that makes no spans explains that, unless
 * the request did make a CLIENT span at that time. Then they fit by time only, as behind a gateway that rewrites.
 */
function describePairs(edge: ExpectedEdge, pairs: readonly Pair[], findOpenCall: FindOpenCall): Draft {
  const shown = pairs.map(({ client: request, server }) => ({
    request,
    server,
    client: findOpenCall(request, server),
  }));
  const hasClients = shown.some(({ client }) => client !== null);
  const decided = !hasClients && pairs.every((pair) => pair.unique);
  return {
    id: hasClients ? 'split-trace' : decided ? 'client-not-instrumented' : 'missing-call',
    ...describeEdge(
      edge,
      pairs.map((pair) => pair.server),
    ),
    ...(decided ? { isLikely: true } : { candidates: hasClients ? splitCauses : candidates }),
    shown: shown.map(({ request, server, client }) => ({
      client,
      server,
      says:
        client === null
          ? `root, while "${request.name}" of ${edge.client} (trace ${request.traceId}) was open and has no CLIENT span for it`
          : `root, while CLIENT ${client.spanId} of ${edge.client} was open: they fit by time only`,
    })),
  };
}

function describeRoots(edge: ExpectedEdge, roots: readonly Span[], hasCallers: boolean): Draft {
  return {
    id: 'missing-call',
    ...describeEdge(edge, roots),
    // A caller of which nothing is seen may not be instrumented at all.
    candidates: hasCallers ? candidates : moveToFront(candidates, 'server-not-instrumented'),
    shown: roots.map((server) => ({
      client: null,
      server,
      says: `root, and ${edge.client} shows no CLIENT or PRODUCER span that could have caused it`,
    })),
  };
}

function describeEdge(
  edge: ExpectedEdge,
  servers: readonly Span[],
): Pick<Draft, 'severity' | 'client' | 'server' | 'protocol'> {
  const protocol = servers[0] === undefined ? 'http' : edgeProtocol(readCallFacts(servers[0]).protocol);
  return { severity: 'error', client: edge.client, server: edge.server, protocol };
}
