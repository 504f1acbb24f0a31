import { asksBroker } from '../calls/broker-api.ts';
import {
  fitsRoute,
  isHealthProbe,
  readAddress,
  readCallFacts,
  readMethod,
  readOutcome,
  readPath,
  readRoute,
  readRpcMethod,
  readStatusCode,
} from '../calls/call-facts.ts';
import { type CallGroup, countCalls, groupCalls, measureLag } from '../calls/call-group.ts';
import { withoutIds } from '../calls/endpoint.ts';
import { isPublicName } from '../calls/inside.ts';
import type { RowSource } from '../calls/row-facts.ts';
import { nameTarget } from '../calls/target.ts';
import { type ExpectedEdge, isExpected } from '../expect/expectation.ts';
import { none, type Rows, type TraceGraph } from '../graph/trace-graph.ts';
import { bounds } from '../pairing/bounds.ts';
import { pairContained } from '../pairing/contained.ts';
import { compareRequests, limitComparisons, pairSpans, startsDuringAny } from '../pairing/pair.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { areOfOneStem } from '../util/suggest-name.ts';
import {
  type Draft,
  isCovered,
  type LooseEnds,
  listUnseenEdges,
  type Open,
  protocolOf,
  type Scene,
  tellUnprovable,
} from './check.ts';
import { defineFinding } from './define-finding.ts';
import type { FindingId } from './finding.ts';
import { indexCalls } from './index-calls.ts';
import { doubtLinkedElsewhere, listLinkedElsewhere } from './linked-elsewhere.ts';
import { isSlipOfOther, suggestService } from './misspelt-service.ts';
import { gate, rule, tellMilliseconds } from './rule.ts';
import { areSecondSpans } from './second-spans.ts';
import { showClients } from './shown-later.ts';
import { splitCauses } from './split-causes.ts';
import { comesFromElsewhere, finding as splitTrace } from './split-trace.ts';

export const finding = defineFinding('missing-server', {
  kind: 'symptom',
  isConclusive: false,
  shows: 'A CLIENT without a child, nothing of B for it',
  title: 'The called service left no SERVER span',
  why: 'The call was answered, but nothing of the called service hangs under it.',
  fix: 'Check in the called service: is its server instrumented (ESM: with a loader hook), is it sampled, does its exporter deliver?',
  ofMessages: {
    title: 'The receiving service left no CONSUMER span',
    why: 'The message was sent, but no span of the receiving service has its PRODUCER span as parent or link.',
  },
});

/** Calls of one edge that have no child, like others of it that are whole. */
interface PartlyMissing {
  readonly client: string | null;
  readonly server: string | null;
  readonly whole: readonly CallGroup[];
  /** CLIENT spans that were answered, to the place and route of whole calls. */
  readonly lonely: readonly Span[];
  /** Those of a time from which the called service delivered spans. */
  readonly covered: readonly Span[];
  /** Those so far from both ends of the capture that it would hold their SERVER spans, had these been exported in time. */
  readonly due: readonly Span[];
  readonly isExpected: boolean;
}

interface Reported extends PartlyMissing {
  /** Nearly all of them fit a root of the called service by time. */
  readonly isSplitByTime: () => boolean;
}

function measurePartlyMissing(scene: Scene, open: LooseEnds): readonly PartlyMissing[] {
  const edges = groupCalls(scene.groups.filter(({ clientKind }) => clientKind === 'CLIENT'));
  const readers = readersOf(scene);
  const targetOf = (span: Span): string => readers.askedOf(scene.graph.rowOf(span)).target;
  const answered = indexCalls(
    open.clients.filter(
      (span) =>
        scene.facts.outcomeOf(scene.graph.rowOf(span)) === 'answered' &&
        scene.shared.findUnprovable(span) === null,
    ),
    targetOf,
  );
  return edges.flatMap((whole): readonly PartlyMissing[] => {
    const [{ client, server }] = whole;
    const targets = answered.targetsOf(client);
    if (targets.size === 0) return [];
    const asked = summarizeCalls(readers, whole, targets);
    const lonely = answered.callsTo(client, new Set(asked.kinds.keys())).filter((span) => {
      const kinds = asked.kinds.get(targetOf(span));
      return kinds !== undefined && isOfTheirKind(kinds, span) && !isAnsweredByHop(span, asked);
    });
    if (lonely.length === 0) return [];
    const lag = measureLag(whole, 'server');
    return [
      {
        client,
        server,
        whole,
        lonely,
        covered: lonely.filter((span) =>
          isCovered(scene, server, span.startTimeUnixNano, span.endTimeUnixNano + lag),
        ),
        due: lonely.filter((span) => isAwayFromEnds(scene, span, lag)),
        isExpected: isExpected(scene.expectation, client, server),
      },
    ];
  });
}

