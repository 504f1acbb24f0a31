import { type Call, type CallGroup, selectCalls } from '../calls/call-group.ts';
import { readStatusCode } from '../calls/http-facts.ts';
import { readOutcome } from '../calls/outcome.ts';
import { isUnavailable, readRpcStatus } from '../calls/rpc-facts.ts';
import { compareRequests } from '../pairing/compare-requests.ts';
import { type Pair, pairSpans } from '../pairing/pair-spans.ts';
import { endsWithin } from '../pairing/times.ts';
import type { Span } from '../span/span.ts';
import { type Group, mapBy } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { earlier, later } from '../util/statistics.ts';
import { protocolOf } from './draft.ts';
import { keyOfRequestKind } from './missing-client.ts';
import { gate, rule } from './rule.ts';
import type { Scene } from './scene.ts';
import { finding, startsAfter } from './stale-context.ts';

/** SERVER spans under one span of the caller, at least one of which began after that span had ended. */
interface StaleHeader {
  readonly parent: Span;
  /** These SERVER spans with calls of the same request that waited for it and have no child. */
  readonly pairs: Group<Pair>;
  /** The pairs whose SERVER span began after `parent` had ended. */
  readonly late: readonly Pair[];
  /** From all calls of the service: pairs whose call repeats one that already had a SERVER span of its own. */
  readonly repeated: readonly Pair[];
  /** All paired calls of the service. */
  readonly paired: number;
  /** Calls of the service without a child, of the kinds of the paired ones, that began between the first and the last of these. */
  readonly alike: () => number;
}

/** The header itself was stale: SERVER spans of many calls hang under one old span, while the CLIENT spans of these calls have no child. */
export const staleHeaders = rule<StaleHeader>({
  finding,
  measure: (scene, open) =>
    [...mapBy(open.clients, (span) => span.serviceName)].flatMap(([service, clients]) =>
      measureStaleHeaders(scene, service, clients),
    ),
  gates: [
    // A cache that answers at once revalidates later with the headers of the call that it answered. That call has no other SERVER span.
    gate(
      'several such requests began after the span that they hang below had ended, or repeat one that was served before',
      ({ late, repeated }, { thresholds }) =>
        late.length >= thresholds.callsPerStaleOwner ||
        (late.some((pair) => repeated.includes(pair)) && repeated.length >= thresholds.callsPerStaleOwner),
      ({ pairs, late }) => `${late.length} of ${pairs.length}`,
    ),
    // Deferred requests fall within other calls by chance, if the peer of many calls makes no spans.
    gate(
      'nearly all such calls without a child have such a request',
      ({ paired, alike }, { thresholds }) => paired >= alike() * thresholds.everyCallShare,
      ({ paired, alike }) => `${paired} of ${alike()}`,
    ),
  ],
  looseEnds: ({ pairs }) => pairs.map(({ client }) => client),
  report: ({ parent, pairs }) => {
    const [{ client: caller }] = pairs;
    const isOfHop = caller.serviceName !== parent.serviceName;
    return finding.report({
      isLikely: true,
      client: caller.serviceName,
      server: pairs[0].server.serviceName,
      protocol: protocolOf(parent),
      shown: pairs.map(({ client, server }) => ({
        client,
        server,
        says: `received the span id of "${parent.name}" (${parent.spanId}), not of the CLIENT span that called it`,
      })),
      ...(isOfHop
        ? { passed: { service: caller.serviceName, servers: pairs.map(({ server }) => server) } }
        : {}),
    });
  },
});

