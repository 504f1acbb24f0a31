import { nameAddress } from '../calls/address.ts';
import type { CallGroup } from '../calls/call-group.ts';
import { ownServiceName } from '../calls/own-service.ts';
import { none } from '../graph/trace-graph.ts';
import type { Scene } from '../rules/scene.ts';
import { decodePercent } from '../util/decode-percent.ts';
import { countCalls, type UnjudgedCalls } from './list-unjudged.ts';

/**
 * Whole calls of which each arrived with another path and at another port than it was sent to: a service without spans answered them, and handed
 * the context on. A redirect keeps the port, and a proxy the path, or the end of it. Calls
 * of a client that the expectations name are left out: these say which services its calls go through.
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
  // Of nearly all edges the first call tells.
  for (let at = 0; at < clients.length; at += 1) {
    const [sent, received] = [facts.factsOf(clients[at] ?? none), facts.factsOf(servers[at] ?? none)];
    if (sent.port === null || received.port === null || sent.port === received.port) return false;
    if (sent.path === null || received.path === null) return false;
    if (isEndOfOther(sent.path, received.path)) return false;
    if (isEndOfOther(normalise(sent.path), normalise(received.path))) return false;
  }
  // Of a call with two requests the service in between has the other.
  const repeated = shared.repeatedClients();
  return !clients.some((client) => repeated.has(client));
}

function isEndOfOther(one: string, other: string): boolean {
  return one.endsWith(other) || other.endsWith(one);
}

/** Frameworks decode paths, and take them with and without a slash at the end for one. */
function normalise(path: string): string {
  const decoded = decodePercent(path);
  return decoded.length > 1 && decoded.endsWith('/') ? decoded.slice(0, -1) : decoded;
}
