import type { ExpectedEdge } from '../expect/expectation.ts';
import type { Span } from '../span/span.ts';
import { nameService } from '../util/name-service.ts';
import { leftOut } from './left-out-links.ts';
import type { BaseScene, Scene, UnprovableCall } from './scene.ts';

/** The number of messages of a service with dropped links, if the caller has PRODUCER spans: the dropped links may name its messages. */
export function countUnlinked(
  { graph, facts, services }: Pick<BaseScene, 'graph' | 'facts' | 'services'>,
  { client, server }: { readonly client: string | null; readonly server: string | null },
): number {
  if (!services.hasKind(client, 'PRODUCER')) return 0;
  let count = 0;
  for (const row of graph.rowsOfService(server))
    if (graph.hasDroppedLinks(row) && graph.isEntry(row) && facts.protocolOf(row) === 'messaging') count += 1;
  return count;
}

/** The calls of an edge for which nothing shows whether they are whole. */
export function listUnprovable(
  { shared }: Scene,
  clients: readonly Span[],
  { client, server }: Pick<ExpectedEdge, 'client' | 'server'>,
): readonly UnprovableCall[] {
  return clients.flatMap((span) => {
    const call = span.serviceName === client ? shared.findUnprovable(span) : null;
    return call?.service === server ? [call] : [];
  });
}

export function describeUnprovable({ service, why }: UnprovableCall): string {
  return why === 'cached-answer'
    ? 'the answer names a span of another call: it came from a cache, or clocks differ'
    : `a request of ${nameService(service)} that fits began a trace, and some of its links are ${leftOut}`;
}
