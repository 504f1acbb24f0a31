import { isSend } from '../calls/broker-api.ts';
import { type CallGroup, groupCalls, someCall } from '../calls/call-group.ts';
import { mayHaveOneKey, readDestination, selectOfKeys } from '../calls/messaging-facts.ts';
import { isOfLog, mayBeOfOneBroker } from '../calls/messaging-system.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { mayTimersKeepStep } from '../pairing/displaced.ts';
import { type Pair, pairSpans } from '../pairing/pair-spans.ts';
import { atTime } from '../span/row-span.ts';
import { byStart, kindNumber, type Span } from '../span/span.ts';
import { type Group, groupBy, keyFor, mapBy } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { gate, rule } from './rule.ts';
import type { Open, Scene } from './scene.ts';
import { areInOrder, countMessages, listMessages, messageCauses } from './split-message.ts';
import { finding as splitTrace } from './split-trace.ts';

/** Messages of an edge with whole messages, at one destination. */
interface PartlySplit {
  readonly client: string | null;
  readonly server: string | null;
  readonly isExpected: boolean;
  /** Whether the expectations allow senders outside of the data, or forbid the edge. */
  readonly mayBeOthers: boolean;
  /** Messages that no span received; where each service receives all, otherwise messages that only others received. By start. */
  readonly sent: readonly Span[];
  /** These messages of all services of which the receiver has whole messages. By start. */
  readonly ofAll: readonly Span[];
  /** Messages that began traces at the receiver. */
  readonly received: Group<Span>;
  readonly timed: () => Timed;
}

/** The messages of all senders. */
interface Timed {
  /** The sent messages without those that may be received after the capture. */
  readonly due: readonly Span[];
  /** Pairs of these and the received messages by the times that whole messages take. Empty where chance or two timers explain as many. */
  readonly pairs: readonly Pair[];
}

/**
 * Messages of an edge with whole messages that lost their context. Proof is either an expected edge on which as many messages are lost on
 * either side, each sent before one is received, or the times: each root began as soon after a message as whole messages are received.
 */
export const partlySplitMessages = rule<PartlySplit>({
  finding: splitTrace,
  measure: (scene, open) =>
    [...mapBy(groupCalls(listWhole(scene, scene.groups)), ([{ server }]) => server).values()].flatMap(
      (edges) => measureReceiver(scene, open, edges),
    ),
  gates: [
    gate(
      'several messages are lost on either side',
      ({ sent, ofAll, received }, { thresholds }) =>
        sent.length > 0 && Math.min(ofAll.length, countMessages(received)) >= thresholds.fewestLostMessages,
      describeLost,
    ),
    gate(
      'the edge is expected and as many messages are lost on either side, in order; or times pair nearly all',
      (lost, scene) => isCounted(lost) || isTimed(lost, scene),
      describeLost,
    ),
  ],
  looseEnds: ({ sent, received }) => [...sent, ...received],
  report: (lost) => {
    const { client, server, sent, received } = lost;
    return splitTrace.report({
      ...{ client, server, protocol: 'messaging', candidates: messageCauses },
      shown: isCounted(lost)
        ? sent.map((message) => ({
            client: message,
            server: null,
            says: `no CONSUMER span of ${server} has ${message.kind} ${message.spanId} as parent or link`,
          }))
        : listOwnPairs(lost).map((pair) => ({
            client: pair.client,
            server: pair.server,
            says: `${pair.server.kind} ${pair.server.spanId} is a root of trace ${pair.server.traceId}, as soon after ${pair.client.kind} ${pair.client.spanId} as ${server} receives other messages`,
          })),
      explains: received,
    });
  },
});

function describeLost({ ofAll, received, isExpected }: PartlySplit): string {
  return `${ofAll.length} sent and not received, ${countMessages(received)} received and not sent${isExpected ? '' : ', nobody expects the edge'}`;
}

/** The whole messages between two services. A CLIENT span may also receive messages or settle them. */
export function listWhole({ facts }: Scene, groups: readonly CallGroup[]): readonly CallGroup[] {
  return groups.filter(
    (group) =>
      group.client !== group.server &&
      (group.clientKind === 'PRODUCER' ||
        (group.clientKind === 'CLIENT' &&
          group.protocol === 'messaging' &&
          someCall([group], (row) => isSend(facts.at(row))))),
  );
}

