import type { CallGroup } from '../calls/call-group.ts';
import { readDestination } from '../calls/messaging-facts.ts';
import type { Scene } from '../rules/scene.ts';
import { keyFor } from '../util/group-by.ts';

/** A destination that its receiver names differently: an exchange and its queue, a topic and its subscription, a URL and the name in it. */
interface Renamed {
  readonly sent: string;
  readonly received: string;
}

/** The names of destinations at both sides of whole messages, where they differ. */
export function listRenamed({ facts }: Scene, groups: readonly CallGroup[]): readonly Renamed[] {
  const destinationOf = facts.remember(readDestination);
  const renamed = new Map<string, Renamed>();
  for (const { clientKind, clients, servers } of groups) {
    if (clientKind !== 'PRODUCER') continue;
    for (const [at, client] of clients.entries()) {
      const [sent, received] = [destinationOf(client), destinationOf(servers[at] ?? client)];
      if (sent === received || sent === null || received === null) continue;
      renamed.set(keyFor(sent, received), { sent, received });
    }
  }
  return [...renamed.values()];
}
