import { type Call, selectCalls } from '../calls/call-group.ts';
import { readMessageId } from '../calls/messaging-facts.ts';
import { nameTarget } from '../calls/target.ts';
import { compareRequests, isAddressedTo, isSamePath } from '../pairing/compare-requests.ts';
import { groupPairs, type Pair, type PairSides, pairSpans } from '../pairing/pair-spans.ts';
import { endsWithin } from '../pairing/times.ts';
import type { Span } from '../span/span.ts';
import { type Group, groupBy, keyFor, mapBy } from '../util/group-by.ts';
import { edgeOf } from './draft.ts';
import { gate, rule } from './rule.ts';
import type { Scene } from './scene.ts';
import { finding } from './wrong-parent.ts';

/**
 * Concurrent calls share one set of headers, or a worker keeps the context of the previous message. One call then has two children: the one
 * of its own request or message, and one that contradicts it. The second fits another call to the same target, which has no child. A case
 * holds the SERVER and CONSUMER spans of one edge, each with the call that it fits.
 */
export const crossedCalls = rule<Group<PairSides>>({
  finding,
  measure: (scene, open) => {
    if (!scene.groups.some(({ extremes }) => extremes.isRepeated)) return [];
    const clientsOf = mapBy(open.clients, (span) => span.serviceName);
    const groups = scene.groups.filter(({ client }) => clientsOf.has(client));
    const repeated = scene.shared.repeatedClients();
    const strangers = groupBy(
      selectCalls(scene.graph, groups, (client) => repeated.has(client)),
      ({ client }) => keyFor(client.traceId, client.spanId),
    ).flatMap(listStrangers);
    const parentOf = new Map(strangers.map(({ client, server }) => [server, client]));
    const pairs = [...mapBy(strangers, ({ client }) => client.serviceName)].flatMap(
      ([service, ofService]) => {
        const clients = clientsOf.get(service) ?? [];
        const servers = ofService.map(({ server }) => server);
        return [
          ...pairRequests(scene, clients, servers, parentOf),
          ...pairMessages(clients, servers, parentOf),
        ];
      },
    );
    return groupPairs(pairs);
  },
  gates: [
    gate(
      'there are several',
      (pairs, { thresholds }) => pairs.length >= thresholds.fewestMisled,
      (pairs) => String(pairs.length),
    ),
  ],
  looseEnds: (pairs) => pairs.map(({ client }) => client),
  report: (pairs) =>
    finding.report({
      isLikely: true,
      ...edgeOf(pairs[0]),
      shown: pairs.map(({ client, server }) => ({
        client,
        server,
        says: `parent is ${client.kind} ${server.parentSpanId}, which is of another request or message; ${client.kind} ${client.spanId} fits it and has no child`,
      })),
    }),
});

/** Lists the SERVER and CONSUMER spans that contradict their CLIENT or PRODUCER span, if that span also has a child that fits. */
function listStrangers(calls: Group<Call>): readonly Call[] {
  const own = calls.find(
    ({ client, server }) => areOfOneMessage(client, server) ?? compareRequests(client, server) === 'yes',
  );
  if (own === undefined) return [];
  return calls.filter(({ client, server }) => {
    const isMessage = areOfOneMessage(client, server);
    return isMessage === null
      ? compareRequests(client, server) === 'no' && !isSamePath(own.server, server)
      : !isMessage;
  });
}

/** Null if one of them has no message id. */
function areOfOneMessage(client: Span, server: Span): boolean | null {
  const [sent, received] = [readMessageId(client), readMessageId(server)];
  return sent === null || received === null ? null : sent === received;
}

type ParentOf = ReadonlyMap<Span, Span>;

function pairRequests(
  { thresholds }: Scene,
  clients: readonly Span[],
  servers: readonly Span[],
  parentOf: ParentOf,
): readonly Pair[] {
  const fits = (client: Span, server: Span): boolean => {
    const parent = parentOf.get(server);
    return (
      parent?.traceId === client.traceId &&
      nameTarget(parent) === nameTarget(client) &&
      compareRequests(client, server) === 'yes' &&
      isAddressedTo(client, server) &&
      endsWithin(server, client, thresholds)
    );
  };
  return pairSpans(
    clients.filter(({ kind }) => kind === 'CLIENT'),
    servers,
    fits,
    thresholds,
  ).filter(({ unique }) => unique);
}

function pairMessages(
  clients: readonly Span[],
  servers: readonly Span[],
  parentOf: ParentOf,
): readonly PairSides[] {
  const sent = mapBy(clients, (client) => keyFor(nameTarget(client), readMessageId(client)));
  return servers.flatMap((server): readonly PairSides[] => {
    const parent = parentOf.get(server);
    const id = readMessageId(server);
    if (parent === undefined || id === null) return [];
    // An id that several PRODUCER spans have is ambiguous.
    const [client, another] = sent.get(keyFor(nameTarget(parent), id)) ?? [];
    return client === undefined || another !== undefined ? [] : [{ client, server }];
  });
}
