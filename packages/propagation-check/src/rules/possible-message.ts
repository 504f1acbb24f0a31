import { readDestination } from '../calls/messaging-facts.ts';
import { hasCall } from './expected-calls.ts';
import {
  gateOfBroker,
  gateOfTwo,
  groupByDestination,
  joinSingle,
  listEndsOfTwo,
  type MessagesOfTwo,
  warnOfTwo,
} from './messages-of-two.ts';
import { gate, rule } from './rule.ts';
import { areInOrder, countMessages, listMessages } from './split-message.ts';
import { finding } from './split-trace.ts';

/**
 * One service sends to a destination, another receives as many messages from it, and no message is whole. A warning without an expectation
 * and without message ids: a destination may have senders outside the data.
 */
export const possibleMessages = rule<MessagesOfTwo>({
  finding,
  measure: (scene, open) =>
    joinSingle(
      groupByDestination(scene, open, (received) =>
        scene.expectation.edges.every((edge) => edge.server !== received.serviceName),
      ),
    ),
  gates: [
    gateOfTwo,
    gate(
      'no message between the two is whole',
      ({ sent, received }, scene) => !hasCall(scene, sent[0].serviceName, received[0].serviceName),
      ({ sent }) => `some of ${sent[0].serviceName} are`,
    ),
    gate(
      'as many are received as were sent, each after one that was sent',
      ({ sent, received }, { thresholds }) =>
        sent.length >= thresholds.fewestDisplaced &&
        sent.length === countMessages(received) &&
        areInOrder(sent, listMessages(received)),
      ({ sent, received }) => `${countMessages(received)} of ${sent.length}`,
    ),
    gateOfBroker,
  ],
  looseEnds: listEndsOfTwo,
  report: (messages) =>
    warnOfTwo(
      messages,
      (client) =>
        `no CONSUMER span of ${messages.received[0].serviceName} has PRODUCER ${client.spanId} as parent or link, and as many of its messages from ${readDestination(client)} began traces`,
    ),
});