function fitRoots(scene: Scene, { roots }: Open, { server, lonely }: PartlyMissing): boolean {
  const { graph, thresholds } = scene;
  const requests = roots
    .select(startsDuringAny(graph, lonely, thresholds), server)
    .filter((root) => !isHealthProbe(root));
  const mayBeTheirs = (call: Span, root: Span): boolean =>
    compareRequests(call, root) !== 'no' && !comesFromElsewhere(scene, call, root);
  const pairs = pairSpans(lonely, requests, mayBeTheirs, thresholds);
  return pairs.length >= lonely.length * thresholds.splitByTimeShare;
}

const causesBetween: readonly FindingId[] = ['not-sampled', 'server-span-lost', 'server-not-instrumented'];
/** An exporter that fails delivers nothing from then on. */
const causesAtEnds: readonly FindingId[] = ['server-span-lost', 'not-sampled', 'server-not-instrumented'];

/** The calls by which the edge is judged: none where the capture may end between the two sides of each. */
function listJudged({ covered, due }: PartlyMissing): readonly Span[] {
  return covered.length > 0 ? covered : due;
}

/** Whether the SERVER span of a call was exported between the beginning and the end of the capture, unless later than usual. */
function isAwayFromEnds({ capture, thresholds: { exportDelay } }: Scene, call: Span, lag: bigint): boolean {
  return (
    call.startTimeUnixNano > capture.from + exportDelay &&
    call.endTimeUnixNano + lag < capture.to - exportDelay
  );
}

/** Calls as whole ones are made, which the called service may have delivered before the capture or after it. */
export function listUncoveredCalls(
  scene: Scene,
  looseEnds: LooseEnds,
): readonly Pick<PartlyMissing, 'client' | 'server' | 'whole' | 'lonely'>[] {
  return measurePartlyMissing(scene, looseEnds).filter(
    ({ client, server, whole, lonely, covered, due }) =>
      covered.length + due.length === 0 &&
      client !== server &&
      !areSecondSpans(scene, lonely, whole) &&
      !isFasterThanServer(scene, lonely, whole),
  );
}

/**
 * CLIENT spans that were answered and nobody continued, although the peer is one that emits spans: other calls to the same place
 * and route are whole. A cache in between makes the same picture, so that it fails only where the edge is expected.
 * Calls to peers that are not instrumented look the same without whole calls and are left alone.
 */
export const partlyMissingServers = rule<Reported>({
  finding,
  measure: (scene, open) =>
    measurePartlyMissing(scene, open).map((missing) => ({
      ...missing,
      isSplitByTime: () => fitRoots(scene, open, missing),
    })),
  gates: [
    gate(
      'the called service delivered spans from before and after the call, or the capture begins and ends longer before and after it than an export takes',
      ({ covered, due }) => covered.length + due.length > 0,
      ({ lonely }) => `of none of ${countOf(lonely.length, 'call')}: the capture may be cut`,
    ),
    gate(
      'the calls are not second spans of whole ones',
      ({ lonely, whole }, scene) => !areSecondSpans(scene, lonely, whole),
      ({ lonely }) => `each of ${lonely.length} lies beside a whole call of the same request`,
    ),
    gate(
      'the answers are not those of a cache',
      (missing, scene) => !isFasterThanServer(scene, listJudged(missing), missing.whole),
      (missing, scene) => tellDurations(scene, listJudged(missing), missing.whole),
    ),
  ],
  looseEnds: ({ lonely }) => lonely,
  report: ({ client, server, lonely, covered, isExpected, isSplitByTime }) => {
    const isSplit = isSplitByTime();
    return (isSplit ? splitTrace : finding).report({
      severity: isExpected ? 'error' : 'warning',
      ...describe(client, server, lonely),
      candidates: isSplit ? splitByTimeCauses : covered.length > 0 ? causesBetween : causesAtEnds,
    });
  },
  whyNot: (scene, _, looseEnd) => {
    if (looseEnd.kind !== 'CLIENT') return null;
    const outcome = readOutcome(looseEnd);
    if (outcome !== 'answered')
      return outcome === 'unreached'
        ? 'the call failed: nobody may have been reached'
        : 'nothing says that the call was answered';
    const unprovable = scene.shared.findUnprovable(looseEnd);
    if (unprovable !== null) return tellUnprovable(unprovable);
    const readers = readersOf(scene);
    const { target } = readers.askedOf(scene.graph.rowOf(looseEnd));
    const asked = summarizeCalls(readers, scene.groupsFrom(looseEnd.serviceName), new Set([target]));
    const kinds = asked.kinds.get(target);
    if (kinds === undefined)
      return 'no call to the same target is whole, and no expectation names the called service';
    return isOfTheirKind(kinds, looseEnd)
      ? 'the answer is none that the called service gave elsewhere: a hop may have answered'
      : `${kinds.calls} calls to the same target are whole, none of the same route`;
  },
});

