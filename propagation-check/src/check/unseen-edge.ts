import { readCallFacts } from '../call-facts.ts';
import { type Check, type Draft, edgeProtocol, hasSpans, listUnseenEdges } from './check.ts';

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
    const direct = scene.calls.filter(
      (call) => call.client.serviceName === edge.client && beyond.includes(call.server.serviceName ?? ''),
    );
    const first = direct[0];
    if (first !== undefined && !hasSpans(scene, edge.server)) {
      return [
        {
          id: 'missing-server',
          severity: 'error',
          client: edge.client,
          server: edge.server,
          protocol: edgeProtocol(readCallFacts(first.client).protocol),
          candidates: ['server-span-lost', 'server-not-instrumented', 'not-sampled'],
          shown: direct.map(({ client, server }) => ({
            client,
            server: null,
            says: `continued directly by ${server.serviceName}: ${edge.server} handed the context on and left no span`,
          })),
        },
      ];
    }
    // The callee of a dark service is connected past it; the finding above tells that already.
    if (scene.calls.some((call) => call.server.serviceName === edge.server) && !hasSpans(scene, edge.client))
      return [];
    // Another caller explains what reached the callee: worth a word, while the error is on that edge.
    const isElsewhere = open.found.some(
      (draft) => draft.severity === 'error' && draft.server === edge.server,
    );
    return [
      {
        id: hasSpans(scene, edge.client) ? 'missing-call' : 'missing-client',
        severity: isElsewhere ? 'warning' : 'error',
        client: edge.client,
        server: edge.server,
        protocol: 'http',
        candidates: hasSpans(scene, edge.client)
          ? ['client-not-instrumented', 'server-not-instrumented', 'not-sampled']
          : ['not-sampled', 'client-span-lost', 'server-not-instrumented'],
        shown: [],
      },
    ];
  });
};
