import { readDestination } from '../calls/messaging-facts.ts';
import { mayAllBeOfOneBroker } from '../calls/messaging-system.ts';
import type { Span } from '../span/span.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import type { Draft } from './draft.ts';
import { gate } from './rule.ts';
import type { Open, Scene } from './scene.ts';
import { messageCauses } from './split-message.ts';
import { finding } from './split-trace.ts';

/** The messages of two services at one destination of a broker. */
export interface MessagesOfTwo {
  /** PRODUCER spans without a child or link, and messages that began traces; by start. */
  readonly sent: Group<Span>;
  readonly received: Group<Span>;
  /** The number of other services that send to the destination or receive from it. */
  readonly others: number;
}

/**
 * Groups loose ends by destination.
 * @param isMeant Whether a message that began a trace belongs to a group.
 */
export function groupByDestination(
  { facts }: Scene,
  open: Open,
  isMeant: (received: Span) => boolean = () => true,
): readonly MessagesOfTwo[] {
  if (!facts.maySome(({ protocol }) => protocol === 'messaging')) return [];
  const producers = open.clients.filter(({ kind }) => kind === 'PRODUCER');
  if (producers.length === 0) return [];
  const began = open.roots.select((row) => facts.protocolOf(row) === 'messaging').filter(isMeant);
  const named = [...producers, ...began].filter((span) => readDestination(span) !== null);
  return groupBy(named, (span) => keyFor(readDestination(span))).flatMap((spans) => {
    const ofService = (some: readonly Span[]) => groupBy(some, (span) => keyFor(span.serviceName));
    const [sent, ...otherSenders] = ofService(spans.filter(({ kind }) => kind === 'PRODUCER'));
    const [received, ...otherReceivers] = ofService(spans.filter(({ kind }) => kind !== 'PRODUCER'));
    const others = otherSenders.length + otherReceivers.length;
    return sent && received ? [{ sent, received, others }] : [];
  });
}

/**
 * Joins destinations with a single message on either side by sender and receiver: each reply of a call over a broker may have its own
 * queue. The sent and the received message of one destination keep the same index.
 */
export function joinSingle(messages: readonly MessagesOfTwo[]): readonly MessagesOfTwo[] {
  const keyOf = ({ sent, received, others }: MessagesOfTwo): string =>
    others === 0 && sent.length === 1 && received.length === 1
      ? keyFor(sent[0].serviceName, received[0].serviceName)
      : keyFor(readDestination(sent[0]));
  return groupBy(messages, keyOf).map(([first, ...more]) => ({
    sent: [first.sent[0], ...first.sent.slice(1), ...more.flatMap(({ sent }) => sent)],
    received: [first.received[0], ...first.received.slice(1), ...more.flatMap(({ received }) => received)],
    others: first.others,
  }));
}

export const gateOfTwo = gate<MessagesOfTwo>(
  'one service sends to the destination, and one other receives from it',
  ({ sent, received, others }) => others === 0 && sent[0].serviceName !== received[0].serviceName,
  ({ others }) => `${others} more`,
);

export const gateOfBroker = gate<MessagesOfTwo>(
  'no attribute says that they use different brokers',
  ({ sent, received }) => mayAllBeOfOneBroker(sent, received),
  ({ sent, received }) =>
    [sent[0], received[0]].map(({ attributes }) => attributes.get('messaging.system')).join(' and '),
);

export function listEndsOfTwo({ sent, received }: MessagesOfTwo): readonly Span[] {
  return [...sent, ...received];
}

/**
 * Reports a warning: without message ids, other services may have sent the received messages.
 * @param tell Writes what the report says about a PRODUCER span.
 */
export function warnOfTwo({ sent, received }: MessagesOfTwo, tell: (client: Span) => string): Draft {
  return finding.report({
    severity: 'warning',
    client: sent[0].serviceName,
    server: received[0].serviceName,
    protocol: 'messaging',
    candidates: messageCauses,
    shown: sent.map((client) => ({ client, server: null, says: tell(client) })),
    explains: received,
  });
}
