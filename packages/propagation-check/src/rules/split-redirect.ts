import { isHealthProbe, readCallFacts, readStatusCode } from '../calls/call-facts.ts';
import { type Call, selectCalls } from '../calls/call-group.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { type Pair, pairSpans, startsDuring } from '../pairing/pair.ts';
import { atTime } from '../span/row-span.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import { protocolOf, type Scene } from './check.ts';
import { gate, rule } from './rule.ts';
import { moveToFront, splitCauses } from './split-causes.ts';
import { finding as splitTrace } from './split-trace.ts';

/** Calls of one service whose request was redirected, and requests that began traces after that. */
interface RedirectedCalls {
  readonly scene: Scene;
  readonly calls: Group<Call>;
  readonly roots: readonly Span[];
  readonly pairs: Group<Pair>;
}

/**
 * A CLIENT span covers a redirect and the request that follows it. The called service answered with a redirect, the caller saw another
 * answer, and a request began a trace in between: libraries leave headers out where they follow redirects, most of them to other hosts.
 */
export const splitRedirects = rule<RedirectedCalls>({
  finding: splitTrace,
  measure: (scene, open) => {
    const { graph, facts } = scene;
    if (!facts.maySome((row) => isRedirect(readStatusCode(row)))) return [];
    const redirected = selectCalls(
      graph,
      scene.groups,
      (client, server) => isRedirect(facts.statusCodeOf(server)) && isFollowed(facts.statusCodeOf(client)),
    );
    if (redirected.length === 0) return [];
    const roots = open.roots
      .select((row) => facts.protocolOf(row) === 'http')
      .filter((root) => !isHealthProbe(root));
    return groupBy(redirected, ({ client, server }) =>
      keyFor(client.serviceName, server.serviceName),
    ).flatMap((calls) => {
      const pairs = pairWithRest(scene, calls, roots);
      return groupBy(pairs, ({ server }) => keyFor(server.serviceName)).map((ofServer) => ({
        ...{ scene, calls, roots },
        pairs: ofServer,
      }));
    });
  },
  gates: [
    gate(
      'nearly every redirected call has a request that began a trace after the redirect, several times',
      ({ scene: { thresholds }, calls, pairs }) =>
        pairs.length >= Math.max(thresholds.fewestDisplaced, calls.length * thresholds.displacedShare),
      ({ calls, pairs }) => `${pairs.length} of ${countOf(calls.length, 'call')}`,
    ),
    gate(
      'fewer would have one by chance',
      ({ scene, calls, roots, pairs }) =>
        isMoreThanChance(
          roots,
          pairs.length,
          (moved) => pairWithRest(scene, calls, moved).length,
          scene.thresholds,
        ),
      ({ pairs }) => `at other times of the capture about as many as ${pairs.length}`,
    ),
  ],
  looseEnds: ({ pairs }) => pairs.map(({ server }) => server),
  report: ({ pairs }) =>
    splitTrace.report({
      client: pairs[0].client.serviceName,
      server: pairs[0].server.serviceName,
      protocol: protocolOf(pairs[0].client),
      candidates: moveToFront(splitCauses, 'header-not-sent'),
      shown: pairs.map(({ client, server }) => ({
        client,
        server,
        says: `CLIENT ${client.spanId} was redirected and saw another answer (${readCallFacts(client).statusCode}); SERVER ${server.spanId} began trace ${server.traceId} after the redirect`,
      })),
    }),
});

/** RFC 9110, section 15.4; 304 redirects nobody. */
const redirects: ReadonlySet<number | null> = new Set([301, 302, 303, 307, 308]);

function isRedirect(statusCode: number | null): boolean {
  return redirects.has(statusCode);
}

function isFollowed(statusCode: number | null): boolean {
  return statusCode !== null && !isRedirect(statusCode);
}

/** Each call, from its redirect on, with a request that began meanwhile. */
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
