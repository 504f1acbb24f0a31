import { compareRequests, pairSpans, startsDuring, startsDuringAny } from '../pairing/pair.ts';
import { groupBy, keyFor, mapBy } from '../util/group-by.ts';
import { type Check, isExpectedCaller, protocolOf } from './check.ts';
import { defineFinding } from './define-finding.ts';

export const finding = defineFinding('parent-dropped', {
  kind: 'cause',
  isConclusive: true,
  shows: "B's SERVER span is a second root of A's trace, and A's CLIENT has no child",
  title: 'The called service drops the parent id',
  why: 'The SERVER span has the trace id of the header and no parent: a second root of the same trace.',
  fix: 'Let the called service take the parent id of the header as well; look for an extractor that reads the trace id alone.',
});

/**
 * The called service took the trace id of the header and not its parent id: its SERVER span is a second root of the trace,
 * while the CLIENT span of the call has no child. Equal trace ids prove that the header arrived.
 */
export const findDroppedParents: Check = (scene, open) => {
  const { graph, thresholds } = scene;
  const { traces } = graph.index;
  const clientsOf = mapBy(open.clients, (span) => traces[graph.rowOf(span)]);
  const known = new Map<string, (row: number) => boolean>();
  const mayBeCalled = (row: number): boolean => {
    const clients = clientsOf.get(traces[row]);
    if (clients === undefined) return false;
    const service = graph.serviceOf(row);
    const others = clients.filter((span) => span.serviceName !== service);
    if (others.length === 0) return false;
    const key = keyFor(traces[row] ?? null, service);
    const isDuring = known.get(key) ?? startsDuringAny(graph, others, thresholds);
    known.set(key, isDuring);
    return isDuring(row);
  };
  const pairs = pairSpans(
    open.clients,
    open.roots.select(mayBeCalled).filter((span) => span.kind === 'SERVER'),
    (client, server) =>
      client.traceId === server.traceId &&
      client.serviceName !== server.serviceName &&
      isExpectedCaller(scene, client.serviceName, server.serviceName) &&
      startsDuring(server, client, thresholds) &&
      compareRequests(client, server) !== 'no',
    thresholds,
  );
  return groupBy(pairs, ({ client, server }) => keyFor(client.serviceName, server.serviceName)).map(
    (group) => {
      const [first] = group;
      return finding.report({
        client: first.client.serviceName,
        server: first.server.serviceName,
        protocol: protocolOf(first.client),
        shown: group.map(({ client, server }) => ({
          client,
          server,
          says: `SERVER ${server.spanId} is a second root of the trace of CLIENT ${client.spanId}`,
        })),
      });
    },
  );
};
