import { nameAddress } from '../calls/address.ts';
import type { CallGroup } from '../calls/call-group.ts';
import { ownServiceName } from '../calls/own-service.ts';
import { none } from '../graph/trace-graph.ts';
import type { Scene } from '../rules/scene.ts';
import { decodePercent } from '../util/decode-percent.ts';
import { countCalls, type UnjudgedCalls } from './list-unjudged.ts';

/**
 * Groups of whole calls that all arrived with another path and at another port than they were sent to: a service without spans answered
 * them and passed the context on. A redirect keeps the port, and a proxy keeps the path or its end. Callers that the expectations name are
 * left out, because those say which services the calls go through.
 */
export function listUnseenHops(scene: Scene): readonly UnjudgedCalls[] {
  const isNamed = (client: string | null): boolean =>
    scene.expectation.edges.some((edge) => edge.client === client);
  return scene.groups.flatMap((group) => {
    const { client, server, clients, clientKind, serverKind } = group;
    const isMeant = clientKind === 'CLIENT' && serverKind === 'SERVER' && client !== ownServiceName;
    if (!isMeant || client === server || server === null || isNamed(client)) return [];
    if (!isEachHandedOn(scene, group)) return [];
    const spans = scene.graph.viewsOf(new Set(clients));
    const peer = nameAddress(scene.facts.factsOf(clients[0] ?? none)) ?? '(unknown)';
    const edge = { client, peer, calls: countCalls(scene, spans), server, why: 'unseen-hop' as const };
    return [{ edge, spans, says: `it arrived at ${server} with another path and at another port` }];
  });
}

function isEachHandedOn({ facts, shared }: Scene, { clients, servers }: CallGroup): boolean {
  // For nearly all edges the first call decides.
  for (let at = 0; at < clients.length; at += 1) {
    const [sent, received] = [facts.factsOf(clients[at] ?? none), facts.factsOf(servers[at] ?? none)];
    if (sent.port === null || received.port === null || sent.port === received.port) return false;
    if (sent.path === null || received.path === null) return false;
    if (isEndOfOther(sent.path, received.path)) return false;
    if (isEndOfOther(normalise(sent.path), normalise(received.path))) return false;
  }
  // If a call was continued twice, the second request shows the service in between.
  const repeated = shared.repeatedClients();
  return !clients.some((client) => repeated.has(client));
}

function isEndOfOther(one: string, other: string): boolean {
  return one.endsWith(other) || other.endsWith(one);
}

/** Frameworks decode paths and ignore a trailing slash. */
function normalise(path: string): string {
  const decoded = decodePercent(path);
  return decoded.length > 1 && decoded.endsWith('/') ? decoded.slice(0, -1) : decoded;
}
