import { readCallFacts } from '../calls/call-facts.ts';
import { isLoopback } from '../calls/inside.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { compareRequests } from '../pairing/compare-requests.ts';
import { type Pair, pairSpans } from '../pairing/pair-spans.ts';
import { endsWithin, startsDuringAny } from '../pairing/times.ts';
import type { Span } from '../span/span.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import { edgeOf } from './draft.ts';
import type { FindingId } from './finding.ts';
import { listSharedCalls, type SharedCalls } from './list-shared-calls.ts';
import { gate, rule } from './rule.ts';
import type { Open, Scene } from './scene.ts';
import { moveToFront, splitCauses } from './split-causes.ts';
import { finding as splitTrace } from './split-trace.ts';

/** Calls of one service that each enclose a call of another service to the same URL, which began a trace. */
interface SidecarCalls extends SharedCalls {
  readonly pairs: Group<Pair>;
  /** The outer calls have a SERVER span: the header passed through the sidecar. */
  readonly isWhole: boolean;
  /** The number of requests that began traces during the calls and may be their other side. */
  readonly roots: number;
}

/** The causes if the header passed through a sidecar that did not continue it. */
const causesBeside: readonly FindingId[] = ['format-mismatch', 'header-ignored'];

/**
 * An outbound sidecar has a CLIENT span for a request of its service, and that span began a trace: the sidecar reads no format that the
 * service writes, for example in a mesh that uses B3. Two services that call one URL at the same time look the same, but then the called
 * service has a SERVER span for each of these calls.
 */
export const splitSidecars = rule<SidecarCalls>({
  finding: splitTrace,
  measure: (scene, open) => {
    const { inner, outer } = listSharedCalls(scene);
    if (inner.length === 0) return [];
    return groupBy(pairCalls(scene, outer, inner), ({ client, server }) =>
      keyFor(client.serviceName, server.serviceName, String(isWhole(scene, client))),
    ).map((pairs) => {
      const [{ client, server }] = pairs;
      const ofService = (some: readonly Span[], { serviceName }: Span): readonly Span[] =>
        some.filter((span) => span.serviceName === serviceName);
      return {
        ...{ pairs, isWhole: isWhole(scene, client) },
        outer: ofService(outer, client),
        inner: ofService(inner, server),
        roots: countRoots(scene, open, pairs),
      };
    });
  },
  gates: [
    gate(
      'nearly every call that began a trace lies within a call to the same URL, several times',
      ({ inner, pairs }, { thresholds }) =>
        pairs.length >= Math.max(thresholds.fewestDisplaced, inner.length * thresholds.everyCallShare),
      ({ inner, pairs }) => `${pairs.length} of ${inner.length}`,
    ),
    gate(
      'no request that began a trace explains the outer calls',
      ({ isWhole, roots }) => isWhole || roots === 0,
      ({ roots }) => String(roots),
    ),
    gate(
      'fewer would lie so by chance',
      ({ outer, inner, pairs }, scene) =>
        isMoreThanChance(
          inner,
          pairs.length,
          (moved) => pairCalls(scene, outer, moved).length,
          scene.thresholds,
        ),
      ({ pairs }) => `at other times of the capture about as many as ${pairs.length}`,
    ),
  ],
  looseEnds: ({ inner }) => inner,
  report: ({ pairs, isWhole }) =>
    splitTrace.report({
      severity: isWhole ? 'warning' : 'error',
      ...edgeOf(pairs[0]),
      candidates: isWhole ? causesBeside : moveToFront(splitCauses, 'format-mismatch'),
      shown: pairs.map(({ client, server }) => ({
        client,
        server,
        says: `CLIENT ${client.spanId} encloses CLIENT ${server.spanId} of trace ${server.traceId}, which is of the same request`,
      })),
    }),
});

function pairCalls(scene: Scene, outer: readonly Span[], inner: readonly Span[]): readonly Pair[] {
  const { graph, thresholds } = scene;
  const calledBy = findCalled(scene, [...outer, ...inner]);
  const isWithin = (one: Span, other: Span): boolean => {
    const beyond = calledBy.get(graph.rowOf(other)) ?? null;
    return (
      one.serviceName !== other.serviceName &&
      isSameUrl(one, other) &&
      endsWithin(other, one, thresholds) &&
      // Left out: a called service that calls its own URL, and two callers of one service.
      calledBy.get(graph.rowOf(one)) !== other.serviceName &&
      scene.groupsBetween(one.serviceName, beyond).length === 0
    );
  };
  return pairSpans(outer, inner, isWithin, thresholds);
}

/** The service that each call reaches, by row. */
function findCalled({ graph, groups }: Scene, calls: readonly Span[]): ReadonlyMap<number, string | null> {
  const meant = new Set(calls.map((call) => graph.rowOf(call)));
  const called = new Map<number, string | null>();
  for (const { clients, server } of groups) {
    for (const row of clients) if (meant.has(row)) called.set(row, server);
  }
  return called;
}

function countRoots(scene: Scene, open: Open, pairs: readonly Pair[]): number {
  const calls = pairs.map(({ client }) => client);
  const during = open.roots.select(startsDuringAny(scene.graph, calls, scene.thresholds));
  const isTheirs = (call: Span, root: Span): boolean => compareRequests(call, root) === 'yes';
  return pairSpans(calls, during, isTheirs, scene.thresholds).length;
}

function isSameUrl(one: Span, other: Span): boolean {
  const [outer, inner] = [readCallFacts(one), readCallFacts(other)];
  const compared = ['protocol', 'method', 'host', 'port', 'path', 'rpcMethod'] as const;
  const hasUrl = outer.host !== null && !isLoopback(outer.host) && (outer.path ?? outer.rpcMethod) !== null;
  return hasUrl && compared.every((each) => outer[each] === inner[each]);
}

function isWhole({ graph }: Scene, client: Span): boolean {
  return graph.hasChild(graph.rowOf(client));
}
