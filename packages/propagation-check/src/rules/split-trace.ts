import { type FactSource, isHealthProbe, readCallFacts, readUserAgent } from '../calls/call-facts.ts';
import { type CallGroup, someCall } from '../calls/call-group.ts';
import { isEntry } from '../calls/edge.ts';
import { isPublicName } from '../calls/inside.ts';
import type { Roots } from '../calls/roots.ts';
import { protocols } from '../calls/row-facts.ts';
import { nameTarget } from '../calls/target.ts';
import { isUnconnected } from '../calls/unconnected.ts';
import { isRoot } from '../graph/trace-graph.ts';
import { clockOf } from '../pairing/align-clocks.ts';
import { mayNameSides } from '../pairing/answers.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { areNearlyAllPaired, doStartsFollow, mayTimersKeepStep } from '../pairing/displaced.ts';
import { areOfDistinctPaths } from '../pairing/distinct-paths.ts';
import { indexRequests } from '../pairing/index-requests.ts';
import { areNearlyAll } from '../pairing/nearly-all.ts';
import {
  compareRequests,
  isAddressedTo,
  type Pair,
  type PairSides,
  pairSpans,
  startsDuring,
  startsDuringAny,
} from '../pairing/pair.ts';
import { pairByIds } from '../pairing/pair-by-ids.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { groupBy, keyFor, mapBy } from '../util/group-by.ts';
import { remember, rememberOf } from '../util/remember.ts';
import { isPlausible, type Open, protocolOf, type Scene, tellUnprovable } from './check.ts';
import { defineFinding } from './define-finding.ts';
import { describePair } from './describe-pair.ts';
import { type CallIndex, indexCalls } from './index-calls.ts';
import { parentGate } from './parent-gate.ts';
import { type Gate, gate, rule, tellReasons } from './rule.ts';
import { showCalls } from './shown-later.ts';
import { isOfLayer, isOfMcp, rankSplitCauses } from './split-causes.ts';

export const finding = defineFinding('split-trace', {
  kind: 'symptom',
  isConclusive: true,
  shows: 'A CLIENT without a child, and a root SERVER of B that pairs with it',
  title: 'One request, two traces',
  why: 'The span of the call has no child, and that of the called service for the same request is the root of another trace.',
  fix: 'See with `propagation-check tap` what the caller sends and what reaches the called service.',
  ofMessages: {
    title: 'One message, two traces',
    why: 'No span of the receiving service has the PRODUCER span as parent or link, and its span of the message is the root of another trace.',
  },
});

/** The features of an edge whose calls pair up with roots. */
interface SplitEdge {
  readonly scene: Scene;
  readonly client: string | null;
  readonly server: string | null;
  readonly pairs: readonly Pair[];
  /** The open calls to the targets of the pairs, and the roots of their kinds, paired or not. */
  readonly toTargets: readonly Span[];
  /** How many of these calls a cache answered. */
  readonly cached: number;
  readonly alike: Alike;
  /** The calls to the targets, and the requests of the kinds, that no pair of any edge has. */
  readonly countUnpaired: () => { readonly calls: number; readonly requests: number };
  /** How many roots the server has. */
  readonly ofServer: number;
  /** Whole calls of the edge; messages between the two go another way. */
  readonly whole: readonly CallGroup[];
  readonly isExpected: boolean;
  /** An expectation speaks for these calls unless the edge is whole by another way. */
  readonly isOnItsWay: boolean;
  readonly arePassedOn: boolean;
  /** Every pair has more in common than its time. */
  readonly isTold: boolean;
  /** The pairs that ids prove. */
  readonly named: ReadonlySet<Pair>;
}

/** Requests of some kinds. Views are made of them where their number does not decide. */
interface Alike {
  readonly count: number;
  readonly list: () => readonly Span[];
}

