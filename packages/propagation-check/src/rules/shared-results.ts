import { readAddress } from '../calls/address.ts';
import { type CallGroup, listRepeatedClients, selectPairs, someCall } from '../calls/call-group.ts';
import { listResends } from '../calls/resends.ts';
import { findAbove } from '../graph/find-above.ts';
import { none } from '../graph/trace-graph.ts';
import { type AnswerLookup, lookUpAnswers } from '../pairing/answers.ts';
import { pairUnlinked } from '../pairing/pair-unlinked.ts';
import type { Span } from '../span/span.ts';
import { mapBy } from '../util/group-by.ts';
import { remember, rememberOf } from '../util/remember.ts';
import { groupCallsByRequest, listCallsOfUnknownProtocol } from './calls-of-requests.ts';
import { hasCall } from './expected-calls.ts';
import { indexRoutes } from './index-routes.ts';
import { indexBrokenCalls } from './list-callers.ts';
import { listRedirectedCalls } from './redirected-calls.ts';
import type { BaseScene, LooseEnds, SharedResults, UnprovableCall } from './scene.ts';
import { findShortBatches } from './split-batch.ts';

/** Computes the results that several rules use, each once for a scene. */
export function shareResults(scene: BaseScene, { clients }: LooseEnds): SharedResults {
  const findNamedAbove = rememberUpwards(scene);
  const callsBelow = remember((server: string | null) =>
    mapBy(
      selectPairs(scene.groupsInto(server), () => true),
      ({ client }) => findNamedAbove(client),
    ),
  );
  const listReached = (client: string, server: string) => callsBelow(server).get(client) ?? [];
  const isReachedThrough = (client: string, server: string) => listReached(client, server).length > 0;
  const isExpectedDirectly = remember((client: string | null, server: string | null) =>
    scene.expectation.edges.some(
      (edge) =>
        edge.rule === 'must' &&
        edge.client === client &&
        edge.server === server &&
        (hasCall(scene, edge.client, edge.server) || !isReachedThrough(edge.client, edge.server)),
    ),
  );
  const agentsBetween = remember((client: string | null, server: string | null) =>
    readAgents(scene, scene.groupsBetween(client, server)),
  );
  const redirectedCalls = listRedirectedCalls(scene);
  const answered = [...clients, ...redirectedCalls.map(({ client }) => client)];
  const answersOf = lookUpAnswers(scene.graph, answered, scene.headers, scene.thresholds);
  return {
    answersOf,
    redirectedCalls,
    callersExpectedOf: rememberOf((server: string | null) =>
      scene.expectation.edges
        .filter((edge) => edge.server === server && edge.rule !== 'must-not')
        .map(({ client }) => client),
    ),
    repeatedClients: remember(() => listRepeatedClients(scene.graph, scene.groups)),
    resends: remember(() => listResends(scene.graph, scene.facts)),
    isExpectedDirectly,
    listReached,
    isReachedThrough,
    isOtherAgent: (client, server, userAgent) =>
      agentsBetween(client.serviceName, server)(client.scopeName, userAgent),
    findUnprovable: rememberUnprovable(scene, clients, answersOf, isExpectedDirectly),
    brokenCalls: indexBrokenCalls(scene),
    callsOfUnknownProtocol: remember(() => groupCallsByRequest(scene, listCallsOfUnknownProtocol(scene))),
    hostsOf: remember((server: string | null) => {
      const hostOf = scene.facts.remember((call) => readAddress(call).host);
      const calling = scene.groupsInto(server).filter(({ clientKind }) => clientKind === 'CLIENT');
      return new Set(calling.flatMap(({ clients }) => Array.from(clients, hostOf)));
    }),
    routesOf: remember((service: string | null) => indexRoutes(scene, service)),
    doRequestsCall: remember((client: string | null, server: string | null) =>
      someCall(scene.groupsBetween(client, server), (call) =>
        scene.graph.isEntry(scene.graph.topInService(call)),
      ),
    ),
    shortBatches: remember(() => findShortBatches(scene)),
  };
}

function rememberUnprovable(
  { graph, thresholds }: BaseScene,
  clients: readonly Span[],
  answersOf: AnswerLookup,
  isExpected: SharedResults['isExpectedDirectly'],
): SharedResults['findUnprovable'] {
  let unlinked: ReadonlyMap<Span, UnprovableCall> | null = null;
  return (client) => {
    const cached = answersOf(client).find(({ isOfAnother }) => isOfAnother);
    if (cached !== undefined) return { service: graph.serviceOf(cached.row), why: 'cached-answer' };
    unlinked ??= new Map(
      pairUnlinked(graph, clients, answersOf, isExpected, thresholds).map((pair) => [
        pair.client,
        { service: pair.server.serviceName, why: 'dropped-links' },
      ]),
    );
    return unlinked.get(client) ?? null;
  };
}

/**
 * Whether the whole calls of an instrumentation have user agents, and none has this one. Stops reading at the wanted user agent, as nearly
 * all calls have the same.
 */
function readAgents(
  { facts }: BaseScene,
  groups: readonly CallGroup[],
): (scope: string, userAgent: string) => boolean {
  const ofScopes = new Map<string, Set<string>>();
  const unread = listSides(groups);
  return (scope, userAgent) => {
    while (ofScopes.get(scope)?.has(userAgent) !== true) {
      const { value: call } = unread.next();
      if (call === undefined) return ofScopes.has(scope);
      const agent = facts.userAgentOf(call.server);
      if (agent === null) continue;
      const callScope = facts.scopeOf(call.client);
      const known = ofScopes.get(callScope);
      if (known === undefined) ofScopes.set(callScope, new Set([agent]));
      else known.add(agent);
    }
    return false;
  };
}

function* listSides(
  groups: readonly CallGroup[],
): Generator<{ readonly client: number; readonly server: number }, undefined> {
  for (const { clients, servers } of groups) {
    for (const [at, server] of servers.entries()) yield { client: clients[at] ?? none, server };
  }
}

/** Finds the nearest span at or above a span whose service an expectation names. All spans passed on the way get the same answer. */
function rememberUpwards(scene: BaseScene): (row: number) => string | null {
  const known = new Map<number, string | null>();
  const named = new Set(scene.expectation.edges.flatMap(({ client, server }) => [client, server]));
  return (row) => {
    const passed = new Set<number>();
    let found: string | null | undefined;
    // Links may lead in a circle.
    for (let at = row; at !== none && !passed.has(at); at = findAbove(scene.graph, at)) {
      const service = scene.graph.serviceOf(at);
      found = service !== null && named.has(service) ? service : known.get(at);
      if (found !== undefined) break;
      passed.add(at);
    }
    for (const each of passed) known.set(each, found ?? null);
    return found ?? null;
  };
}
