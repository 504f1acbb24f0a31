import { isSend } from '../calls/broker-api.ts';
import { readCallFacts } from '../calls/call-facts.ts';
import { type CallGroup, viewCalls } from '../calls/call-group.ts';
import { readBatchSize } from '../calls/messaging-facts.ts';
import { isHealthProbe } from '../calls/probes.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import { none } from '../graph/trace-graph.ts';
import { kindNumber, type Span } from '../span/span.ts';
import { groupBy, keyFor, mapBy } from '../util/group-by.ts';
import { sumOf } from '../util/statistics.ts';
import { hasCall, listUnseenEdges } from './expected-calls.ts';
import type { FindingId } from './finding.ts';
import { gate, rule } from './rule.ts';
import type { Open, Scene } from './scene.ts';
import { moveToFront } from './split-causes.ts';
import { finding as splitTrace } from './split-trace.ts';

/** Messages of an expected edge that nobody received, and messages of its callee that nobody sent. */
interface LostMessages {
  readonly edge: ExpectedEdge;
  /** Whether the edge has whole messages; then these are of one destination. */
  readonly isWhole: boolean;
  /** Whether they were received from destinations to which the sender sends nothing. */
  readonly isRenamed: boolean;
  readonly producers: readonly Span[];
  readonly consumers: readonly Span[];
}

/**
 * Messages: PRODUCER spans that no CONSUMER span has as parent or link, and CONSUMER spans that name none. Without ids, batches and
 * late delivery make pairs impossible, so only an expected edge counts: one without any whole message, or one on which as many are
 * lost on either side, each sent before the one that is received.
 */
export const splitMessages = rule<LostMessages>({
  finding: splitTrace,
  measure: (scene, open) => [...measureUnseen(scene, open), ...measureSeen(scene, open)],
  gates: [
    gate('messages are lost on either side', ({ producers }) => producers.length > 0, tellLost),
    gate(
      'no message of the edge is whole, or as many are lost on either side, and several',
      ({ isWhole, producers, consumers }, { thresholds }) =>
        !isWhole ||
        (producers.length >= thresholds.fewestLostMessages && countMessages(consumers) === producers.length),
      tellLost,
    ),
    gate(
      'no message of the edge is whole, or each was sent before one was received',
      ({ isWhole, producers, consumers }) => !isWhole || areInOrder(producers, listMessages(consumers)),
      tellLost,
    ),
  ],
  looseEnds: ({ producers, consumers }) => [...producers, ...consumers],
  report: (lost, scene) => {
    const { edge, producers, consumers } = lost;
    return splitTrace.report({
      client: edge.client,
      server: edge.server,
      protocol: 'messaging',
      candidates: listCauses(scene, lost),
      shown: producers.map((client) => ({
        client,
        server: null,
        says: `no CONSUMER span of ${edge.server} has ${client.kind} ${client.spanId} as parent or link`,
      })),
      explains: consumers,
    });
  },
});

function listCauses(scene: Scene, { isRenamed, producers, consumers }: LostMessages): readonly FindingId[] {
  // What the caller sends to that destination may have no spans.
  if (isRenamed) return [...messageCauses, 'client-not-instrumented'];
  // Functions read the context of their platform alone unless they are told to look into the message.
  return consumers.every(({ kind }) => kind === 'SERVER') && !producers.every((span) => handsOn(scene, span))
    ? moveToFront(messageCauses, 'header-ignored')
    : messageCauses;
}

function tellLost({ producers, consumers }: LostMessages): string {
  return `${producers.length} sent and not received, ${countMessages(consumers)} received and not sent`;
}

/** Edges without any whole call. */
function measureUnseen(scene: Scene, open: Open): readonly LostMessages[] {
  return listUnseenEdges(scene, open).flatMap((edge) => {
    // A platform that hands a function its message may write a parent of its own.
    const functions = open.orphans.filter((span) => span.kind === 'SERVER');
    const inBatches = scene
      .entriesOf(edge.server)
      .filter((span) => isOfUnlinkedBatch(scene, scene.graph.rowOf(span)));
    const consumers = [...open.roots.of(edge.server), ...functions, ...inBatches].filter(
      (span) => isMessage(span) && span.serviceName === edge.server,
    );
    if (consumers.length === 0) return [];
    const destinations = new Set(consumers.map((span) => readCallFacts(span).destination));
    // Others may have received the same messages as they should.
    const whole = scene.groupsFrom(edge.client);
    const sent = new Set([...open.clients, ...viewCalls(scene.graph, whole).map(({ client }) => client)]);
    const ofSender = [...sent].filter(
      (span) => (span.kind === 'PRODUCER' || handsOn(scene, span)) && span.serviceName === edge.client,
    );
    const producers = [...new Set([...ofSender, ...listSends(scene, edge.client)])];
    const alike = producers.filter((span) => {
      const { destination } = readCallFacts(span);
      return destination === null || destinations.has(null) || destinations.has(destination);
    });
    // A broker or a stream processor hands messages on from a topic to a queue or topic of another name.
    const isRenamed =
      alike.length === 0 &&
      consumers.length >= scene.thresholds.fewestLostMessages &&
      open.roots.of(edge.server).every((span) => isMessage(span) || isHealthProbe(span));
    return [{ edge, isWhole: false, isRenamed, producers: isRenamed ? producers : alike, consumers }];
  });
}

