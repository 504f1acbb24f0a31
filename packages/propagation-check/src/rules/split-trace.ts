import { type CallFacts, isHealthProbe, readAddress, readCallFacts } from '../calls/call-facts.ts';
import { type CallGroup, someCall } from '../calls/call-group.ts';
import type { Roots } from '../calls/roots.ts';
import { isRoot, type TraceGraph } from '../graph/trace-graph.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { compareRequests, indexRequests, type Pair, pairSpans, startsDuringAny } from '../pairing/pair.ts';
import type { Attributes, Span } from '../span/span.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import {
  type Check,
  type Draft,
  edgeProtocol,
  isExpectedDirectly,
  isParentDue,
  isPlausible,
  type Scene,
} from './check.ts';
import type { FindingId } from './finding.ts';

/**
 * A CLIENT span that nobody continued, and a SERVER span that began a new trace for the same request.
 * What makes the pairing safe: time, method, path or port, user agent, and that most calls to that target pair up.
 * A coincidence (a probe or a direct caller during a call to a peer that is not instrumented) does not.
 */
export const findSplitTraces: Check = (scene, open) => {
  const { graph } = scene;
  // In a trace of which the beginning is there, a parent that is nowhere is lost telemetry.
  const continued = open.orphans.filter(
    (span) => span.kind === 'SERVER' && !graph.hasRoot(graph.rowOf(span)),
  );
  const clients = [...open.clients.filter((span) => span.kind === 'CLIENT'), ...listPassedOn(scene)];
  if (clients.length === 0) return [];
  const overlaps = startsDuringAny(graph, clients);
  const isAlike = findAlike(scene, clients);
  const strangers = [...open.roots.select((row) => overlaps(row) && isAlike(row)), ...continued];
  const pairs = pairSpans(
    clients,
    strangers,
    (client, server) => client.traceId !== server.traceId && belongTogether(scene, client, server),
  );
  const edges = groupBy(pairs, ({ client, server }) =>
    keyFor(client.serviceName, server.serviceName, readCallFacts(client).protocol),
  );
  return edges.flatMap((group) =>
    describeEdge(scene, clients, { roots: open.roots, continued }, withoutOtherAgents(group)),
  );
};

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

/** What one instrumentation sends has one user agent: a few pairs with another are callers from outside. */
function withoutOtherAgents(pairs: readonly Pair[]): readonly Pair[] {
  return groupBy(pairs, (pair) => pair.client.scopeName).flatMap((ofScope) => {
    const ofAgents = groupBy(ofScope, (pair) => readCallFacts(pair.server).userAgent ?? '');
    const common = ofAgents.find((ofAgent) => ofAgent.length * 10 >= ofScope.length * 9);
    return common ?? ofScope;
  });
}

/** Requests that began traces, or go on with one of which the beginning is not there. */
interface Strangers {
  readonly roots: Roots;
  readonly continued: readonly Span[];
}

/** Whether a row can be the request of any of the calls. Where no expectation speaks of it, they must have something in common. */
function findAlike(scene: Scene, clients: readonly Span[]): (row: number) => boolean {
  const expected = new Set<string | null>(
    scene.expectation.edges.filter(({ rule }) => rule === 'must').map(({ server }) => server),
  );
  const mayBeSame = indexRequests(clients);
  return (row) => expected.has(scene.graph.serviceOf(row)) || mayBeSame(scene.facts.at(row));
}

function belongTogether(scene: Scene, client: Span, server: Span): boolean {
  if (!isPlausible(scene, client.serviceName, server.serviceName)) return false;
  const sameRequest = compareRequests(client, server);
  if (sameRequest === 'no') return false;
  if (client.kind === 'SERVER') return sameRequest === 'yes' && isPassedOn(client, server);
  const expected = isExpectedDirectly(scene, client.serviceName, server.serviceName);
  if (sameRequest === 'unknown' && !expected) return false;
  return !comesFromElsewhere(scene, client, server);
}

