import { isHiddenByBrowser, readCallFacts, readOutcome } from '../calls/call-facts.ts';
import { viewCalls } from '../calls/call-group.ts';
import { isEntry } from '../calls/edge.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import {
  type Check,
  type Draft,
  edgeProtocol,
  hasSpans,
  listUnseenEdges,
  type Open,
  type Scene,
} from './check.ts';
import { finding as missingCall } from './missing-call.ts';
import { finding as missingClient } from './missing-client.ts';
import { finding as missingServer } from './missing-server.ts';

/**
 * Expected edges of which nothing is seen, after all other checks. Two pictures:
 * a service that is dark but hands the context on, so that its caller and its callee are connected directly;
 * and an edge of which neither side shows anything.
 */
export const findUnseenEdges: Check = (scene, open) => {
  return listUnseenEdges(scene, open).flatMap((edge): readonly Draft[] => {
    const beyond = scene.expectation.edges
      .filter((next) => next.client === edge.server)
      .map((next) => next.server);
    const past = hasSpans(scene, edge.server)
      ? []
      : scene.groups.filter(
          ({ client, server }) => client === edge.client && server !== null && beyond.includes(server),
        );
    const direct = viewCalls(scene.graph, past);
    const first = direct[0];
    if (first !== undefined) {
      return [
        missingServer.report({
          client: edge.client,
          server: edge.server,
          protocol: edgeProtocol(readCallFacts(first.client).protocol),
          candidates: ['server-span-lost', 'server-not-instrumented', 'not-sampled'],
          shown: direct.map(({ client, server }) => ({
            client,
            server: null,
            says: `continued directly by ${server.serviceName}: ${edge.server} handed the context on and left no span`,
          })),
        }),
      ];
    }
    const refused = open.clients.filter(
      (span) => span.serviceName === edge.client && readOutcome(span) === 'unreached',
    );
    if (refused.length > 0) {
      return [
        missingServer.report({
          severity: 'warning',
          client: edge.client,
          server: edge.server,
          protocol: edgeProtocol(refused[0] === undefined ? 'http' : readCallFacts(refused[0]).protocol),
          candidates: ['server-span-lost', 'server-not-instrumented', 'not-sampled'],
          shown: refused.map((client) => ({
            client,
            server: null,
            says: isHiddenByBrowser(client)
              ? 'the browser failed or refused it (status 0): its console tells; for CORS the called service has to answer the preflight, and to allow the header traceparent'
              : 'ended without an answer of the called service: it may never have been reached',
          })),
        }),
      ];
    }
    // The callee of a dark service is connected past it; the finding above tells that already.
    if (scene.groupsInto(edge.server).length > 0 && !hasSpans(scene, edge.client)) return [];
    // Another caller explains what reached the callee: worth a word, while the error is on that edge.
    const isElsewhere = open.found.some(
      (draft) => draft.severity === 'error' && draft.server === edge.server,
    );
    const isUnderWay = sharesOpenTrace(scene, open, edge);
    return [
      (hasSpans(scene, edge.client) ? missingCall : missingClient).report({
        severity: isElsewhere || isUnderWay ? 'warning' : 'error',
        client: edge.client,
        server: edge.server,
        protocol: 'http',
        candidates: hasSpans(scene, edge.client)
          ? ['client-not-instrumented', 'server-not-instrumented', 'not-sampled']
          : ['not-sampled', 'client-span-lost', 'server-not-instrumented'],
        shown: [],
      }),
    ];
  });
};

/**
 * Whether spans of the callee hang below a span that has not ended, in a trace of the caller: equal trace ids prove that
 * context arrived, and the call itself may go on.
 */
function sharesOpenTrace(scene: Scene, open: Open, edge: ExpectedEdge): boolean {
  const ofCaller = new Set(scene.spansOf(edge.client).map((span) => span.traceId));
  return open.orphans.some(
    (span) => !isEntry(span) && span.serviceName === edge.server && ofCaller.has(span.traceId),
  );
}
