import { asksBroker, isSend } from '../calls/broker-api.ts';
import { type CallFacts, readCallFacts } from '../calls/call-facts.ts';
import { viewCalls } from '../calls/call-group.ts';
import { isEntry, isOutgoing } from '../calls/edge.ts';
import { nameEndpoints } from '../calls/endpoint.ts';
import { readOutcome } from '../calls/outcome.ts';
import { isHealthProbe } from '../calls/probes.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import { isRoot } from '../graph/trace-graph.ts';
import { areAwaited, measureFill } from '../pairing/awaited.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { asHttp } from '../pairing/compare-requests.ts';
import { areNearlyAllPaired } from '../pairing/displaced.ts';
import { type Pair, pairSpans } from '../pairing/pair-spans.ts';
import { endsWithin, startsDuring, type Tolerances } from '../pairing/times.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { groupBy } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { median } from '../util/statistics.ts';
import { groupCallsByRequest, hasOpenCall } from './calls-of-requests.ts';
import { finding as clientNotInstrumented } from './client-not-instrumented.ts';
import { defineFinding } from './define-finding.ts';
import { listDirectCalls } from './direct-calls.ts';
import { type Draft, protocolOf } from './draft.ts';
import { hasCall, isInExpectation, listUnseenEdges } from './expected-calls.ts';
import type { FindingId } from './finding.ts';
import { suggestService } from './misspelt-service.ts';
import { gate, rule } from './rule.ts';
import type { Open, Scene } from './scene.ts';
import { moveToFront, splitCauses } from './split-causes.ts';
import { messageCauses } from './split-message.ts';
import { finding as splitTrace } from './split-trace.ts';
import type { Thresholds } from './thresholds.ts';

export const finding = defineFinding('missing-call', {
  kind: 'symptom',
  isConclusive: false,
  shows: "A's SERVER without a CLIENT, a root of B within its time",
  title: 'The caller has no span for the call',
  why: 'The called service began traces of its own, or has no span at all.',
  fix: 'Check in the caller: which client library (HTTP, gRPC, messaging) makes the call, is it instrumented, and loaded after the instrumentation? If it is a proxy: does it forward the header, or write its own?',
  ofMessages: {
    title: 'The sender has no PRODUCER span',
    why: 'The sender has no PRODUCER span: the receiving service began traces of its own, or has no span at all.',
    fix: 'Check in the sender: is the instrumentation of its messaging library enabled, and loaded before that library? A CLIENT span of the API of a broker puts no header into a message.',
  },
});

/** An expected edge without a whole call, and the roots of the called service. */
interface UnseenCalls {
  readonly edge: ExpectedEdge;
  readonly roots: readonly Span[];
  /** The roots of programs that begin no trace at the caller, if they are enough to be judged separately; otherwise all roots. */
  readonly ofCaller: readonly Span[];
  readonly callers: readonly Span[];
  /** The roots whose traces have no call from the called service to the caller. */
  readonly notCalling: readonly Span[];
  /** Roots with the requests of the caller during which they began. */
  readonly pairs: readonly Pair[];
  readonly findOpenCall: FindOpenCall;
}

/**
 * Reports an expected edge whose caller has no CLIENT span for it, while the called service began traces. Without an expectation direct
 * callers look the same, so nothing is reported.
 */