/** Whether a gateway passed a request on as it came. That they have a port in common says nothing of two servers. */
function isPassedOn(request: Span, server: Span): boolean {
  const [into, beyond] = [readCallFacts(request), readCallFacts(server)];
  return request.serviceName !== server.serviceName && into.path !== null && into.path === beyond.path;
}

/** Calls that the same instrumentation of this caller made are known by their user agent, and this request has another. */
function comesFromElsewhere(scene: Scene, client: Span, server: Span): boolean {
  const userAgent = readCallFacts(server).userAgent;
  if (userAgent === null) return false;
  const known = listUserAgents(scene, client, server.serviceName);
  return known.size > 0 && !known.has(userAgent);
}

const userAgents = new WeakMap<Scene, Map<string, ReadonlySet<string>>>();

function listUserAgents(
  scene: Scene,
  { serviceName, scopeName }: Span,
  server: string | null,
): ReadonlySet<string> {
  const ofScene = userAgents.get(scene) ?? new Map<string, ReadonlySet<string>>();
  userAgents.set(scene, ofScene);
  const key = keyFor(serviceName, server, scopeName);
  const known = ofScene.get(key);
  if (known !== undefined) return known;
  const found = new Set<string>();
  someCall(scene.groupsBetween(serviceName, server), (clientRow, serverRow) => {
    if (scene.facts.scopeOf(clientRow) !== scopeName) return false;
    const agent = scene.facts.userAgentOf(serverRow);
    if (agent !== null) found.add(agent);
    return false;
  });
  ofScene.set(key, found);
  return found;
}

function describeEdge(
  scene: Scene,
  open: readonly Span[],
  strangers: Strangers,
  pairs: readonly Pair[],
): readonly Draft[] {
  const first = pairs[0];
  if (first === undefined) return [];
  const client = first.client.serviceName;
  const server = first.server.serviceName;
  const targets = new Set(pairs.map((pair) => targetOf(pair.client)));
  const toTargets = open.filter((span) => span.serviceName === client && targets.has(targetOf(span)));
  const kinds = new Set(pairs.map((pair) => kindOf(pair.server)));
  const names = new Set(pairs.map((pair) => pair.server.name));
  const alike = [
    ...strangers.roots.select((row) => names.has(scene.facts.nameOf(row)), server),
    ...strangers.continued,
  ].filter((span) => kinds.has(kindOf(span)));
  const isCommon = pairs.length * 2 >= toTargets.length && pairs.length * 2 >= alike.length;
  // Where the edge is whole by another way, a partner with the same paths and callers from outside look alike.
  const isEveryCall = pairs.length * 10 >= toTargets.length * 9 && pairs.length === alike.length;
  // Messages between the two go another way.
  const whole = scene.groupsBetween(client, server).filter(({ protocol }) => protocol !== 'messaging');
  const expected = isExpectedDirectly(scene, client, server);
  // An expectation speaks for these calls unless the edge is whole by another way.
  const isOnItsWay =
    whole.length > 0
      ? someCall(whole, (row) => targets.has(nameTarget(readAddress(scene.facts.at(row)))))
      : scene.groupsInto(server).length === 0 || expected;
  if (!pairs.some((pair) => isRoot(pair.server) || isParentDue(scene, pair.server))) return [];
  if (isOnItsWay ? !isCommon && !expected : !isEveryCall) return [];
  // Nothing but the expectation says that the one hands requests on: then most of the other's must be such.
  const ofServer =
    strangers.roots.count(server) + strangers.continued.filter((span) => span.serviceName === server).length;
  const arePassedOn = pairs.every((pair) => pair.client.kind === 'SERVER');
  if (arePassedOn && whole.length === 0 && pairs.length * 2 < ofServer) return [];
  // What is left over on either side may show that it was a coincidence, the less an expectation speaks for it.
  const isAlone = pairs.length * (expected ? 12 : 11) >= Math.max(toTargets.length, alike.length) * 10;
  const countPairs = (moved: readonly Span[]): number =>
    pairSpans(toTargets, moved, (one, other) => belongTogether(scene, one, other)).length;
  // So may be what has nothing but its time in common, when there is more than a few of either.
  const isTold = pairs.every((pair) => compareRequests(pair.client, pair.server) === 'yes');
  if (!isTold && pairs.length * 2 < toTargets.length) return [];
  if (!isTold && whole.length > 0 && pairs.length < fewestUntold) return [];
  const isSaid = expected && (isTold || whole.length === 0);
  if (!isSaid && !isAlone && !isMoreThanChance(alike, pairs.length, countPairs)) return [];
  const continued = pairs.filter((pair) => !isRoot(pair.server));
  return [
    {
      id: 'split-trace',
      severity: 'error',
      client,
      server,
      protocol: edgeProtocol(readCallFacts(first.client).protocol),
      candidates: rankCauses(scene, pairs, continued.length > 0),
      shown: pairs.map((pair) => ({
        client: pair.client,
        server: pair.server,
        says: pair.unique
          ? `CLIENT ${pair.client.spanId} was answered by SERVER ${pair.server.spanId} of trace ${pair.server.traceId}`
          : `CLIENT ${pair.client.spanId} has no child; such SERVER spans began traces of their own while it was open`,
      })),
    },
  ];
}

