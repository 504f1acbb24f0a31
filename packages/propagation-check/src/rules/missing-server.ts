import {
  type CallFacts,
  type FactSource,
  fitsRoute,
  isHealthProbe,
  readAddress,
  readCallFacts,
  readDestination,
  readMethod,
  readOutcome,
  readPath,
  readRoute,
  readRpcMethod,
  readStatusCode,
} from '../calls/call-facts.ts';
import { type CallGroup, groupCalls, measureLag } from '../calls/call-group.ts';
import { withoutIds } from '../calls/endpoint.ts';
import { isExpected } from '../expect/expectation.ts';
import {
  compareRequests,
  endsWithin,
  limitComparisons,
  pairSpans,
  startsDuringAny,
} from '../pairing/pair.ts';
import type { Span } from '../span/span.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import {
  type Check,
  type Draft,
  edgeProtocol,
  hasSpans,
  isCovered,
  listUnseenEdges,
  type Open,
  type Scene,
} from './check.ts';
import type { FindingId } from './finding.ts';
import { splitCauses } from './split-trace.ts';

/**
 * CLIENT spans that were answered and nobody continued, although the peer is one that emits spans:
 * either other calls to the same place and route are whole, or the edge is expected. A cache in between
 * makes the former too, so that it fails only where the edge is expected.
 * Calls to peers that are not instrumented look the same without that and are left alone.
 */
export const findMissingServers: Check = (scene, open) => {
  const partial = findPartlyMissing(scene, open);
  const taken = new Set(partial.flatMap((draft) => draft.shown.map((shown) => shown.client)));
  const rest = { ...open, clients: open.clients.filter((span) => !taken.has(span)) };
  return [...partial, ...findWhollyMissing(scene, rest)];
};

function findPartlyMissing(scene: Scene, open: Open): readonly Draft[] {
  const edges = groupCalls(
    scene.groups.filter(({ clientKind }) => clientKind === 'CLIENT'),
    ({ client, server }) => keyFor(client, server),
  );
  const answered = Map.groupBy(
    open.clients.filter((span) => readOutcome(span) === 'answered'),
    (span) => span.serviceName,
  );
  return edges.flatMap((groups): readonly Draft[] => {
    const first = groups[0];
    const ofClient = first === undefined ? [] : (answered.get(first.client) ?? []);
    if (first === undefined || ofClient.length === 0) return [];
    const whole = summarizeCalls(
      scene,
      groups,
      new Set(ofClient.map((span) => nameTarget(readCallFacts(span)))),
    );
    const lonely = ofClient.filter((span) => isOfTheirKind(whole, span) && !isAnsweredByHop(span, whole));
    if (lonely.length === 0) return [];
    const edge = [first.client, first.server] as const;
    const lag = measureLag(scene.graph, groups, 'server');
    const certain = lonely.filter((span) =>
      isCovered(scene, first.server, span.startTimeUnixNano, span.endTimeUnixNano + lag),
    );
    if (certain.length === 0 || isFasterThanServer(scene, certain, groups)) return [];
    const severity = isExpected(scene.expectation, ...edge) ? 'error' : 'warning';
    const drafts = describe(
      ...edge,
      lonely,
      ['not-sampled', 'server-span-lost', 'server-not-instrumented'],
      severity,
    );
    const roots = open.roots
      .select(startsDuringAny(scene.graph, lonely), edge[1])
      .filter((root) => !isHealthProbe(root));
    const mayBeTheirs = (call: Span, root: Span): boolean => compareRequests(call, root) !== 'no';
    const isSplitByTime = pairSpans(lonely, roots, mayBeTheirs).length * 10 >= lonely.length * 9;
    return isSplitByTime ? drafts.map(asSplitTrace) : drafts;
  });
}

/** Route templates of one target that are looked at; bounds the work on hostile data. */
const maxRoutes = 500;

/** What whole calls to one target by one method asked for. */
interface RequestKinds {
  readonly rpcMethods: Set<string>;
  /** Exactly where the called service knows its routes, otherwise with ids left open. */
  readonly paths: Set<string>;
  readonly routes: Set<string>;
}

/** What whole calls of one edge say of requests to some targets. */
interface WholeCalls {
  readonly kinds: ReadonlyMap<string, RequestKinds>;
  readonly statusCodes: ReadonlySet<number | null>;
}