/** The conditions on all pairs of an edge together: a single pair may be a coincidence. */
const shareGates: readonly Gate<SplitEdge>[] = [
  gate(
    'most calls to the target and most requests of the kind pair up, or the edge is expected',
    ({ scene: { thresholds }, isOnItsWay, isExpected, pairs, toTargets, alike }) =>
      !isOnItsWay ||
      isExpected ||
      (pairs.length >= toTargets.length * thresholds.splitCallsShare &&
        pairs.length >= alike.count * thresholds.splitRequestsShare),
    tellShares,
  ),
  // Where the edge is whole by another way, a partner with the same paths and callers from outside look alike.
  gate(
    'nearly every call to the target and every request of the kind pair up, as the edge is whole by another way',
    (edge) => edge.isOnItsWay || areAllPaired(edge),
    tellShares,
  ),
  // A cache that answers at once asks in the background, while other calls are open.
  gate(
    'more calls pair up than a cache answered',
    ({ pairs, cached }) => pairs.length > cached,
    ({ pairs, cached }) => `${pairs.length} pairs, ${cached} answers of a cache`,
  ),
  // Nothing but the expectation says that the one hands requests on.
  gate(
    'most requests of the server are passed on',
    ({ scene: { thresholds }, arePassedOn, whole, pairs, ofServer }) =>
      !arePassedOn || whole.length > 0 || pairs.length >= ofServer * thresholds.passedOnShare,
    ({ pairs, ofServer }) => `${pairs.length} of ${countOf(ofServer, 'request')}`,
  ),
  gate(
    'pairs that have nothing but their time in common are most of the calls',
    ({ scene: { thresholds }, isTold, pairs, toTargets }) =>
      isTold || pairs.length >= toTargets.length * thresholds.untoldShare,
    tellShares,
  ),
  gate(
    'pairs that have nothing but their time in common are several, as other calls are whole',
    ({ scene: { thresholds }, isTold, whole, pairs }) =>
      isTold || whole.length === 0 || pairs.length >= thresholds.fewestUntold,
    ({ scene: { thresholds }, pairs }) => `${pairs.length}, at least ${thresholds.fewestUntold}`,
  ),
  gate(
    'nothing is left over on either side, or fewer would pair up by chance',
    (edge) => isSaid(edge) || isAlone(edge) || isBeyondChance(edge),
    (edge) => `${tellShares(edge)}; at other times of the capture about as many pair up`,
  ),
];

/**
 * A CLIENT span that nobody continued, and a SERVER span that began a new trace for the same request.
 * Time, method, path or port and user agent make the pairing safe, and that most calls to that target pair up.
 * A coincidence (a probe or a direct caller during a call to a peer that is not instrumented) does not. Pairs whose ids name each other
 * are judged one by one.
 */
