import { readCallFacts } from '../calls/call-facts.ts';
import type { Call } from '../calls/call-group.ts';
import { isHealthProbe } from '../calls/probes.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { groupPairs, type Pair, pairSpans } from '../pairing/pair-spans.ts';
import { startsDuring } from '../pairing/times.ts';
import { atTime } from '../span/row-span.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { edgeOf } from './draft.ts';
import { type Gate, gate, rule } from './rule.ts';
import type { Open, Scene } from './scene.ts';
import { moveToFront, splitCauses } from './split-causes.ts';
import { listNamed, finding as splitTrace } from './split-trace.ts';

/** Redirected calls of one edge, and requests that began traces after the redirect. */
interface RedirectedCalls {
  readonly calls: Group<Call>;
  readonly pairs: Group<Pair>;
  readonly isBeyondChance: () => boolean;
  /** The pairs that ids in headers prove. */
  readonly named: ReadonlySet<Pair>;
}

/** Conditions on all pairs together, as a single pair may be a coincidence. */
const countGates: readonly Gate<RedirectedCalls>[] = [
  gate(
    'nearly every redirected call has a request that began a trace after the redirect, several times',
    ({ calls, pairs }, { thresholds }) =>
      pairs.length >= Math.max(thresholds.fewestDisplaced, calls.length * thresholds.displacedShare),
    ({ calls, pairs }) => `${pairs.length} of ${countOf(calls.length, 'call')}`,
  ),
  gate(
    'fewer would have one by chance',
    ({ isBeyondChance }) => isBeyondChance(),
    ({ pairs }) => `at other times of the capture about as many as ${pairs.length}`,
  ),
];

/**
 * A CLIENT span covers a redirect and the request that follows it. The called service answered with a redirect, the caller saw another
 * answer, and a request began a trace in between: many libraries omit headers when they follow a redirect, most of them to other hosts.
 * Pairs that ids in headers prove are judged one by one.
 */
export const splitRedirects = rule<RedirectedCalls>({
  finding: splitTrace,
  measure: (scene, open) => {
    const redirected = scene.shared.redirectedCalls;
    if (redirected.length === 0) return [];
    const roots = open.roots
      .select((row) => scene.facts.protocolOf(row) === 'http')
      .filter((root) => !isHealthProbe(root));
    const named = new Set(listNamedRest(scene, open, redirected));
    const taken = new Set(Array.from(named, ({ client, server }) => [client, server]).flat());
    const free = roots.filter((root) => !taken.has(root));
    return groupPairs(redirected).flatMap((calls) => {
      const clients = new Set(calls.map(({ client }) => client));
      const pairs = [
        ...[...named].filter(({ client }) => clients.has(client)),
        ...pairWithRest(
          scene,
          calls.filter(({ client }) => !taken.has(client)),
          free,
        ),
      ];
      return groupBy(pairs, ({ server }) => keyFor(server.serviceName)).flatMap((ofServer) => {
        const measure = (some: Group<Pair>): RedirectedCalls => ({
          calls,
          pairs: some,
          named,
          isBeyondChance: remember(() =>
            isMoreThanChance(
              roots,
              some.length,
              (moved) => pairWithRest(scene, calls, moved).length,
              scene.thresholds,
            ),
          ),
        });
        const all = measure(ofServer);
        const split = groupBy(ofServer, (pair) => keyFor(String(named.has(pair))));
        const isOne = split.length === 1 || countGates.every(({ isOpen }) => isOpen(all, scene));
        return isOne ? [all] : split.map(measure);
      });
    });
  },
  gates: countGates.map((one) => ({
    ...one,
    isOpen: (edge: RedirectedCalls, scene: Scene) =>
      edge.pairs.every((pair) => edge.named.has(pair)) || one.isOpen(edge, scene),
  })),
  looseEnds: ({ pairs }) => pairs.map(({ server }) => server),
  report: ({ pairs, named }) =>
    splitTrace.report({
      ...edgeOf(pairs[0]),
      candidates: moveToFront(splitCauses, 'header-not-sent'),
      shown: pairs.map((pair) => ({
        client: pair.client,
        server: pair.server,
        says: named.has(pair)
          ? `CLIENT ${pair.client.spanId} was redirected and then answered by SERVER ${pair.server.spanId} of trace ${pair.server.traceId}`
          : `CLIENT ${pair.client.spanId} was redirected and saw another answer (${readCallFacts(pair.client).statusCode}); SERVER ${pair.server.spanId} began trace ${pair.server.traceId} after the redirect`,
      })),
    }),
});

/** The redirected calls with the request that followed, if ids in headers prove the pair. */
function listNamedRest(scene: Scene, open: Open, redirected: readonly Call[]): readonly Pair[] {
  const endOf = new Map(redirected.map(({ client, server }) => [client, server.endTimeUnixNano]));
  return listNamed(scene, open, [...endOf.keys()]).filter(({ client, server }) => {
    const end = endOf.get(client);
    return end !== undefined && server.startTimeUnixNano >= end - scene.thresholds.rounding;
  });
}

/** Pairs the part of each call after its redirect with a request that began meanwhile. */
function pairWithRest(
  { thresholds }: Scene,
  calls: readonly Call[],
  roots: readonly Span[],
): readonly Pair[] {
  return pairSpans(
    calls.map(({ client, server }) => atTime(client, server.endTimeUnixNano, client.endTimeUnixNano)),
    roots,
    (rest, root) => startsDuring(root, rest, thresholds),
    thresholds,
  );
}
