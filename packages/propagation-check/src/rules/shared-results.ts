import { someCall } from '../calls/call-group.ts';
import { none } from '../graph/trace-graph.ts';
import { remember } from '../util/remember.ts';
import { hasCall, isNamed, type SceneFacts, type SharedResults } from './check.ts';

/** Makes what rules ask for often, each result once for a scene. */
export function shareResults(facts: SceneFacts): SharedResults {
  const findNamedAbove = rememberUpwards(facts);
  const isReachedThrough = remember((client: string, server: string) =>
    someCall(facts.groupsInto(server), (row) => findNamedAbove(row) === client),
  );
  const isExpectedDirectly = remember((client: string | null, server: string | null) =>
    facts.expectation.edges.some(
      (edge) =>
        edge.rule === 'must' &&
        edge.client === client &&
        edge.server === server &&
        (hasCall(facts, edge.client, edge.server) || !isReachedThrough(edge.client, edge.server)),
    ),
  );
  const userAgents = remember((client: string | null, server: string | null) => {
    const { scopes } = facts.graph.store;
    const ofScopes = new Map<string, Set<string>>();
    for (const { clients, servers } of facts.groupsBetween(client, server)) {
      let ofScope = new Set<string>();
      for (let at = 0; at < clients.length; at += 1) {
        const row = clients[at] ?? none;
        // Nearly all calls of a service are of one scope.
        if (at === 0 || scopes[row] !== scopes[clients[at - 1] ?? none]) {
          const scope = facts.facts.scopeOf(row);
          ofScope = ofScopes.get(scope) ?? new Set();
          ofScopes.set(scope, ofScope);
        }
        const agent = facts.facts.userAgentOf(servers[at] ?? none);
        if (agent !== null) ofScope.add(agent);
      }
    }
    return ofScopes;
  });
  return {
    isBegun: (traceId) => facts.graph.isBegun(traceId),
    isExpectedDirectly,
    isReachedThrough,
    userAgentsOf: (client, server) =>
      userAgents(client.serviceName, server).get(client.scopeName) ?? new Set(),
  };
}

/**
 * Finds the service of a span, or of the nearest above it, that the expectations name. All spans that a search passed have
 * the same answer.
 */
function rememberUpwards(facts: SceneFacts): (row: number) => string | null {
  const known = new Map<number, string | null>();
  return (row) => {
    const passed: number[] = [];
    let found: string | null | undefined;
    for (let at = row; at !== none; at = facts.graph.upwards[at] ?? none) {
      const service = facts.graph.serviceOf(at);
      found = isNamed(facts, service) ? service : known.get(at);
      if (found !== undefined) break;
      passed.push(at);
    }
    for (const each of passed) known.set(each, found ?? null);
    return found ?? null;
  };
}
