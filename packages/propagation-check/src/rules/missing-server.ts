import { fitsRoute, isHealthProbe, readCallFacts, readOutcome } from '../calls/call-facts.ts';
import { type Call, isEntry } from '../calls/edge.ts';
import { withoutIds } from '../calls/endpoint.ts';
import { isExpected } from '../expect/expectation.ts';
import { isRoot } from '../graph/trace-graph.ts';
import { bounds } from '../pairing/bounds.ts';
import { compareRequests, endsWithin, limitComparisons, pairSpans } from '../pairing/pair.ts';
import type { Span } from '../span/span.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import {
  type Check,
  type Draft,
  edgeProtocol,
  hasSpans,
  isCovered,
  listUnseenEdges,
  measureLag,
  type Open,
  type Scene,
} from './check.ts';
import { defineFinding } from './define-finding.ts';
import type { FindingId } from './finding.ts';
import { splitCauses, finding as splitTrace } from './split-trace.ts';

export const finding = defineFinding('missing-server', {
  kind: 'symptom',
  isConclusive: false,
  shows: 'A CLIENT without a child, nothing of B for it',
  title: 'The called service left no SERVER span',
  why: 'The call was answered, but nothing of the called service hangs under it.',
  fix: 'Check in the called service: is its server instrumented, is it sampled, does its exporter deliver?',
});

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
  const edges = groupBy(
    scene.calls.filter((call) => call.client.kind === 'CLIENT'),
    (call) => keyFor(call.client.serviceName, call.server.serviceName),
  );
  return edges.flatMap((calls): readonly Draft[] => {
    const first = calls[0];
    if (first === undefined) return [];
    const isOfTheirKind = indexRequestKinds(calls);
    const statusCodes = new Set(calls.map((call) => readCallFacts(call.client).statusCode));
    const lonely = open.clients.filter(
      (span) =>
        span.serviceName === first.client.serviceName &&
        readOutcome(span) === 'answered' &&
        isOfTheirKind(span) &&
        !isAnsweredByHop(span, statusCodes),
    );
    const edge = [first.client.serviceName, first.server.serviceName] as const;
    const lag = measureLag(calls, 'server');
    const certain = lonely.filter((span) =>
      isCovered(scene, first.server.serviceName, span.startTimeUnixNano, span.endTimeUnixNano + lag),
    );
    if (certain.length === 0 || isFasterThanServer(scene, certain, calls)) return [];
    const severity = isExpected(scene.expectation, ...edge) ? 'error' : 'warning';
    const drafts = describe(
      ...edge,
      lonely,
      ['not-sampled', 'server-span-lost', 'server-not-instrumented'],
      severity,
    );
    const roots = open.roots.filter((root) => root.serviceName === edge[1] && !isHealthProbe(root));
    const mayBeTheirs = (call: Span, root: Span): boolean => compareRequests(call, root) !== 'no';
    const pairs = pairSpans(lonely, roots, mayBeTheirs, scene.thresholds);
    const isSplitByTime = pairs.length >= lonely.length * scene.thresholds.splitByTimeShare;
    return isSplitByTime ? drafts.map(asSplitTrace) : drafts;
  });
}

/** What whole calls to one target by one method asked for. */
interface RequestKinds {
  readonly rpcMethods: Set<string>;
  /** Exactly where the called service knows its routes, otherwise with ids left open. */
  readonly paths: Set<string>;
  readonly routes: Set<string>;
}

/** Tells whether a span has the method, target and route of a call that is whole. */
function indexRequestKinds(calls: readonly Call[]): (span: Span) => boolean {
  const ofTarget = new Map<string, RequestKinds>();
  for (const { client, server } of calls) {
    const [{ path, rpcMethod }, { route }] = [readCallFacts(client), readCallFacts(server)];
    const kinds = ofTarget.get(nameTarget(client)) ?? {
      rpcMethods: new Set(),
      paths: new Set(),
      routes: new Set(),
    };
    ofTarget.set(nameTarget(client), kinds);
    if (rpcMethod !== null) kinds.rpcMethods.add(rpcMethod);
    if (path !== null) kinds.paths.add(route === null ? withoutIds(path) : path);
    if (route !== null && kinds.routes.size < bounds.routes) kinds.routes.add(route);
  }
  return (span) => {
    const kinds = ofTarget.get(nameTarget(span));
    const { path, rpcMethod } = readCallFacts(span);
    if (kinds === undefined) return false;
    if (rpcMethod !== null) return kinds.rpcMethods.has(rpcMethod);
    if (path === null) return false;
    return (
      kinds.paths.has(path) ||
      kinds.paths.has(withoutIds(path)) ||
      [...kinds.routes].some((route) => fitsRoute(path, route))
    );
  };
}

/** RPC is told apart by its own method. */
function nameTarget(span: Span): string {
  const { protocol, host, port, method, rpcMethod } = readCallFacts(span);
  return keyFor(protocol, host, port, rpcMethod === null ? method : null);
}