function isCounted({ isExpected, sent, ofAll, received }: PartlySplit): boolean {
  return (
    isExpected &&
    [sent, ofAll].some(
      (some) => countMessages(received) === some.length && areInOrder(some, listMessages(received)),
    )
  );
}

function isTimed(lost: PartlySplit, { thresholds }: Scene): boolean {
  const { sent, received, mayBeOthers, timed } = lost;
  if (mayBeOthers) return false;
  const { due, pairs } = timed();
  const own = new Set(sent);
  return (
    pairs.length >= thresholds.fewestLostMessages &&
    pairs.length >= Math.max(due.length, received.length) * thresholds.everyRequestShare &&
    listOwnPairs(lost).length >=
      due.filter((message) => own.has(message)).length * thresholds.everyRequestShare
  );
}

function listOwnPairs({ client, timed }: PartlySplit): readonly Pair[] {
  return timed().pairs.filter((pair) => pair.client.serviceName === client);
}

/** @param edges The whole messages to one service, by sender. */
function measureReceiver(
  scene: Scene,
  open: Open,
  edges: readonly Group<CallGroup>[],
): readonly PartlySplit[] {
  const { graph, services, expectation } = scene;
  const server = edges[0]?.[0].server ?? null;
  const into = expectation.edges.filter((edge) => edge.server === server);
  const mayBeOthers = into.some((edge) =>
    edges.some(([{ client }]) => edge.client === client)
      ? edge.rule === 'must-not'
      : edge.rule === 'may' && !services.has(edge.client),
  );
  const left = remember(() => new Set(open.clients.map((span) => graph.rowOf(span))));
  const found = edges.flatMap((whole) => {
    const [{ client }] = whole;
    const isExpected = into.some((edge) => edge.rule === 'must' && edge.client === client);
    const isAlike = prepareLikeness(scene, whole);
    const isOfOther = isExpected ? prepareOtherDestinations(scene, whole) : () => false;
    const roots = open.roots.select((row) => isAlike(row) || isOfOther(row), server);
    if (roots.length === 0) return [];
    const unread = mapBy(listUnread(scene, whole), readDestination);
    const lags = remember(() => findLongestLags(scene, whole));
    const shared = remember(() => listSharedDestinations(scene, whole));
    return groupBy(roots, (span) => keyFor(readDestination(span))).map((received) => {
      const [first] = received;
      const destination = readDestination(first);
      const there = selectOfKeys(
        (unread.get(destination) ?? []).filter((span) => mayBeOfOneBroker(span, first)),
        received,
      );
      const ofNobody = there.filter((span) => left().has(graph.rowOf(span)));
      const isForAll = isOfLog(first) || shared().has(destination);
      const sent = ofNobody.length === 0 && isForAll ? there : ofNobody;
      return { client, isExpected, sent, received, lag: () => lags().get(destination) ?? 0 };
    });
  });
  const rowsOf = (spans: readonly Span[]): string => spans.map((span) => graph.rowOf(span)).join();
  return groupBy(found, ({ received }) => rowsOf(received)).flatMap((senders) => {
    const [{ received }] = senders;
    const ofAll = senders.flatMap(({ sent }) => sent).toSorted(byStart);
    const timed = remember(() =>
      pairByTimes(scene, ofAll, received, Math.max(...senders.map(({ lag }) => lag()))),
    );
    return senders.map(({ client, isExpected, sent }) => ({
      ...{ client, server, isExpected, mayBeOthers, sent, ofAll, received, timed },
    }));
  });
}

/**
 * Whether a span has the kind, name and destination of a span of whole messages. Some services receive a message in one span, without a
 * link, and process it in another: these are two kinds.
 */
export function prepareLikeness(
  { graph, facts }: Scene,
  whole: readonly CallGroup[],
): (row: number) => boolean {
  const destinationOf = facts.remember(readDestination);
  const likenessOf = (row: number): string =>
    keyFor(graph.store.kinds[row] ?? 0, facts.nameOf(row), destinationOf(row));
  const known = remember(() => new Set(whole.flatMap(({ servers }) => Array.from(servers, likenessOf))));
  return (row) => known().has(likenessOf(row));
}

