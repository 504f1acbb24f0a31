import { type Call, type CallGroup, groupCalls, viewCalls } from '../calls/call-group.ts';
import { isDetached, isOutgoing } from '../calls/edge.ts';
import { nameTarget } from '../calls/target.ts';
import { isExpected } from '../expect/expectation.ts';
import { writeExpectOption } from '../expect/write-expect-option.ts';
import { isRoot } from '../graph/trace-graph.ts';
import { compareEnds } from '../pairing/awaited.ts';
import { doStartsFollow, mayBeDisplaced, pairDisplaced, pairWithMessages } from '../pairing/displaced.ts';
import type { Pair } from '../pairing/pair-spans.ts';
import { indexByTime } from '../pairing/times.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, groupBy, keyFor, mapBy } from '../util/group-by.ts';
import { defineFinding } from './define-finding.ts';
import { doubtLoss } from './doubt-loss.ts';
import { type Doubt, type Draft, protocolOf } from './draft.ts';
import { listCallers } from './list-callers.ts';
import { pairBesideExceptions } from './pair-beside-exceptions.ts';
import { pairTogether } from './pair-together.ts';
import { formatMilliseconds, type Gate, gate, rule } from './rule.ts';
import type { Routes, Scene } from './scene.ts';

export const finding = defineFinding('context-lost-in-process', {
  kind: 'cause',
  isConclusive: true,
  cut: 'above trace',
  shows: "the edge is intact, but A's CLIENT span does not descend from A's SERVER span",
  title: 'The context is lost inside the caller',
  why: 'The span of a call, or of other work of a request, begins a trace of its own instead of belonging to the request.',
  fix: 'Carry the context across the queue, pool or callback (context.with / context.bind, Context.makeCurrent, contextvars).',
});

/** Calls to one endpoint of a peer, some of which began traces. */
interface DetachedCalls {
  readonly calls: Group<Call>;
  readonly detached: readonly Span[];
  /** Requests that lack the call, each with a call that began a trace meanwhile. */
  readonly pairs: readonly Pair[];
}

/**
 * The edge is whole, but the caller's CLIENT span begins a trace of its own instead of belonging to the request during which it was made.
 * Pollers and jobs begin traces too and are healthy, so a coincidence in time is no evidence: (nearly) all requests of a route that lack
 * the call must have waited for a detached one.
 */
export const detachedCalls = rule<DetachedCalls>({
  finding,
  measure: (scene, open) => {
    const pair = (calls: Group<Call>, detached: readonly Span[]): readonly Pair[] => {
      const clients = calls.map(({ client }) => client);
      return pairWithEntries(scene, calls[0].client.serviceName, clients, detached, ...listCalled(calls));
    };
    const listWhole = (calls: Group<Call>): readonly Span[] =>
      calls
        .map(({ client }) => client)
        .filter((client) => startsOwnTrace(scene, client) && !open.explained().has(client));
    const ofClients = mapBy(groupDetaching(scene), ([{ client }]) => client).values();
    return [...ofClients].flatMap((edges) => {
      const ofEndpoints = groupBy(viewCalls(scene.graph, edges.flat()), ({ server }) =>
        keyFor(server.serviceName, server.name),
      );
      const alone = ofEndpoints.map((calls): DetachedCalls => {
        const whole = listWhole(calls);
        const pairs = pair(calls, whole);
        const broken =
          pairs.length > 0 ? [] : listBroken(scene, whole).filter((call) => !open.explained().has(call));
        const detached = [...whole, ...broken];
        return { calls, detached, pairs: broken.length === 0 ? pairs : pair(calls, detached) };
      });
      return pairTogether(
        alone,
        ({ detached }) => detached,
        (left) => pair(joinCalls(left), listWhole(joinCalls(left))),
      );
    });
  },
  gates: [areWaitedFor()],
  looseEnds: ({ detached }) => detached,
  report: ({ calls, detached, pairs }, scene) =>
    reportDetached(
      calls,
      [...pairs, ...listFannedOut(scene, detached, pairs)],
      doubtCalls(scene, pairs, calls[0].server),
    ),
});

export function joinCalls([first, ...others]: Group<Pick<DetachedCalls, 'calls'>>): Group<Call> {
  return [...first.calls, ...others.flatMap(({ calls }) => calls)];
}

/** The services that these calls reached. */
export function listCalled(calls: readonly Call[]): readonly (string | null)[] {
  return [...new Set(calls.map(({ server }) => server.serviceName))];
}

/** The edges with calls that began traces, of callers that receive requests. */
export function groupDetaching({ groups, services }: Scene): readonly Group<CallGroup>[] {
  return groupCalls(groups).filter(
    (ofEdge) => services.hasEntries(ofEdge[0].client) && ofEdge.some(({ extremes }) => extremes.hasDetached),
  );
}

