import { asksBroker, isSend } from '../calls/broker-api.ts';
import { readCallFacts } from '../calls/call-facts.ts';
import { viewCalls } from '../calls/call-group.ts';
import { isEntry, isOutgoing } from '../calls/edge.ts';
import { readOutcome } from '../calls/outcome.ts';
import { isHealthProbe } from '../calls/probes.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import { isRoot } from '../graph/trace-graph.ts';
import { type Pair, pairSpans } from '../pairing/pair-spans.ts';
import { endsWithin, startsDuring, type Tolerances } from '../pairing/times.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { remember } from '../util/remember.ts';
import { groupCallsByRequest } from './calls-of-requests.ts';
import { finding as clientNotInstrumented } from './client-not-instrumented.ts';
import { defineFinding } from './define-finding.ts';
import { listDirectCalls } from './direct-calls.ts';
import { type Draft, protocolOf } from './draft.ts';
import { isInExpectation, listUnseenEdges } from './expected-calls.ts';
import { isOfProxy, listMissingCallCauses, ofCaller, ofDarkCaller, ofSender } from './missing-call-causes.ts';
import { suggestService } from './misspelt-service.ts';
import { gate, rule } from './rule.ts';
import type { Open, Scene } from './scene.ts';
import { splitCauses } from './split-causes.ts';
import { finding as splitTrace } from './split-trace.ts';

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
export function describePairs(
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
  // Equal trace ids prove that the header arrived. Requests that overlap may be paired with each other's roots.
  const traces = new Set(pairs.map(({ client }) => client.traceId));
  const hasArrived = pairs.length > 0 && pairs.every(({ server }) => traces.has(server.traceId));
  const decided = known.length === 0 && isOneToOne && !hasArrived && !isOfProxy(scene, edge.client, pairs);
  const found = hasClients ? splitTrace : decided ? clientNotInstrumented : finding;
  const ofNoCall = [
    ...(hasArrived ? (['parent-dropped'] as const) : []),
    ...(hasClients ? [] : listMissingCallCauses(scene, edge.client, pairs)),
  ];
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