/** Whether a span received a message of a destination of which no message is whole: one queue may be broken while another works. */
function prepareOtherDestinations({ facts }: Scene, whole: readonly CallGroup[]): (row: number) => boolean {
  const destinationOf = facts.remember(readDestination);
  const known = new Set(whole.flatMap(({ servers }) => Array.from(servers, destinationOf)));
  return (row) => {
    if (facts.protocolOf(row) !== 'messaging') return false;
    const destination = destinationOf(row);
    return destination !== null && !known.has(destination);
  };
}

/** The messages of the sender that no span of the receiver continues. A service that makes PRODUCER spans also sends these in CLIENT spans. */
function listUnread(
  { graph, facts, services, selectSpans }: Scene,
  whole: Group<CallGroup>,
): readonly Span[] {
  const [{ client }] = whole;
  const read = new Set(whole.flatMap(({ clients }) => Array.from(clients)));
  const { kinds } = graph.store;
  const isSent = services.hasKind(client, 'PRODUCER')
    ? (row: number) => kinds[row] === kindNumber.producer
    : (row: number) => facts.protocolOf(row) === 'messaging' && isSend(facts.at(row));
  return selectSpans(client, (row) => isSent(row) && !read.has(row));
}

/** Destinations of messages that both the receiver and another service received. A queue gives each message to one service. */
function listSharedDestinations(
  { facts, groupsFrom }: Scene,
  whole: Group<CallGroup>,
): ReadonlySet<string | null> {
  const [{ client, server }] = whole;
  const others = groupsFrom(client).filter((group) => group.server !== server);
  const ofOthers = new Set(others.flatMap(({ clients }) => Array.from(clients)));
  const both = whole.flatMap(({ clients }) => Array.from(clients)).filter((row) => ofOthers.has(row));
  return new Set(both.map(facts.remember(readDestination)));
}

/** By destination: the longest time from a whole message to its receiver. */
function findLongestLags(
  { graph, facts }: Scene,
  whole: Group<CallGroup>,
): ReadonlyMap<string | null, number> {
  const destinationOf = facts.remember(readDestination);
  const longest = new Map<string | null, number>();
  for (const { clients, servers } of whole)
    for (const [at, row] of servers.entries()) {
      const lag = (graph.starts[row] ?? 0) - (graph.starts[clients[at] ?? row] ?? 0);
      const destination = destinationOf(row);
      longest.set(destination, Math.max(lag, longest.get(destination) ?? 0));
    }
  return longest;
}

function pairByTimes(
  { thresholds, capture }: Scene,
  sent: readonly Span[],
  received: readonly Span[],
  longest: number,
): Timed {
  const openFor = BigInt(Math.ceil(longest * thresholds.messageLag));
  const messages = new Map(
    sent.map((span) => [atTime(span, span.startTimeUnixNano, span.startTimeUnixNano + openFor), span]),
  );
  const waiting = [...messages.keys()];
  const pair = (moved: readonly Span[]): readonly Pair[] =>
    pairSpans(waiting, moved, mayHaveOneKey, thresholds);
  const pairs = pair(received);
  const paired = new Set(pairs.map(({ client }) => client));
  // With few pairs the permutation test is weak: the messages must also wait for a small part of the capture.
  const waitingShare = (waiting.length * Number(openFor)) / Number(capture.to - capture.from);
  const isImprobable =
    pairs.length >= thresholds.fewestSteady || waitingShare ** pairs.length <= thresholds.separatedByChance;
  const isSure =
    isImprobable &&
    !mayTimersKeepStep(pairs.map(({ client }) => client)) &&
    isMoreThanChance(received, pairs.length, (moved) => pair(moved).length, thresholds);
  return {
    due: waiting
      .filter((span) => paired.has(span) || span.endTimeUnixNano <= capture.to)
      .map((span) => messages.get(span) ?? span),
    pairs: isSure
      ? pairs.map(({ client, ...one }) => ({ ...one, client: messages.get(client) ?? client }))
      : [],
  };
}
