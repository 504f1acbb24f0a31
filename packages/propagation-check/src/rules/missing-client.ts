import { readAddress } from '../calls/address.ts';
import { readCallFacts } from '../calls/call-facts.ts';
import { someCall } from '../calls/call-group.ts';
import { isEntry } from '../calls/edge.ts';
import { withoutIds } from '../calls/endpoint.ts';
import type { FactSource } from '../calls/fact-source.ts';
import { readPath } from '../calls/http-facts.ts';
import { readOutcome } from '../calls/outcome.ts';
import { readRpcMethod } from '../calls/rpc-facts.ts';
import { findTop, isCallerMissing, isOrphan } from '../graph/trace-graph.ts';
import { bounds } from '../pairing/bounds.ts';
import { compareRequests, isAddressedTo } from '../pairing/compare-requests.ts';
import { areOfDistinctPaths } from '../pairing/distinct-paths.ts';
import { groupPairs, type Pair, type PairSides, pairSpans } from '../pairing/pair-spans.ts';
import { isOpenAt } from '../pairing/times.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, keyFor, mapBy } from '../util/group-by.ts';
import { defineFinding } from './define-finding.ts';
import { edgeOf, nameParent } from './draft.ts';
import { isExpectedCaller } from './expected-calls.ts';
import type { FindingId } from './finding.ts';
import { parentGate } from './parent-gate.ts';
import { isBehindFrontEnd } from './platforms.ts';
import { describeReasons, rule } from './rule.ts';
import type { Open, Scene } from './scene.ts';

export const finding = defineFinding('missing-client', {
  kind: 'symptom',
  isConclusive: false,
  shows: 'a SERVER span whose parent is not in the data',
  title: 'The caller\u2019s span is missing',
  why: 'A SERVER span has a parent that is not in the data. If no call is listed, the expected caller has no span at all.',
  fix: 'Check in the caller: does it end and export its CLIENT spans, is it sampled, does a proxy start spans of its own?',
  ofMessages: {
    title: 'The sender\u2019s span is missing',
    why: 'A CONSUMER span has a parent that is not in the data.',
    fix: 'Check in the sender: does it end and export its PRODUCER spans, and is it sampled?',
  },
});

const causes: readonly FindingId[] = [
  'header-rewritten',
  'server-span-lost',
  'client-span-lost',
  'not-sampled',
];

/**
 * SERVER spans whose parent is missing, while a CLIENT span of the same trace and request has no child: a hop replaced the span id, or a
 * hop whose spans are missing made its own.
 */
export const missingClients = rule<Group<Pair>>({
  finding,
  measure: (scene, open) => {
    const pairs = pairSpans(
      open.clients,
      // PRODUCER spans are left out: a PRODUCER span usually ends before its CONSUMER span starts, so overlap in time says nothing.
      open.orphans.filter((span) => span.kind === 'SERVER' && isCallerMissing(scene.graph, span)),
      (client, server) => whyApart(scene, client, server) === null,
      scene.thresholds,
    );
    return groupPairs([...pairs, ...listRepeated(scene, open, pairs)]);
  },
  gates: [parentGate((pairs) => pairs.map(({ server }) => server))],
  looseEnds: (pairs) => pairs.flatMap(({ client, server }) => [client, server]),
  report: (pairs, scene) =>
    finding.report({
      severity:
        !areBehindFrontEnd(scene, pairs) &&
        pairs.every(({ client, server }) => isUncertain(scene, client, server))
          ? 'warning'
          : 'error',
      ...edgeOf(pairs[0]),
      candidates: pairs.every((pair) => isPassedOn(scene, pair))
        ? ['header-passed-through', ...causes]
        : causes,
      shown: pairs.map(({ client, server }) => ({
        client,
        server,
        says: isPassedOn(scene, { client, server })
          ? `SERVER ${server.spanId} has the parent of the request that made CLIENT ${client.spanId}, which has no child`
          : `${nameParent(server)} is not in the data, while CLIENT ${client.spanId} of the same trace has no child`,
      })),
    }),
  whyNot: (scene, open, looseEnd) => {
    if (looseEnd.kind !== 'SERVER' || !isOrphan(scene.graph, looseEnd)) return null;
    if (!isCallerMissing(scene.graph, looseEnd)) return 'its parent is of its own process, by its flags';
    const ofTrace = open.clients.filter((client) => client.traceId === looseEnd.traceId);
    return describeReasons(
      // If an expectation names a caller, `missing-caller.ts` reports the span.
      `${countOf(ofTrace.length, 'call')} without a child in its trace, and no expectation names a caller of the service`,
      ofTrace.map((client) => whyApart(scene, client, looseEnd)),
    );
  },
});