export const whollyMissingCalls = rule<UnseenCalls>({
  finding,
  measure: (scene, open) => {
    const callFinder = remember(() => findOpenCalls(scene, open));
    return listUnseenEdges(scene, open).flatMap((edge) => {
      const roots = open.roots.of(edge.server).filter((span) => !isHealthProbe(span));
      if (roots.length === 0) return [];
      const callers = scene.spansOf(edge.client);
      const own = withoutOutsiders(scene, edge, roots);
      const ofCaller = own.length >= roots.length * scene.thresholds.insidersShare ? own : roots;
      const pairs = pairAllWithRequests(callers.filter(isEntry), ofCaller, scene.thresholds);
      const calling = new Set(
        scene.callsBetween(edge.server, edge.client).map(({ client }) => client.traceId),
      );
      const notCalling = roots.filter((root) => !calling.has(root.traceId));
      const findOpenCall: FindOpenCall = (request, root) => callFinder()(request, root);
      return [{ edge, roots, ofCaller, callers, notCalling, pairs, findOpenCall }];
    });
  },
  gates: [
    gate(
      'no call of the caller goes past the called service',
      ({ edge }, scene) => listDirectCalls(scene, edge).length === 0,
      ({ edge }) => `the services beyond ${edge.server} continue calls of ${edge.client}`,
    ),
    // The expected name may be wrong, or outside callers may send the requests.
    gate(
      'the caller has spans, or no service has a similar name and no whole call reaches the called service',
      ({ edge, callers }, scene) => callers.length > 0 || describeOtherCaller(scene, edge) === null,
      ({ edge }, scene) => `${edge.client} has no spans, and ${describeOtherCaller(scene, edge)}`,
    ),
    gate(
      'a call of the caller was answered, or the caller has no call',
      ({ callers }) => !hasReachedNobody(callers),
      ({ edge }) => `all calls of ${edge.client} failed: the roots belong to other callers`,
    ),
    gate(
      'most roots began during requests of the caller, or the caller has no call at all',
      (edge, scene) =>
        isDuringRequests(edge, scene) || !edge.callers.some((span) => isOutgoing(span) || isSend(span)),
      ({ pairs, ofCaller }) => `${pairs.length} of ${countOf(ofCaller.length, 'root')}`,
    ),
    gate(
      'roots began during requests of the caller, or did not lead to calls to the caller',
      (edge, scene) => isDuringRequests(edge, scene) || edge.notCalling.length > 0,
      ({ edge, roots }) => `in each of ${countOf(roots.length, 'trace')} ${edge.server} calls ${edge.client}`,
    ),
  ],
  looseEnds: ({ roots }) => roots,
  report: (unseen, scene) =>
    isDuringRequests(unseen, scene)
      ? describePairs(scene, unseen.edge, unseen.pairs, unseen.findOpenCall)
      : describeRoots(unseen.edge, unseen.notCalling, unseen.callers.length > 0),
  whyNot: (scene, _, looseEnd) => {
    if (looseEnd.kind !== 'SERVER' || !isRoot(looseEnd)) return null;
    if (isHealthProbe(looseEnd)) return 'a health probe by its name';
    const isExpected = scene.expectation.edges.some(
      (edge) => edge.server === looseEnd.serviceName && edge.rule === 'must',
    );
    return isExpected
      ? `every expected edge to ${looseEnd.serviceName} has whole calls, or another report`
      : `no expectation names a caller of ${looseEnd.serviceName}: it may be called from outside`;
  },
});

/** Why the roots may belong to another caller than the expected one without spans; null if nothing suggests that. */
function describeOtherCaller(scene: Scene, { client, server }: ExpectedEdge): string | null {
  if (suggestService(scene, client) !== null) return 'a service has a similar name';
  return scene.groupsInto(server).length > 0 ? `whole calls reach ${server}` : null;
}

/** Messages may be received at any later time, requests only while a request of the caller is open. */
function isDuringRequests({ roots, ofCaller, pairs }: UnseenCalls, { thresholds }: Scene): boolean {
  const isQueued = roots.some((span) => span.kind === 'CONSUMER');
  return !isQueued && pairs.length >= ofCaller.length * thresholds.missingCallShare;
}

/** Whether the caller has CLIENT spans and none was answered: then the roots belong to other callers. */
function hasReachedNobody(callers: readonly Span[]): boolean {
  const calls = callers.filter((span) => span.kind === 'CLIENT' && isOutgoing(span));
  return calls.length > 0 && calls.every((call) => readOutcome(call) === 'unreached');
}

/** Pairs each root with the request during which it began. A request may have made several calls. */
function pairAllWithRequests(
  requests: readonly Span[],
  roots: readonly Span[],
  tolerances: Tolerances,
): readonly Pair[] {
  const pairs = pairSpans(requests, roots, () => true, tolerances);
  const paired = new Set(pairs.map((pair) => pair.server));
  const agents = new Set(pairs.map((pair) => readCallFacts(pair.server).userAgent));
  const left = roots.filter((root) => !paired.has(root) && agents.has(readCallFacts(root).userAgent));
  const endsDuring = (request: Span, one: Span): boolean => endsWithin(one, request, tolerances);
  const more = left.flatMap((root) => pairSpans(requests, [root], endsDuring, tolerances));
  return [...pairs, ...more];
}

/** An expected edge with whole calls, and the roots of the called service. */
interface PartlyUnseenCalls {
  readonly edge: ExpectedEdge;
  readonly roots: readonly Span[];
  /** The roots of programs (user agents) that begin no trace at the caller. */
  readonly own: readonly Span[];
  /** Roots with the requests of the caller that waited for them. */
  readonly pairs: readonly Pair[];
}

/**
 * Some calls of an edge are whole and others have no CLIENT span: one of several client libraries is not instrumented. Outside callers of
 * both services look the same, unless every request of one route encloses such a root, one to one, and another program (user agent) sent
 * the root than the request.
 */
