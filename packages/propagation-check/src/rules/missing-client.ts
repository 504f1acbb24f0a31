import { readCallFacts } from '../calls/call-facts.ts';
import { findTop, isCallerMissing, isOrphan } from '../graph/trace-graph.ts';
import { compareRequests, isAddressedTo, pairSpans } from '../pairing/pair.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import { type Check, edgeProtocol, isExpectedCaller, isParentDue, nameParent } from './check.ts';

/**
 * SERVER spans whose parent is nowhere, while a CLIENT span of the same trace and request has no child:
 * something in between replaced the span id, or a hop whose spans are missing made another.
 */
export const findMissingClients: Check = (scene, open) => {
  const pairs = pairSpans(
    open.clients,
    // A PRODUCER ends long before its CONSUMER starts: what is open then is another.
    open.orphans.filter((span) => span.kind === 'SERVER' && isCallerMissing(scene.graph, span)),
    (client, server) =>
      client.traceId === server.traceId &&
      client.serviceName !== server.serviceName &&
      isExpectedCaller(scene, client.serviceName, server.serviceName) &&
      compareRequests(client, server) !== 'no' &&
      // Whoever began the trace from outside of the data may have called this service too.
      (isAddressedTo(client, server) || !isOrphan(scene.graph, findTop(scene.graph, client))),
    scene.thresholds,
  );
  const edges = groupBy(pairs, ({ client, server }) => keyFor(client.serviceName, server.serviceName));
  return edges.flatMap((group) => {
    const first = group[0];
    if (first === undefined || !group.some((pair) => isParentDue(scene, pair.server))) return [];
    return [
      {
        id: 'missing-client' as const,
        severity: 'error' as const,
        client: first.client.serviceName,
        server: first.server.serviceName,
        protocol: edgeProtocol(readCallFacts(first.client).protocol),
        candidates: ['header-rewritten', 'server-span-lost', 'client-span-lost', 'not-sampled'] as const,
        shown: group.map(({ client, server }) => ({
          client,
          server,
          says: `${nameParent(server)} is nowhere, while CLIENT ${client.spanId} of the same trace has no child`,
        })),
      },
    ];
  });
};
