import { readCallFacts } from '../calls/call-facts.ts';
import { pairSpans } from '../pairing/pair.ts';
import { type Check, edgeProtocol, listUnseenEdges } from './check.ts';
import type { HeaderCause } from './header-cause.ts';
import { listToSameTargets } from './same-target.ts';

/**
 * The called service emits spans, but no SERVER span at all: its own calls start new traces while the caller waits.
 * Only where the edge is expected; a service without SERVER spans may as well be a poller.
 */
export const findServersNotInstrumented: Check = (scene, open) =>
  listUnseenEdges(scene, open).flatMap((edge) => {
    if (scene.services.hasKind(edge.server, 'SERVER') || scene.services.hasKind(edge.server, 'CONSUMER'))
      return [];
    const { graph, facts } = scene;
    const pairs = pairSpans(
      open.clients.filter((span) => span.serviceName === edge.client),
      // DNS look-ups and the like start traces in every process.
      scene.selectSpans(
        edge.server,
        (row) => graph.isRoot(row) && (facts.isOutgoing(row) || graph.hasChild(row)),
      ),
      () => true,
    );
    const first = pairs[0];
    if (first === undefined) return [];
    return [
      {
        id: 'server-not-instrumented' as const,
        isLikely: true,
        severity: 'error' as const,
        client: edge.client,
        server: edge.server,
        protocol: edgeProtocol(readCallFacts(first.client).protocol),
        shown: [
          ...pairs.map(({ client, server }) => ({
            client,
            server: null,
            says: `meanwhile ${edge.server} made ${server.kind} "${server.name}" as the root of trace ${server.traceId}, and has no SERVER span anywhere`,
          })),
          ...listToSameTargets(
            open.clients,
            pairs.map((pair) => pair.client),
          ).map((client) => ({
            client,
            server: null,
            says: `has the same target, and ${edge.server} has no SERVER span anywhere`,
          })),
        ],
      },
    ];
  });

/** The answer of a service that names its SERVER span in every answer names none: there was none. */
export const serverNotInstrumented: HeaderCause = {
  id: 'server-not-instrumented',
  // A hop behind the tap may have answered itself.
  needs: { sides: ['callee'], excludes: [] },
  explain: ({ server, headers: { answer }, namesItsSpan }) =>
    namesItsSpan && server === null && answer?.span === null
      ? 'the called service names its span in every answer, and this one names none: nothing made a span for the request'
      : null,
};
