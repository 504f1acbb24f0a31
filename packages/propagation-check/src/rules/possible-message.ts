import { readCallFacts } from '../calls/call-facts.ts';
import { mayAllBeOfOneBroker } from '../calls/messaging-system.ts';
import type { Span } from '../span/span.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import type { Open, Scene } from './check.ts';
import { gate, rule } from './rule.ts';
import { areInOrder, countMessages, listMessages, messageCauses } from './split-message.ts';
import { finding } from './split-trace.ts';

/** The messages of two services at one destination of a broker. */
export interface MessagesOfTwo {
  /** PRODUCER spans that nobody continued, and messages that began traces; by start. */
  readonly sent: Group<Span>;
  readonly received: Group<Span>;
  /** How many more services send to the destination, or receive from it. */
  readonly others: number;
}

interface PossibleMessages extends MessagesOfTwo {
  readonly scene: Scene;
}

/**
 * One service sends to a destination, another receives from it as many messages, and no message is whole. Without an expectation and
 * without ids of messages it is a warning: a destination may have senders outside of the data.
 */
export const possibleMessages = rule<PossibleMessages>({
  finding,
  measure: (scene, open) =>
    groupByDestination(listUnexpected(scene, open)).map((messages) => ({ scene, ...messages })),
  gates: [
    gate(
      'one service sends to the destination, and one other receives from it',
      ({ sent, received, others }) => others === 0 && sent[0].serviceName !== received[0].serviceName,
      ({ others }) => `${others} more`,
    ),
    gate(
      'no message between the two is whole',
      ({ scene, sent, received }) =>
        scene.groupsBetween(sent[0].serviceName, received[0].serviceName).length === 0,
      ({ sent }) => `some of ${sent[0].serviceName} are`,
    ),
    gate(
      'as many are received as were sent, each after one that was sent',
      ({ scene, sent, received }) =>
        sent.length >= scene.thresholds.fewestPossibleCalls &&
        sent.length === countMessages(received) &&
        areInOrder(sent, listMessages(received)),
      ({ sent, received }) => `${countMessages(received)} of ${sent.length}`,
    ),
    gate(
      'no attribute says that they use different brokers',
      ({ sent, received }) => mayAllBeOfOneBroker(sent, received),
      ({ sent, received }) =>
        [sent[0], received[0]].map(({ attributes }) => attributes.get('messaging.system')).join(' and '),
    ),
  ],
  looseEnds: ({ sent, received }) => [...sent, ...received],
  report: ({ sent, received }) =>
    finding.report({
      severity: 'warning',
      client: sent[0].serviceName,
      server: received[0].serviceName,
      protocol: 'messaging',
      candidates: messageCauses,
      shown: sent.map((client) => ({
        client,
        server: null,
        says: `no CONSUMER span of ${received[0].serviceName} has PRODUCER ${client.spanId} as parent or link, and as many of its messages from ${readCallFacts(client).destination} began traces`,
      })),
      explains: received,
    }),
});

/** The loose ends of messages whose receiver no expectation names. */
function listUnexpected({ facts, expectation }: Scene, open: Open): readonly Span[] {
  if (!facts.maySome(({ protocol }) => protocol === 'messaging')) return [];
  const isExpected = (span: Span): boolean =>
    expectation.edges.some((edge) => edge.server === span.serviceName);
  const received = open.roots
    .select((row) => facts.protocolOf(row) === 'messaging')
    .filter((span) => !isExpected(span));
  return received.length === 0
    ? []
    : [...open.clients.filter(({ kind }) => kind === 'PRODUCER'), ...received];
}

export function groupByDestination(messages: readonly Span[]): readonly MessagesOfTwo[] {
  const named = messages.filter((span) => readCallFacts(span).destination !== null);
  return groupBy(named, (span) => keyFor(readCallFacts(span).destination)).flatMap((spans) => {
    const ofService = (some: readonly Span[]) => groupBy(some, (span) => keyFor(span.serviceName));
    const [sent, ...otherSenders] = ofService(spans.filter(({ kind }) => kind === 'PRODUCER'));
    const [received, ...otherReceivers] = ofService(spans.filter(({ kind }) => kind !== 'PRODUCER'));
    const others = otherSenders.length + otherReceivers.length;
    return sent && received ? [{ sent, received, others }] : [];
  });
}