/** @param pairs Requests, each with a call that began a trace. */
export function reportDetached(calls: Group<Call>, pairs: readonly Pair[], doubt: Doubt | null): Draft {
  const [{ client, server, protocol }] = calls;
  const serverOf = new Map(calls.map((call) => [call.client, call.server]));
  return finding.report({
    isLikely: true,
    doubt,
    client: client.serviceName,
    server: server.serviceName,
    protocol,
    shown: pairs.map(({ client: entry, server: call, unique }) => ({
      client: call,
      server: serverOf.get(call) ?? null,
      says: describeLoss(entry, call, unique),
    })),
  });
}

/**
 * A request may make the call several times. The calls that are in no pair are reported too if each was made while exactly one of the
 * paired requests was open. If two were open, a job may have made the call.
 */
function listFannedOut(
  { thresholds }: Scene,
  detached: readonly Span[],
  pairs: readonly Pair[],
): readonly Pair[] {
  const paired = new Set(pairs.map(({ server: call }) => call));
  const others = detached.filter((call) => !paired.has(call));
  if (pairs.length === 0 || others.length === 0) return [];
  const requests = pairs.map(({ client: request }) => request);
  const openAt = indexByTime(requests, { ...thresholds, clockTolerance: thresholds.rounding });
  const fannedOut = others.flatMap((call) => {
    const open: Span[] = [];
    openAt.someOpen(call.startTimeUnixNano, (request) => open.push(request) > 1);
    const [request, another] = open;
    return request === undefined || another !== undefined
      ? []
      : [{ client: request, server: call, unique: true }];
  });
  return fannedOut.length === others.length ? fannedOut : [];
}

/**
 * Calls of the same names and targets that also began traces and that no SERVER span continues: the peer was not reached, or its span is
 * lost.
 */
function listBroken(
  { graph, facts, shared: { brokenCalls } }: Scene,
  detached: readonly Span[],
): readonly Span[] {
  const [first] = detached;
  if (first === undefined) return [];
  const open = brokenCalls.openOf(first.serviceName);
  if (open.size === 0) return [];
  const names = new Set(detached.map((call) => brokenCalls.nameOf(graph.rowOf(call))));
  const targets = new Set(detached.map(nameTarget));
  const rows = [...names].flatMap((name) => open.get(name) ?? []);
  return graph.viewsOf(
    rows.filter((row) => isDetached(graph, row) && targets.has(nameTarget(facts.at(row)))),
  );
}

function describeLoss(entry: Span, call: Span, isUnique: boolean): string {
  const late = Number(call.startTimeUnixNano - entry.endTimeUnixNano);
  if (late > 0)
    return `root of its own trace, made ${formatMilliseconds(late)} after "${entry.name}" of trace ${entry.traceId}, which lacks the call`;
  return isUnique
    ? describeDuring(entry)
    : `root of its own trace, made while requests "${entry.name}" were open that lack the call`;
}

function areWaitedFor<
  Case extends { readonly detached: readonly Span[]; readonly pairs: readonly Pair[] },
>(): Gate<Case> {
  return gate(
    'nearly all requests of a route lack the call and waited for one that began a trace',
    ({ pairs }) => pairs.length > 0,
    ({ detached }) =>
      `of no route of ${detached[0]?.serviceName}, with ${countOf(detached.length, 'such call')}`,
  );
}

/** Calls of one name to one target that no SERVER span continues, some of which began traces. */
interface LostBeforePeer {
  readonly detached: readonly [Span, ...Span[]];
  /** Requests that lack the call, each with a call that began a trace meanwhile. */
  readonly pairs: readonly Pair[];
}

/**
 * The same for a peer that emits no spans: only the root CLIENT spans show the call. Runs late, because a callee that began a trace of its
 * own explains them better.
 */
export const contextLostBeforePeers = rule<LostBeforePeer>({
  finding,
  measure: (scene, open) => {
    const groups = groupBy(open.clients.filter(isOutgoing), (client) =>
      keyFor(client.serviceName, nameTarget(client), client.name),
    );
    return groups.flatMap((calls) => {
      const [first, ...others] = calls.filter((client) => startsOwnTrace(scene, client));
      if (first === undefined || !scene.services.hasEntries(first.serviceName)) return [];
      const detached = [first, ...others] as const;
      return [{ detached, pairs: pairWithEntries(scene, first.serviceName, calls, detached) }];
    });
  },
  gates: [areWaitedFor()],
  looseEnds: ({ detached }) => detached,
  report: ({ detached: [call], pairs }, scene) =>
    reportOneSided(scene, { client: call.serviceName, server: null, protocol: protocolOf(call) }, pairs),
});

