import type { FactSource } from '../calls/fact-source.ts';
import { readConversationId, readDestination, readMessageId } from '../calls/messaging-facts.ts';
import { mayBeOfOneBroker } from '../calls/messaging-system.ts';
import type { PairSides } from '../pairing/pair-spans.ts';
import type { Span } from '../span/span.ts';
import { type Group, groupBy, keyFor, mapBy } from '../util/group-by.ts';
import { gate, rule } from './rule.ts';
import type { Open, Scene } from './scene.ts';
import { messageCauses } from './split-message.ts';
import { isOfBroker } from './split-message-id.ts';
import { finding as splitTrace } from './split-trace.ts';

/**
 * Requests over a broker and their replies, with one correlation id and no message ids, where the request or the reply was received in a
 * trace of its own. A correlation id alone proves nothing: several messages of a workflow may have it, on one exchange and from services
 * without spans.
 */
export const splitConversations = rule<Group<PairSides>>({
  finding: splitTrace,
  measure: (scene, open) =>
    groupBy(listSplit(scene, open), ({ client, server }) => keyFor(client.serviceName, server.serviceName)),
  gates: [
    gate(
      'each was sent before it was received',
      (messages) =>
        messages.every(({ client, server }) => client.startTimeUnixNano <= server.startTimeUnixNano),
      (messages) => `not all of ${messages.length}`,
    ),
  ],
  looseEnds: (messages) => messages.flatMap(({ client, server }) => [client, server]),
  report: (messages) =>
    splitTrace.report({
      client: messages[0].client.serviceName,
      server: messages[0].server.serviceName,
      protocol: 'messaging',
      candidates: messageCauses,
      shown: messages.map(({ client, server }) => ({
        client,
        server,
        says: `${server.kind} ${server.spanId} of trace ${server.traceId} received the message of PRODUCER ${client.spanId}, by its correlation id, and has it neither as parent nor as link`,
      })),
    }),
});

function listSplit(scene: Scene, open: Open): readonly PairSides[] {
  const { facts, graph } = scene;
  if (!facts.maySome((call) => readConversationId(call) !== null)) return [];
  const isOfConversation = (row: number): boolean => readConversation(facts.at(row)) !== null;
  const began = new Set(open.roots.select(isOfConversation).map((span) => graph.rowOf(span)));
  if (began.size === 0) return [];
  return groupBy(graph.select(isOfConversation), (span) => keyFor(readConversation(span)))
    .flatMap((spans) => selectAnswered(spans))
    .filter(({ server }) => began.has(graph.rowOf(server)));
}

/** The request and its reply, each the only message on its destination. */
function selectAnswered(spans: readonly Span[]): readonly PairSides[] {
  const messages = [...mapBy(spans, readDestination).values()].flatMap(([one, other, ...more]) => {
    if (other === undefined || more.length > 0 || !mayBeOfOneBroker(one, other)) return [];
    const [client, server] = one.kind === 'PRODUCER' ? [one, other] : [other, one];
    return client.kind === 'PRODUCER' ? [{ client, server }] : [];
  });
  const [request, reply, ...others] = messages;
  if (request === undefined || reply === undefined || others.length > 0) return [];
  const [caller, called] = [request.client.serviceName, request.server.serviceName];
  const isAnswered =
    caller !== called && reply.client.serviceName === called && reply.server.serviceName === caller;
  return isAnswered ? messages : [];
}

/** The correlation id of a message without a message id; null if the id need not be unique. */
function readConversation(call: FactSource): string | null {
  const id = readConversationId(call);
  return id !== null && isOfBroker(id) && readMessageId(call) === null ? id : null;
}
