import { readDestination } from '../calls/messaging-facts.ts';
import type { Span } from '../span/span.ts';
import {
  gateOfBroker,
  gateOfTwo,
  groupByDestination,
  joinSingle,
  listEndsOfTwo,
  type MessagesOfTwo,
  warnOfTwo,
} from './messages-of-two.ts';
import { listWhole, prepareLikeness } from './partly-split-messages.ts';
import { gate, rule } from './rule.ts';
import type { Scene } from './scene.ts';
import { countMessages, listMessages } from './split-message.ts';
import { finding } from './split-trace.ts';

/**
 * Services send to a destination, and another receives nearly as many messages from it that begin traces. A warning without an expectation
 * and without message ids: a destination may have senders outside the data.
 */
export const possibleMessages = rule<MessagesOfTwo>({
  finding,
  measure: (scene, open) =>
    joinSingle(
      groupByDestination(
        scene,
        open,
        ({ serviceName }) =>
          scene.expectation.edges.every(({ server }) => server !== serviceName) ||
          listWhole(scene, scene.groupsInto(serviceName)).length > 0,
      ),
    ),
  gates: [
    gateOfTwo,
    gate(
      'if messages between the two are whole, the received ones are alike',
      areAlike,
      ({ sent }) => `some of ${sent[0].serviceName} are`,
    ),
    gate(
      'nearly as many are received as were sent, each after one that was sent',
      ({ ofAll, received }, { thresholds }) =>
        ofAll.length >= thresholds.fewestDisplaced &&
        Math.min(ofAll.length, countMessages(received)) >=
          countMost(ofAll, received) * thresholds.everyRequestShare &&
        countInOrder(ofAll, listMessages(received)) >=
          countMost(ofAll, received) * thresholds.everyRequestShare,
      ({ ofAll, received }) => `${countMessages(received)} of ${ofAll.length}`,
    ),
    gateOfBroker,
  ],
  looseEnds: listEndsOfTwo,
  report: (messages) =>
    warnOfTwo(
      messages,
      (client) =>
        `no CONSUMER span of ${messages.received[0].serviceName} has PRODUCER ${client.spanId} as parent or link, and about as many of its messages from ${readDestination(client)} began traces`,
    ),
});

function areAlike({ sent, received }: MessagesOfTwo, scene: Scene): boolean {
  const whole = listWhole(scene, scene.groupsBetween(sent[0].serviceName, received[0].serviceName));
  const isAlike = prepareLikeness(scene, whole);
  return whole.length === 0 || received.every((span) => isAlike(scene.graph.rowOf(span)));
}

function countMost(sent: readonly Span[], received: readonly Span[]): number {
  return Math.max(sent.length, countMessages(received));
}

/** The number of received messages that can each be another, earlier sent message. Both lists are by start. */
function countInOrder(sent: readonly Span[], received: readonly Span[]): number {
  let paired = 0;
  for (const message of received) {
    const next = sent[paired];
    if (next !== undefined && next.startTimeUnixNano <= message.startTimeUnixNano) paired += 1;
  }
  return paired;
}
