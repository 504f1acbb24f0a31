import { readCallFacts } from '../call-facts.ts';
import { type Check, listUnseenEdges } from './check.ts';

/**
 * Messages: PRODUCER spans that no CONSUMER span has as parent or link, and CONSUMER spans that name none.
 * Batches and late delivery make pairs impossible, so only an expected edge without any whole message counts.
 */
export const findSplitMessages: Check = (scene, open) =>
  listUnseenEdges(scene, open).flatMap((edge) => {
    const consumers = open.roots.filter(
      (span) => span.kind === 'CONSUMER' && span.serviceName === edge.server,
    );
    const destinations = new Set(consumers.map((span) => readCallFacts(span).destination));
    const producers = open.clients.filter((span) => {
      const { destination } = readCallFacts(span);
      return (
        span.kind === 'PRODUCER' &&
        span.serviceName === edge.client &&
        (destination === null || destinations.has(null) || destinations.has(destination))
      );
    });
    if (consumers.length === 0 || producers.length === 0) return [];
    return [
      {
        id: 'split-trace' as const,
        severity: 'error' as const,
        client: edge.client,
        server: edge.server,
        protocol: 'messaging' as const,
        candidates: ['header-not-sent', 'header-ignored', 'header-stripped', 'format-mismatch'] as const,
        shown: producers.map((client) => ({
          client,
          server: null,
          says: `no CONSUMER span of ${edge.server} has PRODUCER ${client.spanId} as parent or link`,
        })),
        explains: consumers,
      },
    ];
  });