export const splitTraces = rule<SplitEdge>({
  finding,
  measure: (scene, open) => {
    const clients = [...open.clients.filter((span) => span.kind === 'CLIENT'), ...listPassedOn(scene)];
    if (clients.length === 0) return [];
    const continued = listContinued(scene, open);
    const named = new Set(listNamed(scene, open, clients));
    const taken = new Set(Array.from(named, ({ client, server }) => [client, server]).flat());
    const strangers = [...open.roots.select(findAlike(scene, clients)), ...continued];
    const untaken = withoutAny(strangers, taken);
    const pairs = pairSpans(
      withoutAny(clients, taken),
      untaken,
      (client, server) => whyApart(scene, client, server) === null,
      scene.thresholds,
    );
    const groupEdges = (some: readonly Pair[]) => [
      ...mapBy(some, (pair) => numberEdge(scene, pair)).values(),
    ];
    const free = remember(() => new Set(withoutAny(untaken, new Set(pairs.map(({ server }) => server)))));
    const all = [...named, ...groupEdges(pairs).flatMap((edge) => withoutOtherAgents(scene, edge, free))];
    const targetOfRow = scene.facts.remember(nameTarget);
    const targetOf = (call: Span): string => targetOfRow(scene.graph.rowOf(call));
    const kindOf = scene.facts.remember(nameKind);
    const loose: Loose = {
      paired: remember(() => ({
        clients: new Set(all.map(({ client }) => client)),
        servers: new Set(all.map(({ server }) => server)),
      })),
      calls: indexCalls(clients, targetOf),
      roots: open.roots,
      continued: mapBy(continued, (span) => span.serviceName),
      orphans: mapBy(open.orphans, (span) => span.serviceName),
      targetOf,
      kindOf,
      kindsOf: rememberOf((server: string | null) => open.roots.countBy(server, kindOf)),
    };
    return groupEdges(all).flatMap((group) => {
      const proven = group.filter((pair) => named.has(pair));
      const others = group.filter((pair) => !named.has(pair));
      const measure = (some: readonly Pair[]) => measureEdge(scene, loose, some, named);
      const edge = measure([...proven, ...others]);
      const isOne =
        proven.length === 0 || edge.every((one) => shareGates.every(({ isOpen }) => isOpen(one, scene)));
      return isOne ? edge : [...measure(proven), ...measure(others)];
    });
  },
  gates: [
    parentGate(({ pairs }) => pairs.map(({ server }) => server)),
    ...shareGates.map((one) => ({
      ...one,
      isOpen: (edge: SplitEdge, scene: Scene) => areNamed(edge) || one.isOpen(edge, scene),
    })),
  ],
  looseEnds: ({ pairs }) => pairs.flatMap(({ client, server }) => [client, server]),
  report: (edge) => {
    const { scene, client, server, pairs, named, whole } = edge;
    const unpaired = edge.countUnpaired();
    return finding.report({
      ...(mayBeOfOtherHost(edge) || isTimedByGuess(edge) ? { severity: 'warning' } : {}),
      client,
      server,
      protocol: protocolOf(pairs[0]?.client),
      candidates: rankSplitCauses(scene, pairs),
      shown: showCalls(pairs, (pair) =>
        describePair(scene, pair, {
          isProven: named.has(pair),
          isTimed: whole.length > 0,
          ...unpaired,
        }),
      ),
    });
  },
  whyNot: explainUnpaired,
});

/**
 * A few requests that came in under another public name than that of the calls may be of callers from outside, while a third party with the same
 * path was called. A content network may rename the host, too. Where calls or requests are left over, any other address says so: proxies and
 * containers change addresses, but then all calls and requests pair up.
 */
function mayBeOfOtherHost(edge: SplitEdge): boolean {
  const { scene, pairs, toTargets, alike, named, isExpected } = edge;
  if (isExpected || pairs.length >= scene.thresholds.fewestUntold) return false;
  const isLeftOver = Math.max(toTargets.length, alike.count) > pairs.length;
  return pairs.every(
    (pair) =>
      !named.has(pair) && (haveOtherNames(pair) || (isLeftOver && !isAddressedTo(pair.client, pair.server))),
  );
}

/** Whether a call and a request have different public names of the host. */
function haveOtherNames({ client, server }: Pair): boolean {
  const [called, received] = [readCallFacts(client).host, readCallFacts(server).host];
  return isPublicName(called) && isPublicName(received) && called !== received;
}

/** Whether pairs fit only by a clock offset that loose ends alone gave: nothing else connects the two clocks. */
function isTimedByGuess({ scene: { clockOffsets }, pairs, named }: SplitEdge): boolean {
  const guessOf = (span: Span): string | null => clockOffsets.get(clockOf(span))?.guess ?? null;
  return pairs.some((pair) => !named.has(pair) && guessOf(pair.client) !== guessOf(pair.server));
}

