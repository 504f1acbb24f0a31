import { readDestination, selectOfKeys } from '../calls/messaging-facts.ts';
import { isOfLog, mayAllBeOfOneBroker } from '../calls/messaging-system.ts';
import { kindNumber, type Span } from '../span/span.ts';
import { type Group, groupBy, keyFor, mapBy } from '../util/group-by.ts';
import { remember, rememberOf } from '../util/remember.ts';
import type { Draft } from './draft.ts';
import { gate } from './rule.ts';
import type { Open, Scene } from './scene.ts';
import { countMessages, messageCauses } from './split-message.ts';
import { finding } from './split-trace.ts';

/** The messages of two services at one destination of a broker. */
export interface MessagesOfTwo {
  /** Messages that no span received, or if there are none, messages in a log that only other services received; and messages that began traces. By start. */
  readonly sent: Group<Span>;
  /** These messages of all services that send to the destination. */
  readonly ofAll: readonly Span[];
  readonly received: Group<Span>;
  /** The number of other services that receive from the destination another number of messages than were sent. */
  readonly others: number;
}

/**
 * Groups loose ends by destination and receiver.
 * @param isMeant Whether a message that began a trace belongs to a group.
 */
export function groupByDestination(
  scene: Scene,
  open: Open,
  isMeant: (received: Span) => boolean = () => true,
): readonly MessagesOfTwo[] {
  const { facts } = scene;
  if (!facts.maySome(({ protocol }) => protocol === 'messaging')) return [];
  const began = open.roots
    .select((row) => facts.protocolOf(row) === 'messaging')
    .filter((span) => readDestination(span) !== null && isMeant(span));
  if (began.length === 0) return [];
  const ofDestination = mapBy(
    open.clients.filter(({ kind }) => kind === 'PRODUCER'),
    readDestination,
  );
  const listOthers = prepareContinued(scene);
  return groupBy(began, (span) => keyFor(readDestination(span))).flatMap((spans) => {
    const receivers = ofService(spans);
    return receivers.flatMap((received) => {
      const [first] = received;
      const ofAll = selectOfKeys(ofDestination.get(readDestination(first)) ?? listOthers(first), received);
      const isOther = (one: Group<Span>): boolean => one !== received && countMessages(one) !== ofAll.length;
      const others = receivers.filter(isOther).length;
      return ofService(ofAll).map((sent) => ({ sent, ofAll, received, others }));
    });
  });
}

function ofService(spans: readonly Span[]): readonly Group<Span>[] {
  return groupBy(spans, (span) => keyFor(span.serviceName));
}

/** Lists the messages to the log of a received one that its receiver did not continue. */
function prepareContinued({ graph, facts, groupsInto }: Scene): (received: Span) => readonly Span[] {
  const { kinds } = graph.store;
  const producers = remember(() => {
    const rows = Array.from(kinds.keys()).filter(
      (row) => kinds[row] === kindNumber.producer && graph.has(row),
    );
    return mapBy(rows, (row) => readDestination(facts.at(row)));
  });
  const readBy = rememberOf(
    (service: string | null) => new Set(groupsInto(service).flatMap(({ clients }) => Array.from(clients))),
  );
  return (received) => {
    if (!isOfLog(received)) return [];
    const read = readBy(received.serviceName);
    const rows = producers().get(readDestination(received)) ?? [];
    return graph.viewsOf(rows.filter((row) => !read.has(row)));
  };
}

/**
 * Joins destinations with a single message on either side by sender and receiver: each reply of a call over a broker may have its own
 * queue. The sent and the received message of one destination keep the same index.
 */
export function joinSingle(messages: readonly MessagesOfTwo[]): readonly MessagesOfTwo[] {
  const keyOf = ({ sent, ofAll, received, others }: MessagesOfTwo): string =>
    others === 0 && ofAll.length === 1 && received.length === 1
      ? keyFor(sent[0].serviceName, received[0].serviceName)
      : keyFor(readDestination(sent[0]), sent[0].serviceName, received[0].serviceName, 'all');
  return groupBy(messages, keyOf).map(([first, ...more]) => ({
    sent: [first.sent[0], ...first.sent.slice(1), ...more.flatMap(({ sent }) => sent)],
    ofAll: [...first.ofAll, ...more.flatMap(({ ofAll }) => ofAll)],
    received: [first.received[0], ...first.received.slice(1), ...more.flatMap(({ received }) => received)],
    others: first.others,
  }));
}

export const gateOfTwo = gate<MessagesOfTwo>(
  'one service receives from the destination, and another sends to it',
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
 * @param describe Writes what the report says about a PRODUCER span.
 */
export function warnOfTwo({ sent, received }: MessagesOfTwo, describe: (client: Span) => string): Draft {
  return finding.report({
    severity: 'warning',
    client: sent[0].serviceName,
    server: received[0].serviceName,
    protocol: 'messaging',
    candidates: messageCauses,
    shown: sent.map((client) => ({ client, server: null, says: describe(client) })),
    explains: received,
  });
}