export const partlyMissingCalls = rule<PartlyUnseenCalls>({
  finding,
  measure: (scene, open) => {
    const seen = scene.expectation.edges.filter(
      (edge) => edge.rule === 'must' && hasCall(scene, edge.client, edge.server),
    );
    return seen.flatMap((edge) => {
      const roots = open.roots
        .of(edge.server)
        .filter((span) => span.kind === 'SERVER' && !isHealthProbe(span));
      if (roots.length === 0) return [];
      // Each client library has one user agent. Outside callers have others, and may call both services.
      const own = withoutOutsiders(scene, edge, roots);
      const pairs = groupBy(own, (root) => readCallFacts(root).userAgent ?? '').flatMap((ofAgent) =>
        pairWithRequests(scene, edge, ofAgent),
      );
      return [{ edge, roots, own, pairs }];
    });
  },
  gates: [
    gate(
      'some roots came from programs that do not call the caller as well',
      ({ own }) => own.length > 0,
      ({ roots }) => `none of ${roots.length}`,
    ),
    gate(
      'every request of one route of the caller encloses such a root, and waited for it',
      ({ pairs }) => pairs.length > 0,
      ({ edge, own }) => `of no route of ${edge.client}, with ${countOf(own.length, 'root')}`,
    ),
  ],
  looseEnds: ({ roots }) => roots,
  report: ({ edge, pairs }, scene) => describePairs(scene, edge, pairs, () => null),
});

/** Leaves out roots of programs that begin traces at the caller too, such as those that scrape all services. */
export function withoutOutsiders(
  scene: Scene,
  edge: Pick<ExpectedEdge, 'client'>,
  roots: readonly Span[],
): readonly Span[] {
  const outside = new Set(
    scene
      .spansOf(edge.client)
      .filter((span) => span.kind === 'SERVER' && isRoot(span))
      .flatMap((span) => readCallFacts(span).userAgent ?? []),
  );
  return roots.filter((root) => !outside.has(readCallFacts(root).userAgent ?? ''));
}

function pairWithRequests(scene: Scene, edge: ExpectedEdge, roots: readonly Span[]): readonly Pair[] {
  const { thresholds } = scene;
  const callers = scene.spansOf(edge.client);
  const calling = groupCallsByRequest(scene, callers.filter(isOutgoing));
  const endpointOf = nameEndpoints(callers);
  const callingEndpoints = new Set(callers.filter((span) => calling.has(span)).map(endpointOf));
  const requests = callers.filter((span) => span.kind === 'SERVER' && !isHealthProbe(span));
  const isCalling = (request: Span): boolean => callingEndpoints.has(endpointOf(request));
  const without = pairWithin(
    requests.filter((request) => !isCalling(request)),
    roots,
    isSentByAnother,
    endpointOf,
    thresholds,
  );
  if (without.length > 0) return without;
  // For requests that show some of their calls: the root lies in a time without an open call.
  const between = (request: Span, root: Span): boolean =>
    isSentByAnother(request, root) && !hasOpenCall(calling, request, root);
  const pairs = pairWithin(requests.filter(isCalling), roots, between, endpointOf, thresholds);
  const isSure =
    pairs.length >= thresholds.fewestDisplaced &&
    pairs.length === roots.length &&
    isMoreThanChance(
      roots,
      pairs.length,
      (moved) => pairWithin(requests.filter(isCalling), moved, between, endpointOf, thresholds).length,
      thresholds,
    );
  return isSure ? pairs : [];
}

/** Pairs (nearly) every request of an endpoint with a root within it that the request waited for, one to one; otherwise no pairs. */
export function pairWithin(
  requests: readonly Span[],
  roots: readonly Span[],
  fits: (request: Span, root: Span) => boolean,
  endpointOf: (request: Span) => string,
  thresholds: Thresholds,
): readonly Pair[] {
  const isMadeDuring = (request: Span, root: Span): boolean =>
    fits(request, root) && endsWithin(root, request, thresholds);
  const contained = pairSpans(requests, roots, isMadeDuring, thresholds);
  const endpoints = new Set(contained.map((pair) => endpointOf(pair.client)));
  const ofEndpoints = requests.filter((request) => endpoints.has(endpointOf(request)));
  const isEvery = areNearlyAllPaired(contained, ofEndpoints.length, thresholds.everyRequestShare, thresholds);
  const awaited = areAwaited(contained, thresholds);
  if (!isEvery || !awaited || !areSure(requests, roots, contained, isMadeDuring, thresholds)) return [];
  // A SERVER span may end after the request that waited for it.
  const paired = new Set(contained.flatMap((pair) => [pair.client, pair.server]));
  const isLeft = (span: Span): boolean => !paired.has(span);
  return [...contained, ...pairSpans(ofEndpoints.filter(isLeft), roots.filter(isLeft), fits, thresholds)];
}

