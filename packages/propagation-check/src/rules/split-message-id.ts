import { isSend } from '../calls/broker-api.ts';
import { readCallFacts } from '../calls/call-facts.ts';
import { type Call, selectCalls } from '../calls/call-group.ts';
import { isEntry } from '../calls/edge.ts';
import { readDestination, readLogPosition, readMessageId } from '../calls/messaging-facts.ts';
import { mayBeOfOneBroker } from '../calls/messaging-system.ts';
import { isExpected } from '../expect/expectation.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, keyFor, mapBy } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { gate, rule } from './rule.ts';
import type { Open, Scene } from './scene.ts';
import { isOfUnlinkedBatch, messageCauses, nameKind } from './split-message.ts';
import { finding as splitTrace } from './split-trace.ts';

/** A message with an id that was received without the context of its sender. */
interface Received {
  readonly server: Span;
  /** The span with the same id that sent it. */
  readonly client: Span | null;
  /** Why no span is known to have sent the message; null if one is. */
  readonly apart: string | null;
}

/** Messages that one service sent and another received in its own traces, matched by message id. */
export const messagesSplitById = rule<Group<Received>>({
  finding: splitTrace,
  measure: (scene, open) => {
    const keyOf = ({ client, server, apart }: Received): string =>
      apart ?? keyFor(client?.serviceName ?? null, server.serviceName);
    return [...mapBy(findSenders(scene, open), keyOf).values()];
  },
  gates: [
    gate(
      'one PRODUCER span has the id of the message, and no other span here continued it',
      ([{ apart }]) => apart === null,
      (messages) => `${countOf(messages.length, 'message')}: ${messages[0].apart}`,
    ),
  ],
  looseEnds: (messages) => messages.map(({ server }) => server),
  report: (messages) =>
    splitTrace.report({
      client: messages[0].client?.serviceName ?? null,
      server: messages[0].server.serviceName,
      protocol: 'messaging',
      candidates: messageCauses,
      shown: messages.map(({ client, server }) => ({
        client,
        server,
        says: `${server.kind} ${server.spanId} of trace ${server.traceId} received message ${readCallFacts(server).messageId} of ${client?.kind} ${client?.spanId}, and has it neither as parent nor as link`,
      })),
    }),
});

function findSenders(scene: Scene, open: Open): readonly Received[] {
  const { facts, graph } = scene;
  if (!facts.maySome(({ protocol }) => protocol === 'messaging')) return [];
  const received = [
    ...open.roots.select((row) => facts.protocolOf(row) === 'messaging'),
    ...graph.select((row) => isOfUnlinkedBatch(scene, row)),
  ];
  const ids = new Set(received.flatMap((span) => readCallFacts(span).messageId ?? []));
  if (ids.size === 0) return [];
  const whole = selectCalls(
    graph,
    scene.groups.filter(({ clientKind }) => clientKind === 'PRODUCER'),
    (client) => ids.has(readMessageId(facts.at(client)) ?? ''),
  );
  // Several services may receive one message, so `whole` may name a client twice.
  const producers = mapBy(
    [
      ...new Set([
        ...open.clients.filter((span) => span.kind === 'PRODUCER'),
        ...whole.map(({ client }) => client),
      ]),
    ],
    (span) => readCallFacts(span).messageId,
  );
  const sentByClient = listSentByClient(scene, received, ids);
  const isDelivered = lookUpDeliveries(whole);
  const read = new Set(whole.map(({ client }) => client.spanId));
  const findResent = lookUpResent(received, whole);
  const shareQueue = lookUpQueues(scene);
  return received.flatMap((server): readonly Received[] => {
    const { messageId } = readCallFacts(server);
    if (messageId === null) return [];
    const sent = producers.get(messageId) ?? sentByClient.get(messageId) ?? [];
    const senders = sent.filter(
      (client) => isSameQueue(client, server, shareQueue) && !mayBeOfAnotherLog(client, server, read),
    );
    const [client, another] = senders;
    if (client === undefined)
      return [
        { server, client: null, apart: sent.length === 0 ? 'none has the id' : 'of another queue or log' },
      ];
    // If several spans sent the id, as for a republished message, any of them may be the sender.
    if (another !== undefined) {
      const resent = findResent(senders, server);
      return [{ server, client: resent, apart: resent === null ? 'several have the id' : null }];
    }
    return [{ server, client, apart: isDelivered(client, server) ? 'another span here continued it' : null }];
  });
}

/**
 * If no PRODUCER span has the id of a message, a CLIENT span that sent it: the message should carry the context of that span or of a span
 * around it. Left out if any consumer received the message with a context.
 */
