import { type Call, selectCalls } from '../calls/call-group.ts';
import { readDestination, readMessageId } from '../calls/messaging-facts.ts';
import { mayBeOfOneBroker } from '../calls/messaging-system.ts';
import { none, type TraceGraph } from '../graph/trace-graph.ts';
import { groupPairs, type PairSides } from '../pairing/pair-spans.ts';
import { kindNumber, type Span } from '../span/span.ts';
import { type Group, groupBy, keyFor, mapBy } from '../util/group-by.ts';
import { edgeOf } from './draft.ts';
import { gate, rule } from './rule.ts';
import { finding } from './wrong-parent.ts';

/** A message whose parent or link is a span around its PRODUCER span. */
interface Misled extends PairSides {
  /** The span that is its parent or link. */
  readonly named: Span;
}

/**
 * Messages whose parent or link is a span of the sender around the PRODUCER span, which has no child. A warning: a custom creation context
 * may be the context of any span, and few instrumentations then link the PRODUCER span to it. Source: semantic conventions, messaging
 * spans, "Producer spans".
 */
export const misledMessages = rule<Group<Misled>>({
  finding,
  measure: (scene, open) => {
    const { graph } = scene;
    const producers = open.clients.filter(({ kind }) => kind === 'PRODUCER');
    if (producers.length === 0) return [];
    const groups = scene.groups.filter(
      ({ clientKind, serverKind }) =>
        serverKind === 'CONSUMER' && clientKind !== 'PRODUCER' && clientKind !== 'CLIENT',
    );
    const calls = selectCalls(graph, groups, (_, server) => !namesProducer(graph, server));
    if (calls.length === 0) return [];
    const findNamed = findAbove(graph, new Set(calls.map(({ client }) => graph.rowOf(client))));
    const sent = mapBy(producers, (span) => keyFor(findNamed(graph.rowOf(span)), readDestination(span)));
    const misled = groupBy(calls, ({ client, server }) =>
      keyFor(graph.rowOf(client), readDestination(server), server.serviceName),
    ).flatMap((ofSpan) => {
      const [{ client, server }] = ofSpan;
      return pairMessages(ofSpan, sent.get(keyFor(graph.rowOf(client), readDestination(server))) ?? []);
    });
    return groupPairs(misled);
  },
  gates: [
    gate(
      'each was sent before it was received',
      (misled) => misled.every(({ client, server }) => client.startTimeUnixNano <= server.startTimeUnixNano),
      (misled) => `not all of ${misled.length}`,
    ),
  ],
  looseEnds: (misled) => misled.map(({ client }) => client),
  report: (misled) =>
    finding.report({
      severity: 'warning',
      isLikely: !misled.every(({ client, server }) => areOfOneMessage(client, server)),
      ...edgeOf(misled[0]),
      shown: misled.map(({ client, server, named }) => ({
        client,
        server,
        says: `CONSUMER ${server.spanId} names ${named.kind} "${named.name}" instead of PRODUCER ${client.spanId}`,
      })),
    }),
});

/** A message may have links to its PRODUCER span and to another span. */
function namesProducer(graph: TraceGraph, row: number): boolean {
  const { kinds } = graph.store;
  return [graph.parents[row] ?? none, ...graph.linkTargetsOf(row)].some(
    (named) => kinds[named] === kindNumber.producer,
  );
}

/** Finds the nearest wanted span above a span in its service. Each row is visited once. */
function findAbove(graph: TraceGraph, wanted: ReadonlySet<number>): (row: number) => number {
  const known = new Map<number, number>();
  return (row) => {
    const passed: number[] = [];
    let at = row;
    while (!known.has(at)) {
      passed.push(at);
      const above = graph.upwards[at] ?? none;
      const isOutside = above === none || graph.serviceNumberOf(above) !== graph.serviceNumberOf(row);
      if (isOutside || wanted.has(above)) known.set(at, isOutside ? none : above);
      else at = above;
    }
    const found = known.get(at) ?? none;
    for (const one of passed) known.set(one, found);
    return found;
  };
}

/** Pairs the messages from one destination that name one span with PRODUCER spans below that span: by message id, or in order. */
function pairMessages(calls: Group<Call>, producers: readonly Span[]): readonly Misled[] {
  const [{ client: named, server: first }] = calls;
  if (readDestination(first) === null) return [];
  const sent = producers.filter((producer) => mayBeOfOneBroker(producer, first));
  const haveIds = [...sent, ...calls.map(({ server }) => server)].every(
    (span) => readMessageId(span) !== null,
  );
  const byId = mapBy(haveIds ? sent : [], readMessageId);
  return calls.flatMap(({ server }, at) => {
    const client = haveIds ? byId.get(readMessageId(server))?.[0] : sent[at];
    return client === undefined ? [] : [{ client, server, named }];
  });
}

function areOfOneMessage(client: Span, server: Span): boolean {
  const id = readMessageId(client);
  return id !== null && id === readMessageId(server);
}