/** All late requests of the service are paired at once, so that each call without a child explains only one of them. */
function measureStaleHeaders(
  scene: Scene,
  service: string | null,
  clients: readonly Span[],
): readonly StaleHeader[] {
  const calls = [...listLateCalls(scene, service), ...listLateCallsOfHop(scene, service)];
  const callOf = new Map(calls.map((call) => [call.server, call]));
  // A proxy repeats a request that the caller gave up. A client that retries after an answer has the answer in its span.
  const isServed = (call: Call): boolean => !isLateCall(scene, call) && isAnswered(call);
  const served = new Set(calls.filter(isServed).map((call) => call.client));
  const repeats = (client: Span, parent: Span): boolean => served.has(parent) && areSiblings(parent, client);
  const mayBelong = (client: Span, server: Span): boolean => {
    const call = callOf.get(server);
    if (call === undefined) return false;
    // A hop sends what it has put off with the header of the same trace.
    if (call.client.serviceName !== service) return call.client.traceId !== client.traceId;
    return repeats(client, call.client) || !isGivenUp(call);
  };
  const pairs = pairSpans(
    clients,
    [...callOf.keys()],
    (client, server) =>
      mayBelong(client, server) &&
      compareRequests(client, server) === 'yes' &&
      endsWithin(server, client, scene.thresholds),
    scene.thresholds,
  );
  const found = pairs.flatMap((pair) => {
    const call = callOf.get(pair.server);
    return call === undefined ? [] : [{ ...pair, call, isLate: isLateCall(scene, call) }];
  });
  const repeated = found.filter(
    ({ client, call, unique, isLate }) => unique && isLate && repeats(client, call.client),
  );
  const alike = remember(() => countAlike(clients, pairs));
  return [...mapBy(found, ({ call }) => call.client)].map(([parent, ofThis]) => ({
    ...{ parent, pairs: ofThis, repeated, paired: pairs.length, alike },
    late: ofThis.filter(({ isLate }) => isLate),
  }));
}

/** @param pairs At least one. */
function countAlike(clients: readonly Span[], pairs: readonly Pair[]): number {
  const paired = pairs.map(({ client }) => client);
  const starts = paired.map(({ startTimeUnixNano }) => startTimeUnixNano);
  const [first, last] = [starts.reduce(earlier), starts.reduce(later)];
  const kinds = new Set(paired.map(keyOfRequestKind));
  return clients.filter(
    (client) =>
      client.startTimeUnixNano >= first &&
      client.startTimeUnixNano <= last &&
      kinds.has(keyOfRequestKind(client)),
  ).length;
}

/**
 * Whether the called service answered. gRPC clients also set UNAVAILABLE when the connection is lost, so it counts only if the SERVER span
 * has it too.
 */
function isAnswered({ client, server }: Call): boolean {
  if (readStatusCode(client) !== null) return true;
  if (readRpcStatus(client) === null) return false;
  return readOutcome(client) === 'answered' || (isUnavailable(client) && isUnavailable(server));
}

function areSiblings(one: Span, other: Span): boolean {
  return one.traceId === other.traceId && one.parentSpanId === other.parentSpanId;
}

/** The calls of CLIENT spans that had ended when one of their SERVER spans began. */
function listLateCalls(scene: Scene, service: string | null): readonly Call[] {
  return selectLateCalls(scene, scene.groupsFrom(service));
}

/** Those of callers of the service, where their span also called the service itself: it received their header, and may have kept it. */
function listLateCallsOfHop(scene: Scene, service: string | null): readonly Call[] {
  const into = scene.groupsInto(service).filter(({ client }) => client !== service);
  const callers = new Set(into.map(({ client }) => client));
  const beside = [...callers].flatMap((caller) =>
    scene.groupsFrom(caller).filter(({ server }) => server !== service && server !== caller),
  );
  const late = selectLateCalls(scene, beside);
  if (late.length === 0) return [];
  const received = new Set(into.flatMap(({ clients }) => [...clients]));
  return late.filter(({ client }) => received.has(scene.graph.rowOf(client)));
}

function selectLateCalls(scene: Scene, groups: readonly CallGroup[]): readonly Call[] {
  const late = new Set<number>();
  for (const { clients, servers, extremes } of groups) {
    if (extremes.apart <= Number(scene.thresholds.clockTolerance)) continue;
    for (const [at, client] of clients.entries()) {
      if (startsAfter(scene, servers[at] ?? 0, client)) late.add(client);
    }
  }
  if (late.size === 0) return [];
  return selectCalls(scene.graph, groups, (client) => late.has(client));
}

function isLateCall(scene: Scene, { client, server }: Call): boolean {
  return startsAfter(scene, scene.graph.rowOf(server), scene.graph.rowOf(client));
}

/** Whether the client stopped waiting, and a busy server handled the request later. */
function isGivenUp({ client, server }: Call): boolean {
  return readOutcome(client) !== 'answered' && compareRequests(client, server) !== 'no';
}