/**
 * Whether the pairs are no coincidence. Overlapping requests may each have made several of the roots. Then the pairs whose roots fill most
 * of their requests must exceed chance: under load only these are evidence.
 */
function areSure(
  requests: readonly Span[],
  roots: readonly Span[],
  pairs: readonly Pair[],
  fits: (request: Span, root: Span) => boolean,
  thresholds: Thresholds,
): boolean {
  if (pairs.every((pair) => pair.unique)) return pairs.length >= thresholds.fewestUnique;
  const usual = median(pairs.map(({ client, server }) => measureFill(client, server)));
  const countFilling = (moved: readonly Span[]): number =>
    pairSpans(
      requests,
      moved,
      (request, root) => fits(request, root) && measureFill(request, root) >= usual,
      thresholds,
    ).length;
  const found = countFilling(roots);
  return found >= thresholds.fewestDisplaced && isMoreThanChance(roots, found, countFilling, thresholds);
}

export type RequestHead = Pick<CallFacts, 'method' | 'path' | 'userAgent'>;

/**
 * Whether `inner` may be the same request behind a proxy, which passes on method, user agent and path, and may cut a prefix off the path.
 */
export function isForwarded(outer: RequestHead, inner: RequestHead): boolean {
  if (inner.path === null || outer.method !== inner.method) return false;
  const isOfOtherProgram =
    outer.userAgent !== null && inner.userAgent !== null && outer.userAgent !== inner.userAgent;
  return !isOfOtherProgram && (outer.path === inner.path || isWithoutPrefix(outer, inner));
}

/** Without a user agent on both sides, a shorter path may belong to another request of the caller. */
function isWithoutPrefix(outer: RequestHead, inner: RequestHead): boolean {
  const { path } = inner;
  return (
    outer.userAgent !== null &&
    inner.userAgent !== null &&
    path !== '/' &&
    outer.path?.endsWith(path ?? '/') === true
  );
}

/** Whether different programs sent the root and the request, so that no outside caller sent both. */
function isSentByAnother(request: Span, root: Span): boolean {
  const outer = readCallFacts(request).userAgent;
  return outer !== null && outer !== readCallFacts(root).userAgent;
}

/** The called service has a SERVER span for each request, so its server is instrumented. */
const ofCaller: readonly FindingId[] = ['client-not-instrumented', 'header-not-sent', 'not-sampled'];

/** For a sender without PRODUCER spans. */
export const ofSender: readonly FindingId[] = ['client-not-instrumented', ...messageCauses];

/** For a caller without spans: in ES modules without a loader hook its own server is not instrumented either. */
const ofDarkCaller: readonly FindingId[] = [...ofCaller, 'server-not-instrumented'];

/**
 * A proxy makes no CLIENT span and either forwards the header or writes its own, so the header may be lost in as many ways as after a
 * CLIENT span.
 */
const ofProxy: readonly FindingId[] = [...moveToFront(splitCauses, 'header-not-sent'), 'not-sampled'];

/** The causes for roots that began during requests of a caller without a CLIENT span for them. */
export function listMissingCallCauses(
  scene: Scene,
  client: string | null,
  pairs: readonly Pair[],
): readonly FindingId[] {
  return isOfProxy(scene, client, pairs) ? ofProxy : ofCaller;
}

/**
 * Whether the service is a proxy without CLIENT spans: other services hang directly under its SERVER spans, and none under a CLIENT span,
 * so no CLIENT span is missing.
 */
function isOfProxy({ groupsFrom }: Scene, service: string | null, pairs: readonly Pair[]): boolean {
  if (areForwarded(pairs)) return true;
  const kinds = new Set(groupsFrom(service).map(({ clientKind }) => clientKind));
  return kinds.has('SERVER') && !kinds.has('CLIENT');
}

export function areForwarded(pairs: readonly Pair[]): boolean {
  return (
    pairs.length > 0 &&
    pairs.every(({ client, server }) =>
      isForwarded(asHttp(readCallFacts(client)), asHttp(readCallFacts(server))),
    )
  );
}

/** The CLIENT span without a child that the request had open when the root began; null if there is none. */
type FindOpenCall = (request: Span, root: Span) => Span | null;