/** Edges with whole messages, by destination. */
function measureSeen(scene: Scene, open: Open): readonly LostMessages[] {
  const seen = scene.expectation.edges.filter(
    (edge) => edge.rule === 'must' && hasCall(scene, edge.client, edge.server),
  );
  return seen.flatMap((edge) => {
    const groups = scene.groupsBetween(edge.client, edge.server).filter(isOfMessages);
    const whole = viewCalls(scene.graph, groups).filter(
      ({ client }) => client.kind === 'PRODUCER' || isSend(client),
    );
    const kinds = new Set(whole.map(({ server }) => nameKind(server)));
    const consumers = open.roots.of(edge.server).filter((span) => kinds.has(nameKind(span)));
    const unread = [
      ...open.clients.filter((span) => span.kind === 'PRODUCER' && span.serviceName === edge.client),
      ...(consumers.length > 0 ? listUnreadSends(scene, edge.client) : []),
    ];
    const sent = mapBy(unread, nameDestination);
    return groupBy(consumers, nameDestination).map((received) => ({
      edge,
      isWhole: true,
      isRenamed: false,
      producers: sent.get(nameDestination(received[0])) ?? [],
      consumers: received,
    }));
  });
}

function isOfMessages({ clientKind, protocol }: CallGroup): boolean {
  return clientKind === 'PRODUCER' || (clientKind === 'CLIENT' && protocol === 'messaging');
}

/** The CLIENT spans that nobody continued, of a service that sends messages with the context of such spans. */
function listUnreadSends(scene: Scene, service: string): readonly Span[] {
  const groups = scene.groupsFrom(service).filter(({ clientKind }) => clientKind === 'CLIENT');
  const continued = new Set(groups.flatMap(({ clients }) => [...clients]));
  return listSends(scene, service).filter((span) => !continued.has(scene.graph.rowOf(span)));
}

/** Where a message enters a service. A function that a queue triggers has a SERVER span (semantic conventions, FaaS spans). */
export function isMessage(span: Span): boolean {
  return span.kind === 'CONSUMER' || readCallFacts(span).protocol === 'messaging';
}

/** Whether neither a message nor the batch that it came in, a span of its own above it, names a trace of the sender. */
export function isOfUnlinkedBatch({ graph, facts }: Scene, row: number): boolean {
  const { kinds } = graph.store;
  const batch =
    kinds[row] === kindNumber.consumer && !graph.mayBeLinked(row) ? (graph.parents[row] ?? none) : none;
  return (
    batch !== none &&
    kinds[batch] !== kindNumber.producer &&
    graph.isRoot(batch) &&
    !graph.mayBeLinked(batch) &&
    graph.serviceNumberOf(batch) === graph.serviceNumberOf(row) &&
    facts.protocolOf(batch) === 'messaging'
  );
}

/**
 * Whether a CLIENT span is of an API that takes messages or work to hand on: instrumentations make no PRODUCER span of most of these calls, and
 * write no context into what is handed on.
 */
export function handsOn({ graph }: Scene, span: Span): boolean {
  if (span.kind !== 'CLIENT') return false;
  const parent = graph.parents[graph.rowOf(span)] ?? none;
  // The request of the API is a span of its own.
  return isSend(span) || (parent !== none && isSend(graph.view(parent)));
}

/**
 * The CLIENT spans in which a service sends messages, where it makes no PRODUCER span: beside these they tell of the same messages. Source: semantic
 * conventions, messaging spans, "Span kind".
 */
export function listSends({ services, selectSpans, facts }: Scene, service: string): readonly Span[] {
  if (services.hasKind(service, 'PRODUCER')) return [];
  return selectSpans(service, (row) => facts.protocolOf(row) === 'messaging' && isSend(facts.at(row)));
}

/** Some services receive a message first, in a span without a link, and process it then: each is a kind of its own. */
export function nameKind(span: Span): string {
  return keyFor(span.kind, span.name, nameDestination(span));
}

function nameDestination(span: Span): string {
  return keyFor(readCallFacts(span).destination);
}

/** How many messages some spans received. */
export function countMessages(consumers: readonly Span[]): number {
  return sumOf(consumers.map(readBatchSize));
}

/** Each span as often as it received a message. Count them before: a span may tell any number. */
export function listMessages(consumers: readonly Span[]): readonly Span[] {
  return consumers.flatMap((span) => Array.from({ length: readBatchSize(span) }, () => span));
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