/** Fewer pairs that nothing but their time tells may be a coincidence. */
const fewestUntold = 3;

/** Requests of one kind: if most of them began while nobody of the data called, others call this service. */
function kindOf(span: Span): string {
  return keyFor(span.serviceName, span.name, readCallFacts(span).userAgent);
}

function targetOf(span: Span): string {
  return nameTarget(readCallFacts(span));
}

function nameTarget({ host, port }: Pick<CallFacts, 'host' | 'port'>): string {
  return keyFor(host, port);
}

/** Spans alone do not tell these apart. */
export const splitCauses: readonly FindingId[] = [
  'header-stripped',
  'header-not-sent',
  'header-ignored',
  'format-mismatch',
  'header-malformed',
  'header-duplicated',
  'header-rewritten',
  'server-not-instrumented',
  'client-not-instrumented',
];

/** The likeliest first. */
function rankCauses(scene: Scene, pairs: readonly Pair[], received: boolean): readonly FindingId[] {
  return moveToFront(splitCauses, received ? 'header-rewritten' : guessCause(scene, pairs));
}

function guessCause(scene: Scene, pairs: readonly Pair[]): FindingId {
  const clients = new Set(pairs.map((pair) => pair.client.serviceName));
  const servers = new Set(pairs.map((pair) => pair.server.serviceName));
  const instancesOf = (resources: Iterable<Attributes>): Set<string> =>
    new Set([...resources].flatMap((resource) => resource.get('service.instance.id')?.toString() ?? []));
  const whole = [...clients].flatMap((client) =>
    [...servers].flatMap((server) => scene.groupsBetween(client, server)),
  );
  const splitServers = instancesOf(pairs.map((pair) => pair.server.resource));
  const wholeServers = instancesOf(listResources(scene.graph, whole));
  if (
    wholeServers.size > 0 &&
    splitServers.size > 0 &&
    [...splitServers].every((id) => !wholeServers.has(id))
  ) {
    return 'header-ignored';
  }
  if (whole.length > 0) return 'header-stripped';
  const behindHop = pairs.some(({ client, server }) => {
    const [called, listening] = [readCallFacts(client).port, readCallFacts(server).port];
    return called !== null && listening !== null && called !== listening;
  });
  return behindHop ? 'header-stripped' : 'header-not-sent';
}

/** Of the servers of whole calls. */
function listResources({ store }: TraceGraph, groups: readonly CallGroup[]): readonly Attributes[] {
  const found = new Set<number>();
  for (const { servers } of groups) for (const row of servers) found.add(store.resources[row] ?? 0);
  return [...found].flatMap((resource) => store.resourceTable[resource]?.attributes ?? []);
}

export function moveToFront(causes: readonly FindingId[], best: FindingId): readonly FindingId[] {
  return [best, ...causes.filter((cause) => cause !== best)];
}
