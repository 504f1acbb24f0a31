import { readCallFacts, readDestination, readLogPosition, readMessageId } from '../calls/call-facts.ts';
import { selectCalls, viewCalls } from '../calls/call-group.ts';
import { type ExpectedEdge, isExpected } from '../expect/expectation.ts';
import { none } from '../graph/trace-graph.ts';
import { type Span, spanKinds } from '../span/span.ts';
import { groupBy, keyFor, mapBy } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { type Check, type Draft, hasCall, listUnseenEdges, type Open, type Scene } from './check.ts';
import type { FindingId } from './finding.ts';
import { moveToFront } from './split-causes.ts';
import { finding as splitTrace } from './split-trace.ts';

/**
 * Messages: PRODUCER spans that no CONSUMER span has as parent or link, and CONSUMER spans that name none. Equal message ids
 * pair them. Without, batches and late delivery make pairs impossible, so only an expected edge counts: one without any
 * whole message, or one on which as many are lost on either side, each sent before the one that is received.
 */
export const findSplitMessages: Check = (scene, open) => {
  const byId = findSplitById(scene, open);
  const explained = new Set(
    byId.flatMap(({ shown }) => shown.flatMap(({ client, server }) => [client, server])),
  );
  const left = (spans: readonly Span[]): readonly Span[] => spans.filter((span) => !explained.has(span));
  const rest = {
    ...open,
    clients: left(open.clients),
    roots: open.roots.without(explained),
    orphans: left(open.orphans),
    found: [...open.found, ...byId],
  };
  return [...byId, ...findAllSplit(scene, rest), ...findPartlySplit(scene, rest)];
};

/** A message that one service sent and another received in a trace of its own, told by its id. */
function findSplitById(scene: Scene, open: Open): readonly Draft[] {
  const { facts, graph } = scene;
  if (!facts.maySome(({ protocol }) => protocol === 'messaging')) return [];
  const received = [
    ...open.roots.select((row) => facts.protocolOf(row) === 'messaging').filter(isMessage),
    ...listOfUnlinkedBatches(scene),
  ];
  const ids = new Set(received.flatMap((span) => readCallFacts(span).messageId ?? []));
  if (ids.size === 0) return [];
  const whole = selectCalls(
    graph,
    scene.groups.filter(({ clientKind }) => clientKind === 'PRODUCER'),
    (client) => ids.has(readMessageId(facts.at(client)) ?? ''),
  );
  const producers = mapBy(
    [...open.clients, ...whole.map(({ client }) => client)].filter((span) => span.kind === 'PRODUCER'),
    (span) => readCallFacts(span).messageId,
  );
  // Some services receive a message in one span, without a link, and process it in a second span, with a link. If both spans have the
  // same kind, name and destination, the first one is a separate delivery: a retry.
  const delivered = mapBy(whole, ({ client, server }) => nameDelivery(client, server));
  const isDelivered = (client: Span, server: Span): boolean =>
    delivered
      .get(nameDelivery(client, server))
      ?.every((call) => nameKind(call.server) !== nameKind(server)) === true;
  const read = new Set(whole.map(({ client }) => client.spanId));
  const shareQueue = lookUpQueues(scene);
  const pairs = received.flatMap((server) => {
    if (readCallFacts(server).messageId === null) return [];
    const sent = producers.get(readCallFacts(server).messageId) ?? [];
    const senders = sent.filter(
      (client) => isSameQueue(client, server, shareQueue) && !mayBeOfAnotherLog(client, server, read),
    );
    const [client] = senders;
    // A message that several sent, as one that is published again, is of any of them.
    const isOfOne = client !== undefined && senders.length === 1;
    return isOfOne && !isDelivered(client, server) ? [{ client, server }] : [];
  });
  return groupBy(pairs, ({ client, server }) => keyFor(client.serviceName, server.serviceName)).map((group) =>
    splitTrace.report({
      client: group[0].client.serviceName,
      server: group[0].server.serviceName,
      protocol: 'messaging',
      candidates: messageCauses,
      shown: group.map(({ client, server }) => ({
        client,
        server,
        says: `${server.kind} ${server.spanId} of trace ${server.traceId} received message ${readCallFacts(server).messageId} of PRODUCER ${client.spanId}, and has it neither as parent nor as link`,
      })),
    }),
  );
}

