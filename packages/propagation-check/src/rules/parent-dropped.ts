import { isBelow, none } from '../graph/trace-graph.ts';
import { compareRequests, isAddressedTo } from '../pairing/compare-requests.ts';
import { groupPairs, type Pair, pairSpans } from '../pairing/pair-spans.ts';
import { startsDuring } from '../pairing/times.ts';
import type { Span } from '../span/span.ts';
import { type Group, mapBy } from '../util/group-by.ts';
import { defineFinding } from './define-finding.ts';
import { edgeOf } from './draft.ts';
import { isExpectedCaller } from './expected-calls.ts';
import { rule } from './rule.ts';
import type { Open, Scene } from './scene.ts';

export const finding = defineFinding('parent-dropped', {
  kind: 'cause',
  isConclusive: true,
  shows: "B's SERVER span is a second root of A's trace, and A's CLIENT has no child",
  title: 'The called service drops the parent id',
  why: 'The SERVER span has the trace id of the header and no parent: a second root of the same trace.',
  fix: 'Let the called service also take the parent id from the header; look for an extractor that reads only the trace id.',
});

/**
 * The called service took the trace id of the header but not its parent id: its SERVER span is a second root of the trace, and the CLIENT
 * span of the call has no child. Equal trace ids prove that a header arrived; the request itself (method, path, address) shows from which
 * call.
 */
export const droppedParents = rule<Group<Pair>>({
  finding,
  measure: (scene, open) => {
    if (open.clients.length === 0) return [];
    const { graph, thresholds } = scene;
    const traceOf = (span: Span): number => graph.index.traces[graph.rowOf(span)] ?? none;
    const serversOf = mapBy(listSecondRoots(scene, open), traceOf);
    if (serversOf.size === 0) return [];
    const clientsOf = mapBy(open.clients, traceOf);
    const pairs = [...serversOf].flatMap(([trace, servers]) =>
      pairSpans(
        clientsOf.get(trace) ?? [],
        servers,
        (client, server) => mayHaveCalled(scene, client, server),
        thresholds,
      ),
    );
    return groupPairs(pairs);
  },
  report: (pairs) =>
    finding.report({
      isLikely: pairs.some(({ client, server }) => compareRequests(client, server) !== 'yes'),
      ...edgeOf(pairs[0]),
      shown: pairs.map(({ client, server }) => ({
        client,
        server,
        says: `SERVER ${server.spanId} is a second root of the trace of CLIENT ${client.spanId}`,
      })),
    }),
});

/** SERVER roots that began after the first call without a child in their trace. */
function listSecondRoots({ graph, thresholds }: Scene, { clients, roots }: Open): readonly Span[] {
  const { traces } = graph.index;
  const firstCalls = new Float64Array(graph.traceCount).fill(Number.POSITIVE_INFINITY);
  for (const row of clients.map((client) => graph.rowOf(client)).toReversed()) {
    firstCalls[traces[row] ?? none] = (graph.starts[row] ?? 0) - Number(thresholds.rounding);
  }
  return roots
    .select((row) => (graph.starts[row] ?? 0) >= (firstCalls[traces[row] ?? none] ?? 0))
    .filter(({ kind }) => kind === 'SERVER');
}

function mayHaveCalled(scene: Scene, client: Span, server: Span): boolean {
  return (
    client.serviceName !== server.serviceName &&
    isExpectedCaller(scene, client.serviceName, server.serviceName) &&
    startsDuring(server, client, scene.thresholds) &&
    isLikeRequest(client, server) &&
    // A request that ended before the calls below it looks like one of them.
    !isBelow(scene.graph, client, server)
  );
}

function isLikeRequest(client: Span, server: Span): boolean {
  const likeness = compareRequests(client, server);
  return likeness === 'yes' || (likeness === 'unknown' && isAddressedTo(client, server));
}