/** Pairs of the same services and protocol have the same. */
function numberEdge({ graph, facts }: Scene, { client, server }: PairSides): number {
  const [caller, called] = [graph.rowOf(client), graph.rowOf(server)];
  const services = graph.serviceNumberOf(caller) * graph.serviceCount + graph.serviceNumberOf(called);
  return services * protocols.length + protocols.indexOf(facts.protocolOf(caller));
}

/** Why a call or a root is in no pair. */
function explainUnpaired(scene: Scene, open: Open, looseEnd: Span): string | null {
  const continued = listContinued(scene, open);
  if (looseEnd.kind === 'CLIENT') {
    const isOther = ({ traceId }: Span): boolean => traceId !== looseEnd.traceId;
    const during = [
      ...open.roots.select(startsDuringAny(scene.graph, [looseEnd], scene.thresholds)),
      ...continued,
    ].filter((root) => isOther(root) && startsDuring(root, looseEnd, scene.thresholds));
    const others = open.roots.countOutside(looseEnd) + continued.filter(isOther).length;
    return during.length === 0
      ? `no SERVER span began another trace while the call was open (${others} at other times)`
      : tellReasons(
          `${countOf(during.length, 'SERVER span')} began other traces meanwhile`,
          during.map((root) => whyApart(scene, looseEnd, root)),
        );
  }
  const isStranger = (isEntry(looseEnd) && isRoot(looseEnd)) || continued.includes(looseEnd);
  if (!isStranger) return null;
  const clients = open.clients.filter((span) => span.kind === 'CLIENT');
  const during = clients.filter((client) => startsDuring(looseEnd, client, scene.thresholds));
  return during.length === 0
    ? `no call without a child was open when it began (${clients.length} at other times)`
    : tellReasons(
        `${countOf(during.length, 'open call')} without a child`,
        during.map((client) => whyApart(scene, client, looseEnd)),
      );
}

/** SERVER spans whose trace begins nowhere in the data: where it begins, a parent that is nowhere is lost telemetry. */
function listContinued(scene: Scene, open: Open): readonly Span[] {
  return open.orphans.filter((span) => span.kind === 'SERVER' && !scene.graph.isBegun(span.traceId));
}

/** Pairs of different traces that ids in headers prove. */
export function listNamed(scene: Scene, open: Open, clients: readonly Span[]): readonly Pair[] {
  const { graph, headers, shared, thresholds } = scene;
  if (!mayNameSides(graph, headers.wire)) return [];
  const isOpenMeanwhile = startsDuringAny(graph, clients, thresholds);
  const servers = [...open.roots.select(isOpenMeanwhile), ...listContinued(scene, open)];
  return pairByIds(graph, clients, servers, shared.answersOf, thresholds).filter(
    ({ client, server }) => server.kind === 'SERVER' && !graph.areOfOneTrace(client, server),
  );
}

function withoutAny(spans: readonly Span[], taken: ReadonlySet<Span>): readonly Span[] {
  return taken.size === 0 ? spans : spans.filter((span) => !taken.has(span));
}

/**
 * Whether a row can be the request of some call that was open when it started, to be asked before a view is made. Where nobody is expected
 * to call its service, that call must have more in common with it than the time.
 */
function findAlike(scene: Scene, clients: readonly Span[]): (row: number) => boolean {
  const { graph, facts, thresholds } = scene;
  const expected = new Set<string | null>(scene.expectation.edges.map(({ server }) => server));
  const mayBeSame = indexRequests(clients, facts);
  return startsDuringAny(
    graph,
    clients,
    thresholds,
    (row, at) => expected.has(graph.serviceOf(row)) || mayBeSame(row, at),
  );
}

/**
 * Requests that a gateway or a sidecar recorded as one SERVER span each, without a CLIENT span for the passing on, and
 * that nobody continued: in whole calls that very span is the parent beyond it, or the service makes no other spans.
 */