/** Where a message enters a service. A function that a queue triggers has a SERVER span (semantic conventions, FaaS spans). */
export function isMessage(span: Span): boolean {
  return span.kind === 'CONSUMER' || (span.kind === 'SERVER' && readCallFacts(span).protocol === 'messaging');
}

/** Whether neither a message nor the batch that it came in, a span of its own above it, names a trace of the sender. */
function isOfUnlinkedBatch({ graph }: Scene, span: Span): boolean {
  const parent = graph.parents[graph.rowOf(span)] ?? none;
  if (span.kind !== 'CONSUMER' || graph.mayBeLinked(graph.rowOf(span)) || parent === none) return false;
  const batch = graph.view(parent);
  return (
    batch.serviceName === span.serviceName &&
    batch.parentSpanId === null &&
    !graph.mayBeLinked(parent) &&
    readCallFacts(batch).protocol === 'messaging'
  );
}

/** Messages below a batch, a span of its own, that has no link, while they have none either. */
function listOfUnlinkedBatches(scene: Scene): readonly Span[] {
  const { graph, facts } = scene;
  const { kinds } = graph.store;
  return graph.select((row) => {
    const batch = kinds[row] === consumer && !graph.mayBeLinked(row) ? (graph.parents[row] ?? none) : none;
    return (
      batch !== none &&
      kinds[batch] !== producer &&
      graph.isRoot(batch) &&
      !graph.mayBeLinked(batch) &&
      graph.serviceNumberOf(batch) === graph.serviceNumberOf(row) &&
      facts.protocolOf(batch) === 'messaging'
    );
  });
}

const consumer = spanKinds.indexOf('CONSUMER');
const producer = spanKinds.indexOf('PRODUCER');

function nameDelivery(producer: Span, consumer: Span): string {
  return keyFor(producer.traceId, producer.spanId, consumer.serviceName);
}

/**
 * Topics of two clusters have the same positions: nobody received from this one before it was sent, and where another consumer continued
 * the message, this one may be of the other cluster.
 *
 * @param read The ids of producers whose messages a consumer continued.
 */
function mayBeOfAnotherLog(producer: Span, consumer: Span, read: ReadonlySet<string>): boolean {
  const isByPosition = readLogPosition(consumer) === readMessageId(consumer);
  return (
    isByPosition && (read.has(producer.spanId) || consumer.startTimeUnixNano < producer.startTimeUnixNano)
  );
}

/**
 * A subscription has another name than its topic. The ids of brokers are unique beyond one queue. Job queues number their jobs from 1,
 * and applications have queues of one name: such a number tells only of services that are known to share the queue.
 */
function isSameQueue(producer: Span, consumer: Span, shareQueue: ShareQueue): boolean {
  const [to, from] = [readCallFacts(producer).destination, readCallFacts(consumer).destination];
  const id = readCallFacts(consumer).messageId ?? '';
  if (isOfBroker(id)) return true;
  if (isNumber(id))
    return to !== null && to === from && shareQueue(producer.serviceName, consumer.serviceName, to);
  return to === null || from === null || to === from;
}

type ShareQueue = (sender: string | null, receiver: string | null, queue: string) => boolean;

function lookUpQueues({ facts, expectation, groupsBetween }: Scene): ShareQueue {
  return remember(
    (sender: string | null, receiver: string | null, queue: string) =>
      sender === receiver ||
      isExpected(expectation, sender, receiver) ||
      groupsBetween(sender, receiver).some(
        ({ clientKind, clients }) =>
          clientKind === 'PRODUCER' && clients.some((row) => readDestination(facts.at(row)) === queue),
      ),
  );
}

/** A UUID, a text of as many digits, or a number as long as those of Pub/Sub. */
function isOfBroker(messageId: string): boolean {
  return /^([0-9a-f-]{16,}|\d{12,})$/i.test(messageId);
}

function isNumber(messageId: string): boolean {
  return /^\d+$/.test(messageId);
}