/** The requests of whole calls to one target by one method. */
interface RequestKinds {
  calls: number;
  readonly rpcMethods: Set<string | null>;
  readonly routes: Set<string>;
  /** Exactly where the called service knows its routes, otherwise with ids left open. Reads every call of the edge. */
  readonly paths: () => ReadonlySet<string>;
}

/** The answers of whole calls of one edge to requests to some targets. */
interface Asked {
  readonly kinds: ReadonlyMap<string, RequestKinds>;
  readonly statusCodes: ReadonlySet<number | null>;
}

/** Of rows. */
interface Readers {
  readonly routeOf: (row: number) => string | null;
  readonly askedOf: (row: number) => ReturnType<typeof readAsked>;
  readonly pathOf: (row: number) => string | null;
}

function readersOf({ facts }: Scene): Readers {
  return {
    routeOf: facts.remember(readRoute),
    askedOf: facts.remember(readAsked),
    pathOf: (row) => readPath(facts.at(row)),
  };
}

function summarizeCalls(readers: Readers, groups: readonly CallGroup[], targets: ReadonlySet<string>): Asked {
  const pathsOf = remember(() => listPaths(readers, groups, targets));
  const asked = { kinds: new Map<string, RequestKinds>(), statusCodes: new Set<number | null>() };
  const kindsOf = (target: string): RequestKinds | null => {
    if (!targets.has(target)) return null;
    const kinds = asked.kinds.get(target) ?? {
      ...{ calls: 0, rpcMethods: new Set(), routes: new Set() },
      paths: () => pathsOf().get(target) ?? new Set(),
    };
    asked.kinds.set(target, kinds);
    return kinds;
  };
  for (const group of groups) addCalls(asked.statusCodes, readers, group, kindsOf);
  return asked;
}

/** Of one group, so that V8 compiles it once, and not the loop for each edge. */
function addCalls(
  statusCodes: Set<number | null>,
  { routeOf, askedOf }: Readers,
  { clients, servers }: CallGroup,
  kindsOf: (target: string) => RequestKinds | null,
): void {
  let last: ReturnType<typeof readAsked> | null = null;
  let known: RequestKinds | null = null;
  for (let at = 0; at < clients.length; at += 1) {
    const asked = askedOf(clients[at] ?? none);
    // Most calls of an edge are alike, and then this is the same object.
    if (asked !== last) {
      last = asked;
      statusCodes.add(asked.statusCode);
      known = kindsOf(asked.target);
      known?.rpcMethods.add(asked.rpcMethod);
    }
    if (known === null) continue;
    known.calls += 1;
    const route = routeOf(servers[at] ?? none);
    if (route !== null && known.routes.size < bounds.routes) known.routes.add(route);
  }
}

function listPaths(
  { routeOf, askedOf, pathOf }: Readers,
  groups: readonly CallGroup[],
  targets: ReadonlySet<string>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const paths = new Map([...targets].map((target) => [target, new Set<string>()]));
  for (const { clients, servers } of groups) {
    for (let at = 0; at < clients.length; at += 1) {
      const client = clients[at] ?? none;
      const ofTarget = paths.get(askedOf(client).target);
      if (ofTarget === undefined) continue;
      const path = pathOf(client);
      if (path !== null) ofTarget.add(routeOf(servers[at] ?? none) === null ? withoutIds(path) : path);
    }
  }
  return paths;
}

