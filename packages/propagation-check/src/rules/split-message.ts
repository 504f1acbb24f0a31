import { readCallFacts } from '../calls/call-facts.ts';
import { viewCalls } from '../calls/call-group.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import type { Span } from '../span/span.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import { type Check, type Draft, hasCall, listUnseenEdges, type Open, type Scene } from './check.ts';

/**
 * Messages: PRODUCER spans that no CONSUMER span has as parent or link, and CONSUMER spans that name none.
 * Batches and late delivery make pairs impossible, so only an expected edge counts: one without any whole message, or one
 * on which as many are lost on either side, each sent before the one that is received.
 */
export const findSplitMessages: Check = (scene, open) => [
  ...findAllSplit(scene, open),
  ...findPartlySplit(scene, open),
];

function findAllSplit(scene: Scene, open: Open): readonly Draft[] {
  return listUnseenEdges(scene, open).flatMap((edge) => {
    const consumers = open.roots.of(edge.server).filter((span) => span.kind === 'CONSUMER');
    if (consumers.length === 0) return [];
    const destinations = new Set(consumers.map((span) => readCallFacts(span).destination));
    // Others may have received the same messages as they should.
    const whole = scene.groups.filter(
      ({ client, clientKind }) => client === edge.client && clientKind === 'PRODUCER',
    );
    const sent = new Set([...open.clients, ...viewCalls(scene.graph, whole).map(({ client }) => client)]);
    const producers = [...sent].filter((span) => {
      const { destination } = readCallFacts(span);
      return (
        span.kind === 'PRODUCER' &&
        span.serviceName === edge.client &&
        (destination === null || destinations.has(null) || destinations.has(destination))
      );
    });
    return describe(edge, producers, consumers);
  });
}

/** Fewer lost messages may be some that came from outside, and as many that nobody has read yet. */
const fewestLost = 3;

function findPartlySplit(scene: Scene, open: Open): readonly Draft[] {
  const seen = scene.expectation.edges.filter(
    (edge) => edge.rule === 'must' && hasCall(scene, edge.client, edge.server),
  );
  return seen.flatMap((edge) => {
    const roots = open.roots.of(edge.server);
    if (roots.length === 0) return [];
    const whole = scene
      .groupsBetween(edge.client, edge.server)
      .filter(({ clientKind }) => clientKind === 'PRODUCER');
    const kinds = new Set(viewCalls(scene.graph, whole).map(({ server }) => nameKind(server)));
    const consumers = roots.filter((span) => kinds.has(nameKind(span)));
    const unread = open.clients.filter(
      (span) => span.kind === 'PRODUCER' && span.serviceName === edge.client,
    );
    const sent = new Map(
      groupBy(unread, nameDestination).flatMap((producers) =>
        producers[0] === undefined ? [] : [[nameDestination(producers[0]), producers] as const],
      ),
    );
    return groupBy(consumers, nameDestination).flatMap((received) => {
      const producers = (received[0] && sent.get(nameDestination(received[0]))) ?? [];
      const isSame = received.length >= fewestLost && received.length === producers.length;
      return isSame && areInOrder(producers, received) ? describe(edge, producers, received) : [];
    });
  });
}

/** What a service does with a message: some receive it first, in spans without a link, and process it then. */
function nameKind(span: Span): string {
  return keyFor(span.kind, span.name, nameDestination(span));
}

function nameDestination(span: Span): string {
  return keyFor(readCallFacts(span).destination);
}

/** Whether each message can be one that was sent before. Both are by start. */
function areInOrder(producers: readonly Span[], consumers: readonly Span[]): boolean {
  return producers.every((sent, index) => {
    const received = consumers[index];
    return received !== undefined && sent.startTimeUnixNano <= received.startTimeUnixNano;
  });
}

function describe(
  edge: ExpectedEdge,
  producers: readonly Span[],
  consumers: readonly Span[],
): readonly Draft[] {
  if (consumers.length === 0 || producers.length === 0) return [];
  return [
    {
      id: 'split-trace',
      severity: 'error',
      client: edge.client,
      server: edge.server,
      protocol: 'messaging',
      candidates: ['header-not-sent', 'header-ignored', 'header-stripped', 'format-mismatch'],
      shown: producers.map((client) => ({
        client,
        server: null,
        says: `no CONSUMER span of ${edge.server} has PRODUCER ${client.spanId} as parent or link`,
      })),
      explains: consumers,
    },
  ];
}