function findAllSplit(scene: Scene, open: Open): readonly Draft[] {
  return listUnseenEdges(scene, open).flatMap((edge) => {
    // A platform that hands a function its message may write a parent of its own.
    const functions = open.orphans.filter((span) => span.kind === 'SERVER');
    const inBatches = scene.entriesOf(edge.server).filter((span) => isOfUnlinkedBatch(scene, span));
    const consumers = [...open.roots.of(edge.server), ...functions, ...inBatches].filter(
      (span) => isMessage(span) && span.serviceName === edge.server,
    );
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
        (span.kind === 'PRODUCER' || handsOn(scene, span)) &&
        span.serviceName === edge.client &&
        (destination === null || destinations.has(null) || destinations.has(destination))
      );
    });
    return describe(scene, edge, producers, consumers);
  });
}

/**
 * Whether a CLIENT span is of an API that hands work on to functions or queues, for which instrumentations make no PRODUCER span and write
 * no context into what they hand on. Source: opentelemetry-js-contrib, instrumentation-aws-sdk, `src/services`.
 */
export function handsOn({ graph }: Scene, span: Span): boolean {
  if (span.kind !== 'CLIENT') return false;
  const parent = graph.parents[graph.rowOf(span)] ?? none;
  // The request of the API is a span of its own.
  const calls = parent === none ? [span] : [span, graph.view(parent)];
  return calls.some((call) => handingOn.test(readCallFacts(call).rpcMethod ?? ''));
}

/** Of EventBridge, Kinesis, Step Functions, EventBridge Scheduler and Google Cloud Tasks. */
const handingOn = /(?:^|\/)(?:PutEvents|PutRecords?|Start(?:Sync)?Execution|CreateSchedule|CreateTask)$/;

function findPartlySplit(scene: Scene, open: Open): readonly Draft[] {
  const seen = scene.expectation.edges.filter(
    (edge) => edge.rule === 'must' && hasCall(scene, edge.client, edge.server),
  );
  return seen.flatMap((edge) => {
    const whole = scene
      .groupsBetween(edge.client, edge.server)
      .filter(({ clientKind }) => clientKind === 'PRODUCER');
    if (whole.length === 0) return [];
    const kinds = new Set(viewCalls(scene.graph, whole).map(({ server }) => nameKind(server)));
    const consumers = open.roots.of(edge.server).filter((span) => kinds.has(nameKind(span)));
    const unread = open.clients.filter(
      (span) => span.kind === 'PRODUCER' && span.serviceName === edge.client,
    );
    const sent = mapBy(unread, nameDestination);
    return groupBy(consumers, nameDestination).flatMap((received) => {
      const producers = sent.get(nameDestination(received[0])) ?? [];
      const isSame =
        received.length >= scene.thresholds.fewestLostMessages && received.length === producers.length;
      return isSame && areInOrder(producers, received) ? describe(scene, edge, producers, received) : [];
    });
  });
}

/** Some services receive a message first, in a span without a link, and process it then: each is a kind of its own. */
function nameKind(span: Span): string {
  return keyFor(span.kind, span.name, nameDestination(span));
}

function nameDestination(span: Span): string {
  return keyFor(readCallFacts(span).destination);
}

/** Whether each message can be one that was sent before. Both are by start. */
export function areInOrder(producers: readonly Span[], consumers: readonly Span[]): boolean {
  return producers.every((sent, index) => {
    const received = consumers[index];
    return received !== undefined && sent.startTimeUnixNano <= received.startTimeUnixNano;
  });
}

export const messageCauses: readonly FindingId[] = [
  'header-not-sent',
  'header-ignored',
  'header-stripped',
  'format-mismatch',
];

function describe(
  scene: Scene,
  edge: ExpectedEdge,
  producers: readonly Span[],
  consumers: readonly Span[],
): readonly Draft[] {
  if (consumers.length === 0 || producers.length === 0) return [];
  return [
    splitTrace.report({
      client: edge.client,
      server: edge.server,
      protocol: 'messaging',
      // Functions read the context of their platform alone unless they are told to look into the message.
      candidates:
        consumers.every(({ kind }) => kind === 'SERVER') && !producers.every((span) => handsOn(scene, span))
          ? moveToFront(messageCauses, 'header-ignored')
          : messageCauses,
      shown: producers.map((client) => ({
        client,
        server: null,
        says: `no CONSUMER span of ${edge.server} has ${client.kind} ${client.spanId} as parent or link`,
      })),
      explains: consumers,
    }),
  ];
}