function listSentByClient(
  { facts, graph }: Scene,
  received: readonly Span[],
  ids: ReadonlySet<string>,
): ReadonlyMap<string | null, readonly Span[]> {
  if (!facts.maySome((call) => call.protocol === 'messaging' && isSend(call))) return new Map();
  const roots = new Set(received.map((span) => graph.rowOf(span)));
  const ofIds = graph.select(
    (row) =>
      facts.protocolOf(row) === 'messaging' &&
      !roots.has(row) &&
      ids.has(readMessageId(facts.at(row)) ?? '') &&
      (graph.isEntry(row) || isSend(facts.at(row))),
  );
  const isContinued = new Set(ofIds.filter(isEntry).map((span) => readCallFacts(span).messageId));
  return mapBy(
    ofIds.filter((span) => !isContinued.has(readCallFacts(span).messageId)),
    (span) => readCallFacts(span).messageId,
  );
}

/**
 * Whether a consumer already continued this delivery of the message. Some services receive a message in one span, without a link, and
 * process it in a second span, with a link. If both spans have the same kind, name and destination, the first one is a separate delivery: a
 * retry.
 */
function lookUpDeliveries(whole: readonly Call[]): (client: Span, server: Span) => boolean {
  const delivered = mapBy(whole, ({ client, server }) => nameDelivery(client, server));
  return (client, server) =>
    delivered
      .get(nameDelivery(client, server))
      ?.every((call) => nameKind(call.server) !== nameKind(server)) === true;
}

/**
 * A job that is sent again keeps its id (Celery, `Task.retry`). If all sends but one were received by spans of one kind, and a single span
 * of that kind began a trace after that send, it received that send.
 */
function lookUpResent(
  received: readonly Span[],
  whole: readonly Call[],
): (senders: readonly Span[], server: Span) => Span | null {
  const nameReceipt = (span: Span): string =>
    keyFor(span.serviceName, nameKind(span), readCallFacts(span).messageId);
  const apart = remember(() => mapBy(received, nameReceipt));
  const receipts = remember(() => mapBy(whole, ({ client }) => client.spanId));
  return (senders, server) => {
    const receipt = nameReceipt(server);
    const open = senders.find(({ spanId }) => !receipts().has(spanId));
    if (open === undefined || apart().get(receipt)?.length !== 1) return null;
    const areOthersHere = senders.every(
      (client) =>
        client === open ||
        receipts()
          .get(client.spanId)
          ?.some((call) => nameReceipt(call.server) === receipt),
    );
    return areOthersHere && open.startTimeUnixNano <= server.startTimeUnixNano ? open : null;
  };
}

function nameDelivery(producer: Span, consumer: Span): string {
  return keyFor(producer.traceId, producer.spanId, consumer.serviceName);
}

/**
 * Whether the message may be of another cluster: topics of two clusters have the same positions. It is if it was received before it was
 * sent, and may be if another consumer continued the message.
 *
 * @param read The span ids of producers whose messages a consumer continued.
 */
function mayBeOfAnotherLog(producer: Span, consumer: Span, read: ReadonlySet<string>): boolean {
  const isByPosition = readLogPosition(consumer) === readMessageId(consumer);
  return (
    isByPosition && (read.has(producer.spanId) || consumer.startTimeUnixNano < producer.startTimeUnixNano)
  );
}

/**
 * A subscription has another name than its topic. Ids that a broker assigns are unique beyond one queue. Job queues number their jobs from
 * 1, and applications use the same queue names: such a number counts only between services that are known to share the queue.
 */
function isSameQueue(producer: Span, consumer: Span, shareQueue: ShareQueue): boolean {
  const [to, from] = [readCallFacts(producer).destination, readCallFacts(consumer).destination];
  const id = readCallFacts(consumer).messageId ?? '';
  if (isOfBroker(id)) return true;
  if (!mayBeOfOneBroker(producer, consumer)) return false;
  if (/^\d+$/.test(id))
    return to !== null && to === from && shareQueue(producer.serviceName, consumer.serviceName, to);
  return to === null || from === null || to === from;
}

type ShareQueue = (sender: string | null, receiver: string | null, queue: string) => boolean;

function lookUpQueues({ facts, expectation, groupsBetween }: Scene): ShareQueue {
  return remember(
    (sender: string | null, receiver: string | null, queue: string) =>
      sender === receiver ||
      isExpected(expectation, sender, receiver) ||
      groupsBetween(sender, receiver).some(({ clients }) =>
        clients.some((row) => readDestination(facts.at(row)) === queue),
      ),
  );
}

/** Whether a broker assigned the id: a UUID, at least 16 hexadecimal digits, or a number of at least 12 digits as in Pub/Sub. */
export function isOfBroker(messageId: string): boolean {
  return /^([0-9a-f-]{16,}|\d{12,})$/i.test(messageId);
}