function summarizeCalls(
  { facts }: Scene,
  groups: readonly CallGroup[],
  targets: ReadonlySet<string>,
): WholeCalls {
  const ofTarget = new Map<string, RequestKinds>();
  const statusCodes = new Set<number | null>();
  for (const { clients, servers } of groups) {
    for (const [at, client] of clients.entries()) {
      const protocol = facts.protocolOf(client);
      const call = facts.at(client);
      statusCodes.add(readStatusCode(call));
      const rpcMethod = protocol === 'http' ? null : readRpcMethod(call);
      const method = readMethod(call);
      const target = nameTarget({ protocol, ...readAddress(call), method, rpcMethod });
      if (!targets.has(target)) continue;
      const path = readPath(call);
      const route = readRoute(facts.at(servers[at] ?? 0));
      const kinds = ofTarget.get(target) ?? {
        rpcMethods: new Set(),
        paths: new Set(),
        routes: new Set(),
      };
      ofTarget.set(target, kinds);
      if (rpcMethod !== null) kinds.rpcMethods.add(rpcMethod);
      if (path !== null) kinds.paths.add(route === null ? withoutIds(path) : path);
      if (route !== null && kinds.routes.size < maxRoutes) kinds.routes.add(route);
    }
  }
  return { kinds: ofTarget, statusCodes };
}

/** Whether a span has the method, target and route of a call that is whole. */
function isOfTheirKind(whole: WholeCalls, span: Span): boolean {
  const facts = readCallFacts(span);
  const kinds = whole.kinds.get(nameTarget(facts));
  const { path, rpcMethod } = facts;
  if (kinds === undefined) return false;
  if (rpcMethod !== null) return kinds.rpcMethods.has(rpcMethod);
  if (path === null) return false;
  return (
    kinds.paths.has(path) ||
    kinds.paths.has(withoutIds(path)) ||
    [...kinds.routes].some((route) => fitsRoute(path, route))
  );
}

type Target = Pick<CallFacts, 'protocol' | 'host' | 'port' | 'method' | 'rpcMethod'>;

/** RPC is told apart by its own method. */
function nameTarget({ protocol, host, port, method, rpcMethod }: Target): string {
  return keyFor(protocol, host, port, rpcMethod === null ? method : null);
}

/** An error that the called service itself never gave may come from a gateway in front of it. */
function isAnsweredByHop(span: Span, { statusCodes }: WholeCalls): boolean {
  const { protocol, statusCode } = readCallFacts(span);
  if (protocol !== 'http' || statusCode === null || statusCode < 300) return false;
  return !statusCodes.has(statusCode);
}

/**
 * Answers that came in half the time, and all sooner than any of the called service, come from a cache, and so do several of
 * which most came sooner than nearly all others: what is lost on the way is of every length.
 */
function isFasterThanServer(
  { graph, facts }: Scene,
  lonely: readonly Span[],
  groups: readonly CallGroup[],
): boolean {
  const quick = Float64Array.from(lonely, (span) =>
    Number(span.endTimeUnixNano - span.startTimeUnixNano),
  ).sort();
  const answered = groups
    .flatMap(({ clients }) => [...clients])
    .filter((row) => facts.outcomeOf(row) === 'answered');
  const whole = Float64Array.from(
    answered,
    (row) => (graph.ends[row] ?? 0) - (graph.starts[row] ?? 0),
  ).sort();
  const [slowest, usual] = [quick.at(-1) ?? 0, quick[quick.length >> 1] ?? 0];
  const usuallyAnswered = whole[whole.length >> 1] ?? 0;
  if (usual * 2 > usuallyAnswered) return false;
  if (slowest < (whole[0] ?? 0)) return true;
  const nearlyAll = whole[Math.floor(whole.length / 10)] ?? 0;
  return quick.length >= fewestQuick && slowest < usuallyAnswered && usual < nearlyAll;
}

/** Of fewer answers without a SERVER span it may be chance that they are the quick ones. */
const fewestQuick = 3;

function findWhollyMissing(scene: Scene, open: Open): readonly Draft[] {
  return listUnseenEdges(scene, open).flatMap((edge) => {
    const lonely = open.clients.filter(
      (span) =>
        span.serviceName === edge.client && (span.kind === 'PRODUCER' || readOutcome(span) === 'answered'),
    );
    const calls = selectCallsTo(scene, open, lonely, edge.server);
    const drafts = describe(
      edge.client,
      edge.server,
      calls,
      rankCauses(scene, edge.server, isToward(scene, calls, edge.server)),
      'error',
    );
    return isSplit(scene, open, calls, edge.server) ? drafts.map(asSplitTrace) : drafts;
  });
}

