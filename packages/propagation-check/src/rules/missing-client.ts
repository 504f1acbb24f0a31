import { readCallFacts } from '../calls/call-facts.ts';
import { findTop, isCallerMissing, isOrphan } from '../graph/trace-graph.ts';
import { compareRequests, isAddressedTo, pairSpans } from '../pairing/pair.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import { type Check, edgeProtocol, isExpectedCaller, isParentDue, nameParent } from './check.ts';
import { defineFinding } from './define-finding.ts';

export const finding = defineFinding('missing-client', {
  kind: 'symptom',
  isConclusive: false,
  shows: 'a SERVER span whose parent is nowhere in the data',
  title: 'The caller\u2019s span is nowhere',
  why: 'A SERVER span names a parent that is not in the data, or the expected caller has no span at all.',
  fix: 'Check in the caller: does it end and export its CLIENT spans, is it sampled, does a proxy start spans of its own?',
});

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
      finding.report({
        client: first.client.serviceName,
        server: first.server.serviceName,
        protocol: edgeProtocol(readCallFacts(first.client).protocol),
        candidates: ['header-rewritten', 'server-span-lost', 'client-span-lost', 'not-sampled'] as const,
        shown: group.map(({ client, server }) => ({
          client,
          server,
          says: `${nameParent(server)} is nowhere, while CLIENT ${client.spanId} of the same trace has no child`,
        })),
      }),
    ];
  });
};