/** Without the SERVER span a poller or a job looks the same, so a few calls are no error. */
export function reportOneSided(
  scene: Scene,
  edge: Pick<Draft, 'client' | 'server' | 'protocol'>,
  pairs: readonly Pair[],
): Draft {
  return finding.report({
    ...edge,
    isLikely: true,
    doubt: doubtLoss(scene, pairs, scene.thresholds.fewestDisplaced),
    shown: pairs.map(({ client: entry, server: client }) => ({
      client,
      server: null,
      says: describeDuring(entry),
    })),
  });
}

function describeDuring({ name, traceId }: Span): string {
  return `root of its own trace, made during "${name}" of trace ${traceId}`;
}

/**
 * If the calls are roots, an expectation of the edge removes the doubt, unless the requests end at times of their own. One coincidence in
 * time may be a poller, and so may a few pairs that also fit other requests. If other requests make the call, they are the expected ones.
 */
export function doubtCalls(scene: Scene, pairs: readonly Pair[], called: Span): Doubt | null {
  const { fewestDetached, fewestDisplaced } = scene.thresholds;
  const fewest = pairs.some(({ unique }) => unique) ? fewestDetached : fewestDisplaced;
  const doubt = doubtLoss(scene, pairs, fewest);
  const [caller] = pairs;
  const areBeside = compareEnds(pairs, scene.thresholds) === 'differ';
  if (doubt === null || areBeside || !pairs.every(({ server: call }) => isRoot(call))) return doubt;
  const [client, server] = [caller?.client.serviceName ?? null, called.serviceName];
  if (pairs.length < fewest && scene.shared.doRequestsCall(client, server)) return doubt;
  if (isExpected(scene.expectation, client, server)) return null;
  if (client === null || server === null) return doubt;
  const option = writeExpectOption(client, server);
  const step = `If requests of ${client} make these calls, check again with ${option}: then it is an error`;
  return { ...doubt, decide: [step, ...doubt.decide] };
}

/**
 * Pairs the requests of routes that (nearly) always lack the call with calls that began traces while they were open.
 *
 * @param called The services that the calls reach.
 */
export function pairWithEntries(
  scene: Scene,
  service: string | null,
  calls: readonly Span[],
  detached: readonly Span[],
  ...called: readonly (string | null)[]
): readonly Pair[] {
  if (detached.length === 0) return [];
  const callers = listCallers(
    scene,
    service,
    calls.map((call) => scene.graph.rowOf(call)),
    ...called,
  );
  // Each route is judged separately, as other routes do not make the call.
  const routes = scene.shared.routesOf(service);
  const found = routes.during(detached).flatMap((ofRoute) => {
    // Before the requests are read: a service may have thousands of routes, and its peer thousands of endpoints.
    const fewest = ofRoute.length - callers.size;
    if (!mayBeDisplaced(fewest, ofRoute.length, detached.length, scene.thresholds)) return [];
    const withoutCall = ofRoute.filter((entry) => !callers.has(scene.graph.rowOf(entry)));
    if (ofRoute[0].kind === 'CONSUMER') return pairWithMessages(withoutCall, detached, scene.thresholds);
    const pairs = pairDisplaced(withoutCall, detached, 0, scene.thresholds);
    return pairs.length > 0 ? pairs : pairBesideExceptions(scene, withoutCall, detached);
  });
  const pairs = [...new Map(found.map((pair) => [pair.server, pair])).values()];
  return areAlsoMadeAlone(scene, routes, detached, pairs) ? [] : pairs;
}

/**
 * Whether more than a few of the calls began while no request was open, as calls of a job do. Calls before the first request or after the
 * last do not count, since the capture may cut off their requests.
 */
function areAlsoMadeAlone(
  { graph, thresholds }: Scene,
  routes: Routes,
  detached: readonly Span[],
  pairs: readonly Pair[],
): boolean {
  const { displacedLeftOver, fewestBesideException } = thresholds;
  // The span of a request may be lost.
  const mayLack = pairs.length >= fewestBesideException && doStartsFollow(pairs, thresholds);
  const most = Math.max(pairs.length * (displacedLeftOver - 1), mayLack ? 1 : 0);
  if (pairs.length === 0 || detached.length - pairs.length <= most) return false;
  const { from, to, isDuring } = routes.times();
  const alone = detached.filter(
    (call) => call.startTimeUnixNano > from && call.startTimeUnixNano < to && !isDuring(graph.rowOf(call)),
  );
  return alone.length > most;
}

export function startsOwnTrace({ graph }: Scene, client: Span): boolean {
  return isDetached(graph, graph.rowOf(client));
}
