import { fitsRoute, isHealthProbe, readCallFacts, readOutcome } from '../calls/call-facts.ts';
import { type Call, isEntry } from '../calls/edge.ts';
import { withoutIds } from '../calls/endpoint.ts';
import { type ExpectedEdge, isExpected } from '../expect/expectation.ts';
import { isRoot } from '../graph/trace-graph.ts';
import { bounds } from '../pairing/bounds.ts';
import { compareRequests, endsWithin, limitComparisons, pairSpans } from '../pairing/pair.ts';
import type { Span } from '../span/span.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import {
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
import { gate, rule } from './rule.ts';
import { splitCauses, finding as splitTrace } from './split-trace.ts';

export const finding = defineFinding('missing-server', {
  kind: 'symptom',
  isConclusive: false,
  shows: 'A CLIENT without a child, nothing of B for it',
  title: 'The called service left no SERVER span',
  why: 'The call was answered, but nothing of the called service hangs under it.',
  fix: 'Check in the called service: is its server instrumented, is it sampled, does its exporter deliver?',
});

/** Calls of one edge that have no child, like others of it that are whole. */
interface PartlyMissing {
  readonly scene: Scene;
  readonly client: string | null;
  readonly server: string | null;
  readonly calls: readonly Call[];
  /** CLIENT spans that were answered, to the place and route of whole calls. */
  readonly lonely: readonly Span[];
  /** Those of a time from which the called service delivered spans. */
  readonly certain: readonly Span[];
  readonly isExpected: boolean;
  /** Nearly all of them fit a root of the called service by time. */
  readonly isSplitByTime: boolean;
}

/**
 * CLIENT spans that were answered and nobody continued, although the peer is one that emits spans: other calls to the same place
 * and route are whole. A cache in between makes the same picture, so that it fails only where the edge is expected.
 * Calls to peers that are not instrumented look the same without whole calls and are left alone.
 */
export const partlyMissingServers = rule<PartlyMissing>({
  finding,
  measure: (scene, open) => {
    const edges = groupBy(
      scene.calls.filter((call) => call.client.kind === 'CLIENT'),
      (call) => keyFor(call.client.serviceName, call.server.serviceName),
    );
    return edges.flatMap((calls): readonly PartlyMissing[] => {
      const first = calls[0];
      if (first === undefined) return [];
      const [client, server] = [first.client.serviceName, first.server.serviceName];
      const isOfTheirKind = indexRequestKinds(calls);
      const statusCodes = new Set(calls.map((call) => readCallFacts(call.client).statusCode));
      const lonely = open.clients.filter(
        (span) =>
          span.serviceName === client &&
          readOutcome(span) === 'answered' &&
          isOfTheirKind(span) &&
          !isAnsweredByHop(span, statusCodes),
      );
      if (lonely.length === 0) return [];
      const lag = measureLag(calls, 'server');
      const roots = open.roots.filter((root) => root.serviceName === server && !isHealthProbe(root));
      const mayBeTheirs = (call: Span, root: Span): boolean => compareRequests(call, root) !== 'no';
      const pairs = pairSpans(lonely, roots, mayBeTheirs, scene.thresholds);
      return [
        {
          scene,
          client,
          server,
          calls,
          lonely,
          certain: lonely.filter((span) =>
            isCovered(scene, server, span.startTimeUnixNano, span.endTimeUnixNano + lag),
          ),
          isExpected: isExpected(scene.expectation, client, server),
          isSplitByTime: pairs.length >= lonely.length * scene.thresholds.splitByTimeShare,
        },
      ];
    });
  },
  gates: [
    gate(
      'the called service delivered spans from before and after the call',
      ({ certain }) => certain.length > 0,
      ({ lonely }) => `of none of ${lonely.length} calls: the capture may be cut`,
    ),
    gate(
      'the answers are not those of a cache',
      ({ scene, certain, calls }) => !isFasterThanServer(scene, certain, calls),
      ({ certain, calls }) => tellDurations(certain, calls),
    ),
  ],
  looseEnds: ({ lonely }) => lonely,
  report: ({ client, server, lonely, isExpected, isSplitByTime }) => {
    const found = isSplitByTime ? splitTrace : finding;
    return found.report({
      severity: isExpected ? 'error' : 'warning',
      ...describe(client, server, lonely),
      candidates: isSplitByTime
        ? splitByTimeCauses
        : ['not-sampled', 'server-span-lost', 'server-not-instrumented'],
    });
  },
  whyNot: (scene, _, looseEnd) => {
    if (looseEnd.kind !== 'CLIENT') return null;
    const outcome = readOutcome(looseEnd);
    if (outcome !== 'answered')
      return outcome === 'unreached'
        ? 'the call failed: nobody may have been reached'
        : 'nothing says that the call was answered';
    const whole = scene.calls.filter(({ client }) => client.serviceName === looseEnd.serviceName);
    const alike = whole.filter(({ client }) => nameTarget(client) === nameTarget(looseEnd));
    if (alike.length === 0)
      return 'no call to the same target is whole, and no expectation names the called service';
    return indexRequestKinds(alike)(looseEnd)
      ? 'the answer is none that the called service gave elsewhere: a hop may have answered'
      : `${alike.length} calls to the same target are whole, none of the same route`;
  },
});

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

