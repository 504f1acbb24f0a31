import { isSend } from '../calls/broker-api.ts';
import { readCallFacts } from '../calls/call-facts.ts';
import { viewCalls } from '../calls/call-group.ts';
import { readBatchSize } from '../calls/messaging-facts.ts';
import { isHealthProbe } from '../calls/probes.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import { none } from '../graph/trace-graph.ts';
import { kindNumber, type Span } from '../span/span.ts';
import { keyFor } from '../util/group-by.ts';
import { sumOf } from '../util/statistics.ts';
import { listUnseenEdges } from './expected-calls.ts';
import type { FindingId } from './finding.ts';
import { gate, rule } from './rule.ts';
import type { Open, Scene } from './scene.ts';
import { moveToFront } from './split-causes.ts';
import { finding as splitTrace } from './split-trace.ts';

/** Sent messages of an expected edge that no span received, and received messages of its callee that no span sent. */
interface LostMessages {
  readonly edge: ExpectedEdge;
  /** Whether they were received from destinations to which the sender sends nothing. */
  readonly isRenamed: boolean;
  readonly producers: readonly Span[];
  readonly consumers: readonly Span[];
}

/**
 * PRODUCER spans that no CONSUMER span has as parent or link, and CONSUMER spans without either, on expected edges without a whole message.
 * Without message ids, batches and late delivery make pairs impossible.
 */
export const splitMessages = rule<LostMessages>({
  finding: splitTrace,
  measure: measureUnseen,
  gates: [gate('messages are lost on either side', ({ producers }) => producers.length > 0, describeLost)],
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
  // The sender may send to that destination without spans.
  if (isRenamed) return [...messageCauses, 'client-not-instrumented'];
  // Functions read only the context of their platform, unless they are configured to read the message.
  return consumers.every(({ kind }) => kind === 'SERVER') && !producers.every((span) => handsOn(scene, span))
    ? moveToFront(messageCauses, 'header-ignored')
    : messageCauses;
}

function describeLost({ producers, consumers }: LostMessages): string {
  return `${producers.length} sent and not received, ${countMessages(consumers)} received and not sent`;
}

function measureUnseen(scene: Scene, open: Open): readonly LostMessages[] {
  return listUnseenEdges(scene, open).flatMap((edge) => {
    // A platform that invokes a function with a message may write a parent of its own.
    const functions = open.orphans.filter((span) => span.kind === 'SERVER');
    const inBatches = scene
      .entriesOf(edge.server)
      .filter((span) => isOfUnlinkedBatch(scene, scene.graph.rowOf(span)));
    const consumers = [...open.roots.of(edge.server), ...functions, ...inBatches].filter(
      (span) => isMessage(span) && span.serviceName === edge.server,
    );
    if (consumers.length === 0) return [];
    const destinations = new Set(consumers.map((span) => readCallFacts(span).destination));
    // Other services may have received the same messages.
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
    // A broker or a stream processor may forward messages from a topic to a queue or topic of another name.
    const isRenamed =
      alike.length === 0 &&
      consumers.length >= scene.thresholds.fewestLostMessages &&
      open.roots.of(edge.server).every((span) => isMessage(span) || isHealthProbe(span));
    return [{ edge, isRenamed, producers: isRenamed ? producers : alike, consumers }];
  });
}

/**
 * Whether a message enters a service with this span. A function that a queue triggers has a SERVER span (semantic conventions, FaaS spans).
 */
export function isMessage(span: Span): boolean {
  return span.kind === 'CONSUMER' || readCallFacts(span).protocol === 'messaging';
}

/** Whether the message has no link, and its parent is the span of its batch, a root without links. */
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
 * Whether a CLIENT span is a call to an API that takes messages or work to pass on. Instrumentations make no PRODUCER span for most such
 * calls, and write no context into the message.
 */
export function handsOn({ graph }: Scene, span: Span): boolean {
  if (span.kind !== 'CLIENT') return false;
  const parent = graph.parents[graph.rowOf(span)] ?? none;
  // The HTTP request to the API may be a span of its own.
  return isSend(span) || (parent !== none && isSend(graph.view(parent)));
}

/**
 * The CLIENT spans in which a service sends messages. None if it makes PRODUCER spans, which stand for the same messages. Source: semantic
 * conventions, messaging spans, "Span kind".
 */
export function listSends({ services, selectSpans, facts }: Scene, service: string): readonly Span[] {
  if (services.hasKind(service, 'PRODUCER')) return [];
  return selectSpans(service, (row) => facts.protocolOf(row) === 'messaging' && isSend(facts.at(row)));
}

/**
 * A key for the kind of a span. Some services receive a message in one span, without a link, and process it in another: these are two
 * kinds.
 */
export function nameKind(span: Span): string {
  return keyFor(span.kind, span.name, nameDestination(span));
}

function nameDestination(span: Span): string {
  return keyFor(readCallFacts(span).destination);
}

/** The number of messages that these spans received. */
export function countMessages(consumers: readonly Span[]): number {
  return sumOf(consumers.map(readBatchSize));
}

/** Repeats each span once for each message that it received. Call `countMessages` first: a span may claim any number. */
export function listMessages(consumers: readonly Span[]): readonly Span[] {
  return consumers.flatMap((span) => Array.from({ length: readBatchSize(span) }, () => span));
}

/** Whether each sent message can be a received one that came later. Both lists are by start. */
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