/** Further attempts of a hop that retries while its caller waits: requests of the same trace, like one of a pair, that began during its call. */
function listRepeated(scene: Scene, { orphans }: Open, pairs: readonly Pair[]): readonly Pair[] {
  if (orphans.length <= pairs.length) return [];
  const pairsOf = mapBy(pairs, ({ server }) => nameAttempts(server));
  const paired = new Set(pairs.map(({ server }) => server));
  return orphans.flatMap((server) => {
    if (paired.has(server) || !isCallerMissing(scene.graph, server)) return [];
    const first = (pairsOf.get(nameAttempts(server)) ?? [])
      .slice(0, bounds.looks)
      .find(({ client }) => isOpenAt(client, server.startTimeUnixNano, scene.thresholds.clockTolerance));
    return first === undefined ? [] : [{ ...first, server, unique: false }];
  });
}

function nameAttempts(server: Span): string {
  const { traceId, serviceName, kind } = server;
  const { method, path, rpcMethod } = readCallFacts(server);
  return keyFor(traceId, serviceName, kind, method, path, rpcMethod);
}

/** Whether the SERVER span has the same parent as the request that made the call: the caller passed on the header that it had received. */
function isPassedOn({ graph }: Scene, { client, server }: PairSides): boolean {
  const top = findTop(graph, client);
  // A call whose parent, a span of its own service, is lost has that parent too.
  return isEntry(top) && top.parentSpanId === server.parentSpanId;
}

/** If the caller gave up on a hop, the hop may end its spans later than the caller, after the end of the capture. */
function isUncertain(scene: Scene, client: Span, server: Span): boolean {
  if (scene.shared.isExpectedDirectly(client.serviceName, server.serviceName)) return false;
  return (
    isOfHop(scene, client, server) ||
    readOutcome(client) === 'unreached' ||
    mayBeFromOutside(scene, client, server)
  );
}

/**
 * Whether an outside program is no explanation: it would have to request the same paths as the caller at the same times, while the caller
 * requests them from another peer.
 */
function areBehindFrontEnd({ thresholds }: Scene, pairs: readonly PairSides[]): boolean {
  return (
    areOfDistinctPaths(pairs, thresholds) &&
    pairs.every((pair) => isBehindFrontEnd(pair) && readOutcome(pair.client) !== 'unreached')
  );
}

/**
 * Whether whole calls show that other services call this one, or that other services answer such calls: then the missing spans belong to a
 * known hop.
 */
export function isOfHop(scene: Scene, client: Span, server: Span): boolean {
  const callers = scene.groupsInto(server.serviceName);
  if (callers.some((group) => group.client === client.serviceName)) return false;
  const kind = keyOfRequestKind(client);
  const elsewhere = scene.groupsFrom(client.serviceName);
  return callers.length > 0 || someCall(elsewhere, (row) => keyOfRequestKind(scene.facts.at(row)) === kind);
}

/** A key for requests of one kind to one address. */
export function keyOfRequestKind(call: FactSource): string {
  const { host, port } = readAddress(call);
  return keyFor(host, port, readRpcMethod(call), withoutIds(readPath(call) ?? ''));
}

/** Why a call and a SERVER span are not the two sides of one request; null if they can be. */
function whyApart(scene: Scene, client: Span, server: Span): string | null {
  if (client.traceId !== server.traceId) return 'of another trace';
  if (client.serviceName === server.serviceName) return 'of the same service';
  if (!isExpectedCaller(scene, client.serviceName, server.serviceName))
    return 'of services that others are expected to call';
  const sameRequest = compareRequests(client, server);
  if (sameRequest === 'no') return 'of another request (method, path, status or user agent)';
  return sameRequest === 'yes' || !mayBeFromOutside(scene, client, server)
    ? null
    : 'to another address, in a trace that began outside of the data';
}

/** Whether the trace began in a program outside the data, which may have called this service too. */
function mayBeFromOutside({ graph }: Scene, client: Span, server: Span): boolean {
  return isOrphan(graph, findTop(graph, client)) && !isAddressedTo(client, server);
}