function listPassedOn(scene: Scene): readonly Span[] {
  const passing = new Set(
    scene.groups.filter(({ clientKind }) => clientKind === 'SERVER').map(({ client }) => client),
  );
  for (const { client, rule } of scene.expectation.edges) {
    if (rule === 'must' && !scene.services.isCalling(client)) passing.add(client);
  }
  return [...passing]
    .flatMap((service) => scene.selectSpans(service, (row) => !scene.graph.hasChild(row)))
    .filter((span) => span.kind === 'SERVER' && !isHealthProbe(span));
}

/**
 * One instrumentation sends one user agent, so that pairs with another are callers from outside. They are left out if they are few. If they are more, their calls
 * are paired with free roots of the usual agent instead, provided that all of them fit one.
 * @param freeRoots Roots in no pair. Those that are used are taken out.
 */
function withoutOtherAgents(
  scene: Scene,
  pairs: readonly Pair[],
  freeRoots: () => Set<Span>,
): readonly Pair[] {
  const { thresholds } = scene;
  return groupBy(pairs, (pair) => pair.client.scopeName).flatMap((ofScope) => {
    const ofAgents = groupBy(ofScope, ({ server }) => readAgent(server));
    const usual = ofAgents.reduce((one, other) => (other.length > one.length ? other : one));
    if (usual.length >= ofScope.length * thresholds.usualAgentShare) return usual;
    const [{ server }] = usual;
    const free = [...freeRoots()].filter(
      (root) => root.serviceName === server.serviceName && readAgent(root) === readAgent(server),
    );
    const clients = ofAgents.flatMap((ofAgent) =>
      ofAgent === usual ? [] : ofAgent.map(({ client }) => client),
    );
    const fits = (client: Span, root: Span): boolean => whyApart(scene, client, root) === null;
    const replaced = pairSpans(clients, free, fits, thresholds);
    if (replaced.length < clients.length) return ofScope;
    for (const { server: used } of replaced) freeRoots().delete(used);
    return [...usual, ...replaced];
  });
}

function readAgent(request: Span): string {
  return readCallFacts(request).userAgent ?? '';
}

/** Why a call and a root are not two sides of one request; null where they can be. */
function whyApart(scene: Scene, client: Span, server: Span): string | null {
  if (scene.graph.areOfOneTrace(client, server)) return 'of the same trace';
  const unprovable = scene.shared.findUnprovable(client);
  if (unprovable !== null) return `of a call that proves nothing (${tellUnprovable(unprovable)})`;
  if (!isPlausible(scene, client.serviceName, server.serviceName))
    return 'of services that others are expected to call';
  const sameRequest = compareRequests(client, server);
  if (sameRequest === 'no')
    return isUnconnected(client)
      ? 'answered to somebody else: the call made no connection'
      : 'of another request (method, path, status or user agent)';
  if (client.kind === 'SERVER')
    return sameRequest === 'yes' && isPassedOn(client, server) ? null : 'not passed on as it came';
  if (sameRequest === 'unknown' && !scene.shared.isExpectedDirectly(client.serviceName, server.serviceName))
    return 'with nothing but the time in common, on an edge that is not expected';
  return comesFromElsewhere(scene, client, server) ? 'sent by another program (user agent)' : null;
}

/** Whether a gateway passed a request on as it came. That they have a port in common says nothing of two servers. */
function isPassedOn(request: Span, server: Span): boolean {
  const [into, beyond] = [readCallFacts(request), readCallFacts(server)];
  return request.serviceName !== server.serviceName && into.path !== null && into.path === beyond.path;
}

/** Calls that the same instrumentation of this caller made are known by their user agent, and this request has another. */
export function comesFromElsewhere(scene: Scene, client: Span, server: Span): boolean {
  const userAgent = readCallFacts(server).userAgent;
  return userAgent !== null && scene.shared.isOtherAgent(client, server.serviceName, userAgent);
}

