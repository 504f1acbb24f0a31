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
  const userAgents = remember((client: string | null, server: string | null, scope: string) => {
    const found = new Set<string>();
    for (const { clients, servers } of facts.groupsBetween(client, server)) {
      for (const [at, row] of servers.entries()) {
        if (facts.facts.scopeOf(clients[at] ?? none) !== scope) continue;
        const agent = facts.facts.userAgentOf(row);
        if (agent !== null) found.add(agent);
      }
    }
    return found;
  });
  return {
    isBegun: (traceId) => facts.graph.isBegun(traceId),
    isExpectedDirectly,
    isReachedThrough,
    userAgentsOf: (client, server) => userAgents(client.serviceName, server, client.scopeName),
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
