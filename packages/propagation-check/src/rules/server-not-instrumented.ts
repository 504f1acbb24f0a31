import { readCallFacts } from '../calls/call-facts.ts';
import { isOutgoing } from '../calls/edge.ts';
import { isRoot } from '../graph/trace-graph.ts';
import { pairSpans } from '../pairing/pair.ts';
import { type Check, edgeProtocol, listUnseenEdges, type Scene } from './check.ts';
import { defineFinding } from './define-finding.ts';
import type { HeaderCause } from './header-cause.ts';
import { listToSameTargets } from './same-target.ts';

export const finding = defineFinding('server-not-instrumented', {
  kind: 'cause',
  isConclusive: false,
  shows: 'B emits spans, but no SERVER span for its requests',
  title: 'The called service\u2019s server is not instrumented',
  why: 'The called service emits spans, but none for the requests that reach it.',
  fix: 'Enable the server instrumentation, load it before the framework (ESM: with its loader hook).',
});

/**
 * The called service emits spans, but no SERVER span at all: its own calls start new traces while the caller waits.
 * Only where the edge is expected; a service without SERVER spans may as well be a poller.
 */
export const findServersNotInstrumented: Check = (scene, open) =>
  listUnseenEdges(scene, open).flatMap((edge) => {
    if (scene.services.hasEntries(edge.server)) return [];
    const entries = scene.spansOf(edge.server);
    const pairs = pairSpans(
      open.clients.filter((span) => span.serviceName === edge.client),
      entries.filter((span) => isRoot(span) && leadsOutside(scene, span)),
      () => true,
      scene.thresholds,
    );
    const first = pairs[0];
    if (first === undefined) return [];
    return [
      finding.report({
        isLikely: true,
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
      }),
    ];
  });

/** DNS look-ups and the like start traces in every process. */
function leadsOutside(scene: Scene, span: Parameters<typeof isOutgoing>[0]): boolean {
  return isOutgoing(span) || scene.graph.hasChildren(span);
}

/** The answer of a service that names its SERVER span in every answer names none: there was none. */
export const serverNotInstrumented: HeaderCause = {
  finding,
  // A hop behind the tap may have answered itself.
  needs: { sides: ['callee'], excludes: [] },
  explain: ({ server, headers: { answer }, namesItsSpan }) =>
    namesItsSpan && server === null && answer?.span === null
      ? 'the called service names its span in every answer, and this one names none: nothing made a span for the request'
      : null,
};