/** The loose ends, which each edge asks for those of its two services. */
interface Loose {
  /** The two sides of the pairs of all edges. Asked for reports alone. */
  readonly paired: () => Readonly<Record<'clients' | 'servers', ReadonlySet<Span>>>;
  readonly calls: CallIndex;
  readonly roots: Roots;
  readonly continued: ReadonlyMap<string | null, readonly Span[]>;
  /** By service. */
  readonly orphans: ReadonlyMap<string | null, readonly Span[]>;
  readonly targetOf: (call: Span) => string;
  /** Of a row. */
  readonly kindOf: (request: number) => string;
  /** How many roots of a service are of each kind. */
  readonly kindsOf: (server: string | null) => ReadonlyMap<string, number>;
}

function measureEdge(
  scene: Scene,
  loose: Loose,
  pairs: readonly Pair[],
  named: ReadonlySet<Pair>,
): readonly SplitEdge[] {
  const first = pairs[0];
  if (first === undefined) return [];
  const client = first.client.serviceName;
  const server = first.server.serviceName;
  const targets = new Set(pairs.map((pair) => loose.targetOf(pair.client)));
  const whole = scene
    .groupsBetween(client, server)
    .filter(isOfLayer(isOfMcp(first.client)))
    .filter(({ protocol }) => protocol !== 'messaging');
  const isExpected = scene.shared.isExpectedDirectly(client, server);
  const toTargets = listToTargets(scene, loose, first, pairs, targets);
  const alike = measureAlike(scene, loose, pairs, server);
  return [
    {
      scene,
      client,
      server,
      pairs,
      toTargets,
      cached: toTargets.filter((span) => scene.shared.findUnprovable(span)?.why === 'cached-answer').length,
      alike,
      countUnpaired: () => {
        const { clients, servers } = loose.paired();
        return {
          calls: toTargets.filter((call) => !clients.has(call)).length,
          requests: alike
            .list()
            .filter((request) => !servers.has(request) && !scene.graph.isAtBorder(scene.graph.rowOf(request)))
            .length,
        };
      },
      ofServer: loose.roots.count(server) + (loose.continued.get(server)?.length ?? 0),
      whole,
      isExpected,
      isOnItsWay:
        whole.length > 0
          ? someCall(whole, (row) => targets.has(nameTarget(scene.facts.at(row))))
          : scene.groupsInto(server).length === 0 || isExpected,
      arePassedOn: pairs.every((pair) => pair.client.kind === 'SERVER'),
      // Elsewhere nothing else pairs up.
      isTold: !isExpected || pairs.every((pair) => compareRequests(pair.client, pair.server) === 'yes'),
      named,
    },
  ];
}

/** The open calls to the targets of the pairs that may have another side. */
function listToTargets(
  { graph, facts }: Scene,
  loose: Loose,
  { client, server }: Pair,
  pairs: readonly Pair[],
  targets: ReadonlySet<string>,
): readonly Span[] {
  const isMcp = isOfMcp(client);
  const paired = remember(() => new Set(pairs.map((pair) => pair.client)));
  // Spans of the called service without their parent prove that context arrived in their trace: its calls are others.
  const reached = new Set(loose.orphans.get(server.serviceName)?.map(({ traceId }) => traceId));
  // A call that reached nobody, as while the called service starts, has no other side.
  const mayHaveOther = (row: number, span: Span): boolean =>
    facts.outcomeOf(row) !== 'unreached' &&
    !graph.isAtBorder(row) &&
    (reached.size === 0 || !reached.has(span.traceId));
  return loose.calls
    .callsTo(client.serviceName, targets)
    .filter(
      (span) => isOfMcp(span) === isMcp && (mayHaveOther(graph.rowOf(span), span) || paired().has(span)),
    );
}