/** Also considers calls that were continued only by a sidecar or gateway that no expectation names: the context may be lost behind it. */
function findOpenCalls(scene: Scene, open: Open): FindOpenCall {
  const groups = scene.groups.filter(
    ({ clientKind, server }) => clientKind === 'CLIENT' && !isInExpectation(scene, server),
  );
  const ended = viewCalls(scene.graph, groups).map(({ client }) => client);
  const calls = groupCallsByRequest(scene, [...open.clients, ...ended]);
  const ofUnknownProtocol = scene.shared.callsOfUnknownProtocol();
  return (request, root) => {
    const ofRequest = [...(calls.get(request) ?? []), ...(ofUnknownProtocol.get(request) ?? [])];
    // A workflow engine starts its work after the call has ended, and neither span says what it calls or serves.
    const isBefore = (call: Span): boolean =>
      hasUnknownProtocol(call) &&
      hasUnknownProtocol(root) &&
      call.startTimeUnixNano <= root.startTimeUnixNano;
    const during = ofRequest.find((call) => startsDuring(root, call, scene.thresholds));
    return during ?? ofRequest.find(isBefore) ?? null;
  };
}

function hasUnknownProtocol(span: Span): boolean {
  return readCallFacts(span).protocol === 'unknown';
}

/**
 * Each root lies in one request of the caller, one to one: only a client without instrumentation explains that, unless the request had a
 * CLIENT span open at that time. Then call and root fit by time only, as behind a gateway that rewrites requests.
 */
function describePairs(
  scene: Scene,
  edge: ExpectedEdge,
  pairs: readonly Pair[],
  findOpenCall: FindOpenCall,
): Draft {
  const { thresholds: tolerances } = scene;
  const calls = pairs.map(({ client: request, server }) => findOpenCall(request, server));
  const known = calls.filter((call) => call !== null);
  // Overlapping requests are confused with each other, so a root may seem to have begun during a call to another service.
  const isQueued = known.length > 0 && known.every(asksBroker);
  const hasClients = !isQueued && known.length > pairs.length * tolerances.timeOnlyShare;
  const isOneToOne = pairs.every((pair) => pair.unique) || areInTurn(pairs, tolerances);
  const decided = known.length === 0 && isOneToOne && !isOfProxy(scene, edge.client, pairs);
  const found = hasClients ? splitTrace : decided ? clientNotInstrumented : finding;
  const ofNoCall = hasClients ? [] : listMissingCallCauses(scene, edge.client, pairs);
  const candidates = isQueued
    ? ofSender
    : known.length === 0
      ? ofNoCall
      : [...new Set([...ofNoCall, ...splitCauses])];
  return found.report({
    client: edge.client,
    server: edge.server,
    protocol: isQueued ? 'messaging' : protocolOf(pairs[0]?.server),
    ...(decided ? { isLikely: true } : { candidates }),
    shown: pairs.map(({ client: request, server }, at) => {
      const client = hasClients ? (calls[at] ?? null) : null;
      const says =
        client === null
          ? `root, while "${request.name}" of ${edge.client} (trace ${request.traceId}) was open and has no CLIENT span for it`
          : `root, ${startsDuring(server, client, tolerances) ? 'while' : 'after'} ${client.kind} ${client.spanId} of ${edge.client} was open: they fit by time only`;
      return { client, server, during: request, says };
    }),
  });
}

/**
 * Whether each root begins before the next request, so that it belongs to no later one. It may overlap the previous request: times are
 * rounded, and a busy caller ends its span long after its answer.
 */
function areInTurn(pairs: readonly Pair[], { rounding }: Tolerances): boolean {
  const inTime = pairs.toSorted((one, other) =>
    Number(one.client.startTimeUnixNano - other.client.startTimeUnixNano),
  );
  return inTime.every(({ client, server }, at) => {
    const next = inTime[at + 1]?.client;
    return (
      next === undefined || (next !== client && next.startTimeUnixNano >= server.startTimeUnixNano - rounding)
    );
  });
}

function describeRoots(edge: ExpectedEdge, roots: readonly Span[], hasCallers: boolean): Draft {
  return finding.report({
    client: edge.client,
    server: edge.server,
    protocol: protocolOf(roots[0]),
    candidates: hasCallers ? ofCaller : ofDarkCaller,
    shown: roots.map((server) => ({
      client: null,
      server,
      says: hasCallers
        ? `root, and ${edge.client} shows no CLIENT or PRODUCER span that could have caused it`
        : `root, and no span of ${edge.client} is in the data`,
    })),
  });
}