/** Status codes from here on are no success (RFC 9110, section 15). */
const firstRedirect = 300;

/** An error that the called service itself never gave may come from a gateway in front of it. */
function isAnsweredByHop(span: Span, given: ReadonlySet<number | null>): boolean {
  const { protocol, statusCode } = readCallFacts(span);
  if (protocol !== 'http' || statusCode === null || statusCode < firstRedirect) return false;
  return !given.has(statusCode);
}

/**
 * Answers that came in half the time, and all sooner than any of the called service, come from a cache, and so do several of
 * which most came sooner than nearly all others: what is lost on the way is of every length.
 */
function isFasterThanServer({ thresholds }: Scene, lonely: readonly Span[], calls: readonly Call[]): boolean {
  const durationOf = (span: Span): number => Number(span.endTimeUnixNano - span.startTimeUnixNano);
  const quick = sortNumbers(lonely.map(durationOf));
  const whole = calls.map((call) => call.client).filter((client) => readOutcome(client) === 'answered');
  const answered = sortNumbers(whole.map(durationOf));
  const [slowest, usual] = [quick.at(-1) ?? 0, quick[quick.length >> 1] ?? 0];
  const usuallyAnswered = answered[answered.length >> 1] ?? 0;
  if (usual > usuallyAnswered * thresholds.cachedDuration) return false;
  if (slowest < (answered[0] ?? 0)) return true;
  const nearlyAll = answered[Math.floor(answered.length * thresholds.quickestAnswers)] ?? 0;
  return quick.length >= thresholds.fewestCached && slowest < usuallyAnswered && usual < nearlyAll;
}

function sortNumbers(values: readonly number[]): readonly number[] {
  return [...values].sort((left, right) => left - right);
}

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
  const requests = open.roots.filter((root) => root.serviceName === server);
  const hasServerSpans = limitComparisons(calls, requests).some((root) =>
    calls.some((call) => compareRequests(call, root) === 'yes'),
  );
  const spans = scene.spansOf(server);
  if (hasServerSpans || spans.some(isEntry)) return hasServerSpans;
  const roots = spans.filter((span) => span.kind === 'INTERNAL' && isRoot(span));
  const { thresholds } = scene;
  const pairs = pairSpans(calls, roots, (call, root) => endsWithin(root, call, thresholds), thresholds);
  return pairs.length >= Math.max(calls.length, roots.length) * thresholds.splitWithoutKindShare;
}

function asSplitTrace(draft: Draft): Draft {
  return splitTrace.report({ ...draft, candidates: [...splitCauses, 'not-sampled'] });
}

/**
 * The calls that can be meant: named like the service, or to its port, or to the target that most requests call.
 * The last is no argument while the service shows enough requests whose caller is unknown: those are the calls.
 */
function selectCallsTo(scene: Scene, open: Open, lonely: readonly Span[], server: string): readonly Span[] {
  const named = lonely.filter((span) => isNamed(span, server));
  if (named.length > 0) return named;
  const entries = limitComparisons(lonely, scene.spansOf(server).filter(isServer));
  const known = lonely.filter((span) => isKnownTo(entries, span));
  if (known.length > 0) return known;
  const taken = new Set(scene.calls.map((call) => targetOf(call.client)));
  const groups = groupBy(
    lonely.filter((span) => !taken.has(targetOf(span))),
    targetOf,
  );
  const most = [...groups].sort((left, right) => right.length - left.length)[0] ?? [];
  const requests = open.roots.filter((span) => span.serviceName === server && !isHealthProbe(span));
  return requests.length < most.length * scene.thresholds.strayRequestsShare || requests.length === 0
    ? most
    : [];
}

/** Whether the data say, more than by exclusion, that calls go to this service. */
function isToward(scene: Scene, calls: readonly Span[], server: string): boolean {
  const entries = limitComparisons(calls, scene.spansOf(server).filter(isServer));
  return calls.every((span) => span.kind === 'PRODUCER' || isNamed(span, server) || isKnownTo(entries, span));
}

function isNamed(span: Span, server: string): boolean {
  const host = readCallFacts(span).host?.toLowerCase() ?? '';
  return host === server.toLowerCase() || host.startsWith(`${server.toLowerCase()}.`);
}

function isKnownTo(entries: readonly Span[], span: Span): boolean {
  return entries.some((entry) => compareRequests(span, entry) === 'yes');
}

function isServer(span: Span): boolean {
  return span.kind === 'SERVER';
}

function targetOf(span: Span): string {
  const { host, port, destination } = readCallFacts(span);
  return span.kind === 'PRODUCER' ? keyFor(destination) : keyFor(host, port);
}

/** Calls that only may be meant leave open that the real ones have no CLIENT span. */
function rankCauses(scene: Scene, server: string, isCertain: boolean): readonly FindingId[] {
  const causes: readonly FindingId[] = !hasSpans(scene, server)
    ? ['server-span-lost', 'server-not-instrumented', 'not-sampled']
    : scene.spansOf(server).some(isEntry)
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
    finding.report({
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
    }),
  ];
}