/** The target of a call, and what else few values decide. */
function readAsked(call: RowSource) {
  const { protocol } = call;
  const rpcMethod = protocol === 'http' ? null : readRpcMethod(call);
  const { host, port } = readAddress(call);
  return {
    // RPC is told apart by its own method.
    target: keyFor(protocol, host, port, rpcMethod === null ? readMethod(call) : null),
    rpcMethod,
    statusCode: readStatusCode(call),
  };
}

/** Whether a span has the method or route of a whole call to its target. */
function isOfTheirKind({ rpcMethods, routes, paths }: RequestKinds, span: Span): boolean {
  const { path, rpcMethod } = readCallFacts(span);
  if (rpcMethod !== null) return rpcMethods.has(rpcMethod);
  if (path === null) return false;
  for (const route of routes) if (fitsRoute(path, route)) return true;
  return paths().has(path) || paths().has(withoutIds(path));
}

/** Status codes from here on are no success (RFC 9110, section 15). */
const firstRedirect = 300;

/** An error that the called service itself never gave may come from a gateway in front of it. */
function isAnsweredByHop(span: Span, { statusCodes }: Asked): boolean {
  const { statusCode } = readCallFacts(span);
  return (statusCode ?? 0) >= firstRedirect && !statusCodes.has(statusCode);
}

/**
 * Answers that came in half the time, and all sooner than any of the called service, come from a cache, and so do several of
 * which most came sooner than nearly all others. Lost calls have ordinary durations.
 */
function isFasterThanServer(scene: Scene, lonely: readonly Span[], groups: readonly CallGroup[]): boolean {
  const { thresholds, graph } = scene;
  const quick = sortDurations(graph, lonely);
  const [slowest, usual] = [quick.at(-1) ?? 0, quick[quick.length >> 1] ?? 0];
  if (areMostlyFaster(scene, groups, usual / thresholds.cachedDuration)) return false;
  const whole = measureDurations(scene, groups);
  const usuallyAnswered = whole[whole.length >> 1] ?? 0;
  if (slowest < (whole[0] ?? 0)) return true;
  const nearlyAll = whole[Math.floor(whole.length * thresholds.quickestAnswers)] ?? 0;
  return quick.length >= thresholds.fewestCached && slowest < usuallyAnswered && usual < nearlyAll;
}

function tellDurations(scene: Scene, lonely: readonly Span[], groups: readonly CallGroup[]): string {
  const tell = (sorted: Float64Array): string => tellMilliseconds(sorted[sorted.length >> 1] ?? 0);
  return `usually ${tell(sortDurations(scene.graph, lonely))}, whole calls ${tell(measureDurations(scene, groups))}`;
}

function sortDurations(graph: TraceGraph, spans: readonly Span[]): Float64Array {
  const durations = new Float64Array(spans.length);
  spans.forEach((span, at) => {
    const row = graph.rowOf(span);
    durations[at] = (graph.ends[row] ?? 0) - (graph.starts[row] ?? 0);
  });
  return durations.sort();
}

/** Whether more than half of the clients that were answered took less time. It stops as soon as the answer is known, for most edges after half of the calls. */
function areMostlyFaster(scene: Scene, groups: readonly CallGroup[], duration: number): boolean {
  const counts = { answered: 0, faster: 0, half: countCalls(groups) / 2 };
  for (const { clients } of groups) addFaster(counts, scene, clients, duration);
  return counts.faster > counts.answered / 2;
}

/** Of one group, so that V8 compiles it once, and not the loop for each edge. Until more than `half` are faster. */
function addFaster(
  counts: { answered: number; faster: number; readonly half: number },
  { graph: { starts, ends }, facts }: Scene,
  rows: Rows,
  duration: number,
): void {
  for (let at = 0; at < rows.length && counts.faster <= counts.half; at += 1) {
    const row = rows[at] ?? none;
    if (facts.outcomeOf(row) !== 'answered') continue;
    counts.answered += 1;
    if ((ends[row] ?? 0) - (starts[row] ?? 0) < duration) counts.faster += 1;
  }
}