function tellDurations(lonely: readonly Span[], calls: readonly Call[]): string {
  const usual = (spans: readonly Span[]): string => {
    const sorted = sortNumbers(spans.map((span) => Number(span.endTimeUnixNano - span.startTimeUnixNano)));
    return `${((sorted[sorted.length >> 1] ?? 0) / 1_000_000).toFixed(1)} ms`;
  };
  return `usually ${usual(lonely)}, whole calls ${usual(calls.map(({ client }) => client))}`;
}

function sortNumbers(values: readonly number[]): readonly number[] {
  return [...values].sort((left, right) => left - right);
}

/** The calls that can be meant by an expected edge of which nothing is whole. */
interface WhollyMissing {
  readonly scene: Scene;
  readonly edge: ExpectedEdge;
  /** CLIENT spans that were answered, and PRODUCER spans, of the caller. */
  readonly lonely: readonly Span[];
  readonly calls: readonly Span[];
  readonly isSplit: boolean;
}

/** CLIENT spans that were answered and nobody continued, on an expected edge of which no call is whole. */
export const whollyMissingServers = rule<WhollyMissing>({
  finding,
  measure: (scene, open) =>
    listUnseenEdges(scene, open).flatMap((edge) => {
      const lonely = open.clients.filter(
        (span) =>
          span.serviceName === edge.client && (span.kind === 'PRODUCER' || readOutcome(span) === 'answered'),
      );
      if (lonely.length === 0) return [];
      const calls = selectCallsTo(scene, open, lonely, edge.server);
      return [{ scene, edge, lonely, calls, isSplit: isSplit(scene, open, calls, edge.server) }];
    }),
  gates: [
    gate(
      'calls can be meant: named like the service, to its port, or to the target that most call',
      ({ calls }) => calls.length > 0,
      ({ edge, lonely }) =>
        `none of ${lonely.length} calls of ${edge.client}, as ${edge.server} shows requests of unknown callers, or other calls went to the same target`,
    ),
  ],
  looseEnds: ({ lonely, calls }) => (calls.length > 0 ? calls : lonely),
  report: ({ scene, edge: { client, server }, calls, isSplit }) =>
    (isSplit ? splitTrace : finding).report({
      ...describe(client, server, calls),
      candidates: isSplit ? splitByTimeCauses : rankCauses(scene, server, isToward(scene, calls, server)),
    }),
});

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

const splitByTimeCauses: readonly FindingId[] = [...splitCauses, 'not-sampled'];

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
): Pick<Draft, 'client' | 'server' | 'protocol' | 'shown'> {
  const protocol = lonely[0] === undefined ? 'http' : edgeProtocol(readCallFacts(lonely[0]).protocol);
  return {
    client,
    server,
    protocol,
    shown: lonely.map((span) => ({
      client: span,
      server: null,
      says: `${span.kind} ${span.spanId} was answered, and no SERVER span of ${server ?? 'the peer'} has it as its parent`,
    })),
  };
}