/** The service did make spans for such requests, as roots: sampled apart, at times that do not fit, or without a kind. */
function isSplit(scene: Scene, open: Open, calls: readonly Span[], server: string): boolean {
  const requests = open.roots.of(server);
  const hasServerSpans = limitComparisons(calls, requests).some((root) =>
    calls.some((call) => compareRequests(call, root) === 'yes'),
  );
  if (hasServerSpans || hasEntries(scene, server)) return hasServerSpans;
  const roots = scene
    .selectSpans(server, (row) => scene.graph.isRoot(row))
    .filter((span) => span.kind === 'INTERNAL');
  const pairs = pairSpans(calls, roots, (call, root) => endsWithin(root, call));
  return pairs.length * 10 >= Math.max(calls.length, roots.length) * 9;
}

function asSplitTrace(draft: Draft): Draft {
  return { ...draft, id: 'split-trace', candidates: [...splitCauses, 'not-sampled'] };
}

/**
 * The calls that can be meant: named like the service, or to its port, or to the target that most requests call.
 * The last is no argument while the service shows enough requests whose caller is unknown: those are the calls.
 */
function selectCallsTo(scene: Scene, open: Open, lonely: readonly Span[], server: string): readonly Span[] {
  const named = lonely.filter((span) => isNamed(span, server));
  if (named.length > 0) return named;
  const entries = limitComparisons(lonely, listServers(scene, server));
  const known = lonely.filter((span) => isKnownTo(entries, span));
  if (known.length > 0) return known;
  const taken = listTargets(scene);
  const groups = groupBy(
    lonely.filter((span) => !taken.has(targetOf(span))),
    targetOf,
  );
  const most = [...groups].sort((left, right) => right.length - left.length)[0] ?? [];
  const requests = open.roots.of(server).filter((span) => !isHealthProbe(span));
  return requests.length * 2 < most.length || requests.length === 0 ? most : [];
}

function listServers(scene: Scene, service: string): readonly Span[] {
  return scene
    .selectSpans(service, (row) => scene.graph.isEntry(row))
    .filter((span) => span.kind === 'SERVER');
}

/** Whether the data say, more than by exclusion, that calls go to this service. */
function isToward(scene: Scene, calls: readonly Span[], server: string): boolean {
  const entries = limitComparisons(calls, listServers(scene, server));
  return calls.every((span) => span.kind === 'PRODUCER' || isNamed(span, server) || isKnownTo(entries, span));
}

function isNamed(span: Span, server: string): boolean {
  const host = readCallFacts(span).host?.toLowerCase() ?? '';
  return host === server.toLowerCase() || host.startsWith(`${server.toLowerCase()}.`);
}

function isKnownTo(entries: readonly Span[], span: Span): boolean {
  return entries.some((entry) => compareRequests(span, entry) === 'yes');
}

function hasEntries({ services }: Scene, service: string): boolean {
  return services.hasKind(service, 'SERVER') || services.hasKind(service, 'CONSUMER');
}

function targetOf(span: Span): string {
  return nameAddress(span.kind, span);
}

function nameAddress(kind: Span['kind'], call: FactSource): string {
  if (kind === 'PRODUCER') return keyFor(readDestination(call));
  const { host, port } = readAddress(call);
  return keyFor(host, port);
}

/** Of all whole calls. */
function listTargets({ groups, facts }: Scene): ReadonlySet<string> {
  const targets = new Set<string>();
  for (const { clients, clientKind } of groups) {
    for (const row of clients) targets.add(nameAddress(clientKind, facts.at(row)));
  }
  return targets;
}

/** Calls that only may be meant leave open that the real ones have no CLIENT span. */
function rankCauses(scene: Scene, server: string, isCertain: boolean): readonly FindingId[] {
  const causes: readonly FindingId[] = !hasSpans(scene, server)
    ? ['server-span-lost', 'server-not-instrumented', 'not-sampled']
    : hasEntries(scene, server)
      ? ['not-sampled', 'server-not-instrumented', 'server-span-lost']
      : ['server-not-instrumented', 'not-sampled', 'server-span-lost'];
  return isCertain ? causes : [...causes, 'client-not-instrumented'];
}

function describe(
  client: string | null,
  server: string | null,
  lonely: readonly Span[],
  candidates: readonly FindingId[],
  severity: Draft['severity'],
): readonly Draft[] {
  const first = lonely[0];
  if (first === undefined) return [];
  return [
    {
      id: 'missing-server',
      severity,
      client,
      server,
      protocol: edgeProtocol(readCallFacts(first).protocol),
      candidates,
      shown: lonely.map((span) => ({
        client: span,
        server: null,
        says: `${span.kind} ${span.spanId} was answered, and no SERVER span of ${server ?? 'the peer'} has it as its parent`,
      })),
    },
  ];
}
