import { readDestination } from '../calls/messaging-facts.ts';
import { readInstance } from '../span/instance.ts';
import type { Span } from '../span/span.ts';
import type { Group } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import {
  gateOfBroker,
  gateOfTwo,
  groupByDestination,
  listEndsOfTwo,
  type MessagesOfTwo,
  warnOfTwo,
} from './messages-of-two.ts';
import { gate, rule } from './rule.ts';
import type { Scene } from './scene.ts';
import { countMessages, listMessages } from './split-message.ts';
import { finding } from './split-trace.ts';

/** Messages that no span received and messages that no span sent, beside whole messages between the same services. */
interface ReplicaMessages extends MessagesOfTwo {
  /** Called last, as it reads all whole calls between the two. */
  readonly compare: () => Replicas;
}

interface Replicas {
  /** The number of whole messages between the two at the destination. */
  readonly whole: number;
  /** No replica that sent a lost message sent a whole one. */
  readonly isApart: boolean;
}

/**
 * Some replicas of a sender write no context into their messages, and the other replicas do. A warning: without message ids, other services
 * may have sent the received messages.
 */
export const messagesOfReplicas = rule<ReplicaMessages>({
  finding,
  measure: (scene, open) =>
    groupByDestination(scene, open).map((messages) => ({
      ...messages,
      compare: remember(() => compareReplicas(scene, messages)),
    })),
  gates: [
    gateOfTwo,
    gate(
      'each sent message names the replica that sent it',
      ({ sent }) => sent.every(({ resource }) => readInstance(resource) !== null),
      ({ sent }) => `some of ${sent[0].serviceName} do not`,
    ),
    gate(
      'not many more messages were received than sent',
      ({ sent, received }, { thresholds }) =>
        sent.length >= countMessages(received) * thresholds.everyRequestShare,
      tellCounts,
    ),
    gateOfBroker,
    gate(
      'nearly every message was received after it was sent',
      ({ sent, received }, { thresholds }) =>
        countInOrder(sent, listMessages(received)) >= sent.length * thresholds.everyRequestShare,
      tellCounts,
    ),
    gate(
      'no replica that sent one of these sent a whole message',
      ({ sent, compare }, { thresholds }) =>
        compare().isApart && Math.min(compare().whole, sent.length) >= thresholds.fewestSeparated,
      ({ sent, compare }) => `${sent.length} beside ${compare().whole} whole ones`,
    ),
  ],
  looseEnds: listEndsOfTwo,
  report: (messages) =>
    warnOfTwo(messages, (client) => tellMessage(client, messages.received[0].serviceName)),
});

function tellMessage(client: Span, server: string | null): string {
  const whose = `instance ${readInstance(client.resource)} sent to ${readDestination(client)}`;
  return `no CONSUMER span of ${server} has PRODUCER ${client.spanId} as parent or link, nor any other message that ${whose}; about as many messages of ${server} began traces`;
}

function tellCounts({ sent, received }: ReplicaMessages): string {
  return `${countMessages(received)} received of ${sent.length} sent`;
}

function compareReplicas(
  { graph, facts, groupsBetween }: Scene,
  { sent, received }: MessagesOfTwo,
): Replicas {
  const { resources, resourceTable } = graph.store;
  const destinationOf = facts.remember(readDestination);
  const destination = readDestination(sent[0]);
  const ofWhole = new Set<number>();
  let whole = 0;
  for (const { clients } of groupsBetween(sent[0].serviceName, received[0].serviceName))
    for (const row of clients) {
      // Replicas with other roles send to other destinations, and do not count here.
      if (destinationOf(row) !== destination) continue;
      whole += 1;
      ofWhole.add(resources[row] ?? 0);
    }
  const replicas = new Set(sent.map(({ resource }) => readInstance(resource)));
  const isApart = [...ofWhole].every((resource) => {
    const instance = readInstance(resourceTable[resource]?.attributes ?? new Map());
    return instance !== null && !replicas.has(instance);
  });
  return { isApart, whole };
}

/** The number of received messages that can each be another, earlier sent message. Both lists are by start. */
function countInOrder(sent: Group<Span>, received: readonly Span[]): number {
  let paired = 0;
  for (const message of received) {
    const next = sent[paired];
    if (next !== undefined && next.startTimeUnixNano <= message.startTimeUnixNano) paired += 1;
  }
  return paired;
}