/** Of the clients that were answered, ascending. */
function measureDurations(
  { graph: { starts, ends }, facts }: Scene,
  groups: readonly CallGroup[],
): Float64Array {
  const durations = new Float64Array(countCalls(groups));
  let count = 0;
  for (const { clients } of groups) {
    for (let at = 0; at < clients.length; at += 1) {
      const row = clients[at] ?? none;
      if (facts.outcomeOf(row) !== 'answered') continue;
      durations[count] = (ends[row] ?? 0) - (starts[row] ?? 0);
      count += 1;
    }
  }
  return durations.subarray(0, count).sort();
}

/** Calls that an expected edge without whole calls may stand for. */
interface WhollyMissing {
  readonly edge: ExpectedEdge;
  /** CLIENT spans that were answered, and PRODUCER spans, of the caller. */
  readonly lonely: readonly Span[];
  readonly calls: readonly Span[];
  /** The data say, more than by exclusion, that the calls go to this service. */
  readonly isToward: boolean;
  readonly isSplit: boolean;
}

/** CLIENT spans that were answered and have no child, on an expected edge without whole calls. */
export const whollyMissingServers = rule<WhollyMissing>({
  finding,
  measure: (scene, open) =>
    listUnseenEdges(scene, open).flatMap((edge) => {
      const lonely = open.clients.filter(
        (span) =>
          span.serviceName === edge.client &&
          (span.kind === 'PRODUCER' || readOutcome(span) === 'answered') &&
          scene.shared.findUnprovable(span) === null,
      );
      if (lonely.length === 0) return [];
      const chosen = selectCallsTo(scene, open, lonely, edge.server);
      return [{ edge, lonely, ...chosen, isSplit: isSplit(scene, open, chosen.calls, edge.server) }];
    }),
  gates: [
    gate(
      'calls can be meant: named like the service, to its port, or to the target that most call',
      ({ calls }) => calls.length > 0,
      ({ edge, lonely }) =>
        `none of ${countOf(lonely.length, 'call')} of ${edge.client}, as ${edge.server} shows requests of unknown callers, or they may go to another service`,
    ),
  ],
  looseEnds: ({ lonely }) => lonely,
  report: ({ edge: { client, server }, calls, isToward, isSplit }, scene) => {
    const described = describe(client, server, calls);
    if (isSplit) return splitTrace.report({ ...described, candidates: splitByTimeCauses });
    const queued = mayBeQueued(scene, calls, server) ? describeQueued(scene, calls, server) : {};
    const messages = calls.filter(({ kind }) => kind === 'PRODUCER');
    const doubt = doubtLinkedElsewhere(listLinkedElsewhere(scene, messages, server));
    return finding.report({
      ...described,
      ...queued,
      ...(doubt === null ? {} : { doubt }),
      candidates: rankCauses(scene, server, isToward).filter(
        (cause) => doubt === null || cause !== 'server-not-instrumented',
      ),
    });
  },
});

/** A consumer may come to a few messages after the capture. */
function describeQueued(
  { thresholds, coverage }: Scene,
  { length }: readonly Span[],
  server: string,
): Partial<Pick<Draft, 'severity' | 'facts' | 'doubt'>> {
  const [messages, were, them] =
    length === 1 ? ['the message', 'was', 'it'] : ['the messages', 'were', 'them'];
  const isHere = coverage(server) !== null;
  const facts = [
    isHere
      ? `no span of ${server} is from after ${messages} ${were} sent: it may not have consumed ${them} yet`
      : `no span of ${server} is here`,
  ];
  if (length >= thresholds.fewestLostMessages) return { facts };
  if (!isHere) return { severity: 'warning', facts };
  const doubt = {
    says: `The capture may end before ${server} consumes ${messages}.`,
    decide: [
      `Wait until ${server} has consumed ${messages} and check again, or check again with ${thresholds.fewestLostMessages} messages or more`,
    ],
  };
  return { facts, doubt };
}

/** Whether they are messages, and the service has delivered no span since. */
function mayBeQueued(scene: Scene, calls: readonly Span[], server: string): boolean {
  const latest = scene.coverage(server)?.to ?? null;
  return calls.every(
    ({ kind, startTimeUnixNano }) => kind === 'PRODUCER' && (latest === null || latest < startTimeUnixNano),
  );
}

