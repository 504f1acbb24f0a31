import { areAwaited } from '../awaited.ts';
import { isHealthProbe, readCallFacts } from '../call-facts.ts';
import { isMoreThanChance } from '../chance.ts';
import { findEntry, isEntry, isOutgoing } from '../edge.ts';
import type { ExpectedEdge } from '../expectation.ts';
import type { FindingId } from '../finding.ts';
import { type Pair, pairSpans, startsDuring } from '../pair.ts';
import type { Span } from '../span.ts';
import {
  type Check,
  type Draft,
  edgeProtocol,
  hasCall,
  listUnseenEdges,
  type Open,
  type Scene,
} from './check.ts';
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
    const roots = open.roots.filter((span) => span.serviceName === edge.server && !isHealthProbe(span));
    const callers = scene.spansOf(edge.client);
    if (roots.length === 0) return [];
    const pairs = pairSpans(callers.filter(isEntry), roots, () => true);
    // Messages are read at any time later; requests while the caller's own request is open.
    const isQueued = roots.some((span) => span.kind === 'CONSUMER');
    if (!isQueued && pairs.length * 2 >= roots.length)
      return [describePairs(edge, pairs, findOpenCalls(scene, open))];
    return callers.some(isOutgoing) ? [] : [describeRoots(edge, roots, callers.length > 0)];
  });
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
    const roots = open.roots.filter(
      (span) => span.serviceName === edge.server && span.kind === 'SERVER' && !isHealthProbe(span),
    );
    const callers = scene.spansOf(edge.client);
    const calling = groupCallsByRequest(scene, callers.filter(isOutgoing));
    const callingRoutes = new Set([...calling.keys()].map((request) => request.name));
    const requests = callers.filter((span) => span.kind === 'SERVER');
    const isCalling = (request: Span): boolean => callingRoutes.has(request.name);
    const without = pairWithin(
      requests.filter((request) => !isCalling(request)),
      roots,
      isSentByAnother,
    );
    if (without.length > 0) return [describePairs(edge, without, () => null)];
    // Requests that show some of their calls: the root fills a time in which they show none.
    const between = (request: Span, root: Span): boolean =>
      isSentByAnother(request, root) &&
      !(calling.get(request) ?? []).some(
        (call) =>
          call.endTimeUnixNano > root.startTimeUnixNano && call.startTimeUnixNano < root.endTimeUnixNano,
      );
    const pairs = pairWithin(requests.filter(isCalling), roots, between);
    const isSure =
      pairs.length >= fewestBetween &&
      pairs.length === roots.length &&
      isMoreThanChance(
        roots,
        pairs.length,
        (moved) => pairWithin(requests.filter(isCalling), moved, between).length,
      );
    return isSure ? [describePairs(edge, pairs, () => null)] : [];
  });
}

/** Fewer roots between the calls of requests may be a coincidence. */
const fewestBetween = 5;

/** A root for every request of a route, one to one, within it and waited for; none where a request lacks one. */
function pairWithin(
  requests: readonly Span[],
  roots: readonly Span[],
  fits: (request: Span, root: Span) => boolean,
): readonly Pair[] {
  const sure = pairSpans(requests, roots, fits).filter(
    (pair) => pair.unique && pair.server.endTimeUnixNano <= pair.client.endTimeUnixNano,
  );
  const routes = new Set(sure.map((pair) => pair.client.name));
  const ofRoutes = requests.filter((request) => routes.has(request.name));
  const awaited = areAwaited(sure.map(({ client: request, server: call }) => ({ request, call })));
  return awaited && sure.length >= 2 && sure.length === ofRoutes.length ? sure : [];
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

function findOpenCalls(scene: Scene, open: Open): FindOpenCall {
  const calls = groupCallsByRequest(scene, open.clients);
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