/** The requests of the kinds of the pairs. Of those at the border of the capture only the paired ones. */
function measureAlike({ graph }: Scene, loose: Loose, pairs: readonly Pair[], server: string | null): Alike {
  const kinds = new Set(pairs.map((pair) => loose.kindOf(graph.rowOf(pair.server))));
  const isAlike = (row: number): boolean => kinds.has(loose.kindOf(row));
  const continued = (loose.continued.get(server) ?? []).filter((span) => isAlike(graph.rowOf(span)));
  const paired = remember(() => new Set(pairs.map((pair) => pair.server)));
  const unpairedAtBorder = loose.roots
    .select((row) => graph.isAtBorder(row) && isAlike(row), server)
    .filter((root) => !paired().has(root)).length;
  const ofKind = loose.kindsOf(server);
  const roots = [...kinds].reduce((sum, kind) => sum + (ofKind.get(kind) ?? 0), 0);
  return {
    count: roots - unpairedAtBorder + continued.length,
    list: () => [...loose.roots.select(isAlike, server), ...continued],
  };
}

function areNamed({ pairs, named }: SplitEdge): boolean {
  return pairs.every((pair) => named.has(pair));
}

/** An expectation supports pairs that have more in common than their time, and all pairs of an edge without whole calls. */
function isSaid({ isExpected, isTold, whole }: SplitEdge): boolean {
  return isExpected && (isTold || whole.length === 0);
}

/** Nearly every call, and every request; or all but one of several, where requests begin with their calls, or many pair up, more than by chance, with which no timer keeps step. */
function areAllPaired(edge: SplitEdge): boolean {
  const {
    scene: { thresholds },
    pairs,
    toTargets,
    alike,
  } = edge;
  const { length } = pairs;
  if (length >= toTargets.length * thresholds.everyCallShare && length === alike.count) return true;
  return (
    areNearlyAll(length, toTargets.length, thresholds.everyCallShare, thresholds) &&
    areNearlyAll(length, alike.count, 1, thresholds) &&
    (doStartsFollow(pairs, thresholds) ||
      (length >= thresholds.manyDisplaced &&
        !mayTimersKeepStep(pairs.map(({ client }) => client)) &&
        isBeyondChance(edge)))
  );
}

/** Left-overs on either side may show a coincidence; an expectation allows for more of them, and requests that begin with their calls for one. */
function isAlone(edge: SplitEdge): boolean {
  const { scene, isExpected, pairs, toTargets, alike } = edge;
  const { thresholds } = scene;
  const leftOver = isExpected ? thresholds.splitLeftOverExpected : thresholds.displacedLeftOver;
  const most = Math.max(toTargets.length, alike.count);
  if (areNearlyAllPaired(pairs, most, 1 / leftOver, thresholds)) return true;
  return most - pairs.length <= 1 && (areOfDistinctPaths(edge.pairs, thresholds) || isOthersCut(edge));
}

/** Whether the call that is left over began before the capture, so that its request may be missing, and the other requests begin with their calls. */
function isOthersCut({ scene: { capture, thresholds }, pairs, toTargets, alike }: SplitEdge): boolean {
  if (alike.count > pairs.length || !doStartsFollow(pairs, thresholds)) return false;
  const paired = new Set(pairs.map(({ client }) => client));
  return toTargets.every((call) => paired.has(call) || call.startTimeUnixNano < capture.from);
}

function isBeyondChance({ scene, pairs, toTargets, alike }: SplitEdge): boolean {
  const { thresholds } = scene;
  const countPairs = (moved: readonly Span[]): number =>
    pairSpans(toTargets, moved, (one, other) => whyApart(scene, one, other) === null, thresholds).length;
  return isMoreThanChance(alike.list(), pairs.length, countPairs, thresholds);
}

function tellShares({ pairs, toTargets, alike }: SplitEdge): string {
  return `${countOf(pairs.length, 'pair')} of ${countOf(toTargets.length, 'call')} and ${countOf(alike.count, 'request')}`;
}

/** Requests of one kind to one service: if most of them began while nobody of the data called, others call this service. */
function nameKind(request: FactSource): string {
  return keyFor(request.name, readUserAgent(request));
}
