import { isHealthProbe, readCallFacts } from '../calls/call-facts.ts';
import { isOutgoing } from '../calls/edge.ts';
import { isRoot } from '../graph/trace-graph.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { compareRequests, type Pair, pairSpans } from '../pairing/pair.ts';
import type { Span } from '../span/span.ts';
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
import { defineFinding } from './define-finding.ts';
import type { FindingId } from './finding.ts';

export const finding = defineFinding('split-trace', {
  kind: 'symptom',
  isConclusive: true,
  shows: 'A CLIENT without a child, and a root SERVER of B that pairs with it',
  title: 'One request, two traces',
  why: 'A CLIENT span has no child, and the SERVER span of the same request is the root of another trace.',
  fix: 'Run `propagation-check tap` in front of the called service to see what arrives there.',
});

/**
 * A CLIENT span that nobody continued, and a SERVER span that began a new trace for the same request.
 * What makes the pairing safe: time, method, path or port, user agent, and that most calls to that target pair up.
 * A coincidence (a probe or a direct caller during a call to a peer that is not instrumented) does not.
 */
export const findSplitTraces: Check = (scene, open) => {
  const begun = new Set(scene.graph.spans.filter(isRoot).map((span) => span.traceId));
  // In a trace of which the beginning is there, a parent that is nowhere is lost telemetry.
  const continued = open.orphans.filter((span) => span.kind === 'SERVER' && !begun.has(span.traceId));
  const strangers = [...open.roots, ...continued];
  const clients = [...open.clients.filter((span) => span.kind === 'CLIENT'), ...listPassedOn(scene)];
  const pairs = pairSpans(
    clients,
    strangers,
    (client, server) => client.traceId !== server.traceId && belongTogether(scene, client, server),
    scene.thresholds,
  );
  const edges = groupBy(pairs, ({ client, server }) =>
    keyFor(client.serviceName, server.serviceName, readCallFacts(client).protocol),
  );
  return edges.flatMap((group) => describeEdge(scene, clients, strangers, withoutOtherAgents(scene, group)));
};

/**
 * Requests that a gateway or a sidecar recorded as one SERVER span each, without a CLIENT span for the passing on, and
 * that nobody continued: in whole calls that very span is the parent beyond it, or the service makes no other spans.
 */
function listPassedOn(scene: Scene): readonly Span[] {
  const passing = new Set(
    scene.calls.filter(({ client }) => client.kind === 'SERVER').map(({ client }) => client.serviceName),
  );
  for (const { client, rule } of scene.expectation.edges) {
    if (rule === 'must' && !scene.spansOf(client).some(isOutgoing)) passing.add(client);
  }
  return [...passing]
    .flatMap(scene.spansOf)
    .filter(
      (span) => span.kind === 'SERVER' && scene.graph.childrenOf(span).length === 0 && !isHealthProbe(span),
    );
}

/** What one instrumentation sends has one user agent: a few pairs with another are callers from outside. */
function withoutOtherAgents({ thresholds }: Scene, pairs: readonly Pair[]): readonly Pair[] {
  return groupBy(pairs, (pair) => pair.client.scopeName).flatMap((ofScope) => {
    const ofAgents = groupBy(ofScope, (pair) => readCallFacts(pair.server).userAgent ?? '');
    const common = ofAgents.find((ofAgent) => ofAgent.length >= ofScope.length * thresholds.usualAgentShare);
    return common ?? ofScope;
  });
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
  const found = new Set(
    scene
      .callsBetween(serviceName, server)
      .filter((call) => call.client.scopeName === scopeName)
      .flatMap((call) => readCallFacts(call.server).userAgent ?? []),
  );
  ofScene.set(key, found);
  return found;
}

function describeEdge(
  scene: Scene,
  open: readonly Span[],
  strangers: readonly Span[],
  pairs: readonly Pair[],
): readonly Draft[] {
  const first = pairs[0];
  if (first === undefined) return [];
  const { thresholds } = scene;
  const client = first.client.serviceName;
  const server = first.server.serviceName;
  const targets = new Set(pairs.map((pair) => targetOf(pair.client)));
  const toTargets = open.filter((span) => span.serviceName === client && targets.has(targetOf(span)));
  const kinds = new Set(pairs.map((pair) => kindOf(pair.server)));
  const alike = strangers.filter((span) => kinds.has(kindOf(span)));
  const isCommon =
    pairs.length >= toTargets.length * thresholds.splitCallsShare &&
    pairs.length >= alike.length * thresholds.splitRequestsShare;
  // Where the edge is whole by another way, a partner with the same paths and callers from outside look alike.
  const isEveryCall =
    pairs.length >= toTargets.length * thresholds.everyCallShare && pairs.length === alike.length;
  // Messages between the two go another way.
  const whole = scene.callsBetween(client, server).filter((call) => call.protocol !== 'messaging');
  const expected = isExpectedDirectly(scene, client, server);
  // An expectation speaks for these calls unless the edge is whole by another way.
  const isOnItsWay =
    whole.length > 0
      ? whole.some((call) => targets.has(targetOf(call.client)))
      : scene.callsInto(server).length === 0 || expected;
  if (!pairs.some((pair) => isRoot(pair.server) || isParentDue(scene, pair.server))) return [];
  if (isOnItsWay ? !isCommon && !expected : !isEveryCall) return [];
  // Nothing but the expectation says that the one hands requests on: then most of the other's must be such.
  const ofServer = strangers.filter((span) => span.serviceName === server);
  const arePassedOn = pairs.every((pair) => pair.client.kind === 'SERVER');
  if (arePassedOn && whole.length === 0 && pairs.length < ofServer.length * thresholds.passedOnShare)
    return [];
  // What is left over on either side may show that it was a coincidence, the less an expectation speaks for it.
  const leftOver = expected ? thresholds.splitLeftOverExpected : thresholds.splitLeftOver;
  const isAlone = Math.max(toTargets.length, alike.length) <= pairs.length * leftOver;
  const countPairs = (moved: readonly Span[]): number =>
    pairSpans(toTargets, moved, (one, other) => belongTogether(scene, one, other), thresholds).length;
  // So may be what has nothing but its time in common, when there is more than a few of either.
  const isTold = pairs.every((pair) => compareRequests(pair.client, pair.server) === 'yes');
  if (!isTold && pairs.length < toTargets.length * thresholds.untoldShare) return [];
  if (!isTold && whole.length > 0 && pairs.length < thresholds.fewestUntold) return [];
  const isSaid = expected && (isTold || whole.length === 0);
  if (!isSaid && !isAlone && !isMoreThanChance(alike, pairs.length, countPairs, thresholds)) return [];
  const continued = pairs.filter((pair) => !isRoot(pair.server));
  return [
    finding.report({
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
    }),
  ];
}

/** Requests of one kind: if most of them began while nobody of the data called, others call this service. */
function kindOf(span: Span): string {
  return keyFor(span.serviceName, span.name, readCallFacts(span).userAgent);
}

export function targetOf(span: Span): string {
  const { host, port } = readCallFacts(span);
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
  const instancesOf = (spans: readonly Span[]): Set<string> =>
    new Set(spans.flatMap((span) => span.resource.get('service.instance.id')?.toString() ?? []));
  const whole = [...clients].flatMap((client) =>
    [...servers].flatMap((server) => scene.callsBetween(client, server)),
  );
  const splitServers = instancesOf(pairs.map((pair) => pair.server));
  const wholeServers = instancesOf(whole.map((call) => call.server));
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

export function moveToFront(causes: readonly FindingId[], best: FindingId): readonly FindingId[] {
  return [best, ...causes.filter((cause) => cause !== best)];
}