/** The service did make spans for such requests, as roots: sampled apart, at times that do not fit, or without a kind. */
function isSplit(scene: Scene, open: Open, calls: readonly Span[], server: string): boolean {
  if (scene.services.hasEntries(server))
    return limitComparisons(calls, open.roots.of(server)).some((root) =>
      calls.some((call) => compareRequests(call, root) === 'yes'),
    );
  const roots = scene
    .selectSpans(server, (row) => scene.graph.isRoot(row))
    .filter((span) => span.kind === 'INTERNAL');
  const { thresholds } = scene;
  const pairs = pairContained(calls, roots, thresholds);
  return pairs.length >= Math.max(calls.length, roots.length) * thresholds.splitByTimeShare;
}

const splitByTimeCauses: readonly FindingId[] = [...splitCauses, 'not-sampled'];

/**
 * The calls that can be meant: named like the service, or to its port, or to the target that most requests call.
 * The last is no argument while the service shows enough requests whose caller is unknown: those are the calls.
 */
function selectCallsTo(
  scene: Scene,
  open: Open,
  lonely: readonly Span[],
  server: string,
): Pick<WhollyMissing, 'calls' | 'isToward'> {
  const isMisspelt = suggestService(scene, server) !== null;
  const taken = remember(() => listTargets(scene));
  // An address by which whole calls reach another service is of that one, however it is named.
  const isOfAnother = (span: Span): boolean => isMisspelt && taken().has(nameTarget(span));
  const named = lonely.filter((span) => isCalledByName(span, server) && !isOfAnother(span));
  if (named.length > 0) return { calls: named, isToward: true };
  const entries = limitComparisons(
    lonely,
    scene.entriesOf(server).filter(({ kind }) => kind === 'SERVER'),
  );
  const known = lonely.filter((span) => entries.some((entry) => compareRequests(span, entry) === 'yes'));
  if (known.length > 0) return { calls: known, isToward: true };
  // A public host may be a third party, and without spans of the service its name in the expectation may be wrong.
  const mayBeCalled = (span: Span): boolean => {
    if (asksBroker(span)) return false;
    if (scene.services.has(server)) return true;
    const host = readAddress(span).host ?? '';
    if (isMisspelt) return false;
    if (span.kind === 'PRODUCER') return true;
    return !isPublicName(host) && (areOfOneStem(server, host) || !isSlipOfOther(server, [host]));
  };
  const groups = groupBy(
    lonely.filter((span) => !taken().has(nameTarget(span)) && mayBeCalled(span)),
    nameTarget,
  );
  const most = [...groups].sort((left, right) => right.length - left.length)[0] ?? [];
  const requests = open.roots.of(server).filter((span) => !isHealthProbe(span));
  const calls = requests.length < most.length * scene.thresholds.strayRequestsShare ? most : [];
  return { calls, isToward: calls[0]?.kind === 'PRODUCER' };
}

function isCalledByName(span: Span, server: string): boolean {
  const host = readCallFacts(span).host?.toLowerCase() ?? '';
  return host === server.toLowerCase() || host.startsWith(`${server.toLowerCase()}.`);
}

/** Of all whole calls. */
function listTargets({ groups, facts }: Scene): ReadonlySet<string> {
  const targets = new Set<string>();
  const target = facts.remember(nameTarget);
  for (const { clients } of groups) for (const row of clients) targets.add(target(row));
  return targets;
}

/** Calls that only may be meant leave open that the real ones have no CLIENT span. */
function rankCauses(scene: Scene, server: string, isCertain: boolean): readonly FindingId[] {
  const causes: readonly FindingId[] = !scene.services.has(server)
    ? ['server-span-lost', 'server-not-instrumented', 'not-sampled']
    : scene.services.hasEntries(server)
      ? ['not-sampled', 'server-not-instrumented', 'server-span-lost']
      : ['server-not-instrumented', 'not-sampled', 'server-span-lost'];
  return isCertain ? causes : [...causes, 'client-not-instrumented'];
}

function describe(
  client: string | null,
  server: string | null,
  lonely: readonly Span[],
): Pick<Draft, 'client' | 'server' | 'protocol' | 'shown'> {
  return {
    client,
    server,
    protocol: protocolOf(lonely[0]),
    shown: showClients(lonely, (span) => {
      const of = server ?? 'the peer';
      return span.kind === 'PRODUCER'
        ? `PRODUCER ${span.spanId} sent a message, and no span of ${of} has it as parent or link`
        : `${span.kind} ${span.spanId} was answered, and no SERVER span of ${of} has it as its parent`;
    }),
  };
}
