import { selectCalls } from '../calls/call-group.ts';
import { keyOfMethodAndPath } from '../calls/endpoint.ts';
import { isExpected } from '../expect/expectation.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { compareRequests, isAddressedTo } from '../pairing/compare-requests.ts';
import { groupPairs, type PairSides, pairSpans } from '../pairing/pair-spans.ts';
import { endsWithin, startsDuring, startsDuringAny } from '../pairing/times.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, keyFor, mapBy } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { sumOf } from '../util/statistics.ts';
import { edgeOf } from './draft.ts';
import { finding as headerIgnored } from './header-ignored.ts';
import { keyOfRequestKind } from './missing-client.ts';
import { nginxScope } from './platforms.ts';
import { gate, rule } from './rule.ts';
import type { Scene } from './scene.ts';

/** The CLIENT span of a whole call, the SERVER span of nginx within it, and the SERVER span of the called service within that. */
interface Beside extends PairSides {
  readonly called: Span;
}

/** The calls of one caller with a span of one nginx within them. */
interface BesideCalls {
  readonly beside: Group<Beside>;
  /** The number of calls of the caller to the same addresses and paths. */
  readonly calls: number;
  /** The number of requests of the same paths of that nginx. */
  readonly hops: number;
  /** Whether the pairs of all callers are more than would fit by chance. */
  readonly areMoreThanChance: () => boolean;
}

/**
 * nginx made spans and joined them to nothing (`otel_trace_context ignore`, the default), but forwarded the header of the request: the call
 * through it is whole, and its SERVER span began a trace. Each fits the request of the call, by time on both sides and by path. Requests
 * of others to nginx fit some calls by chance. Without an expectation it is a warning, as the trace of the two services is whole.
 */
export const proxiesBesideCalls = rule<BesideCalls>({
  finding: headerIgnored,
  measure: (scene, open) => {
    const { facts, graph, groups, thresholds } = scene;
    // With a child, nginx sent its own context to another service.
    const hops = open.roots.select((row) => facts.scopeOf(row) === nginxScope && !graph.hasChild(row));
    if (hops.length === 0) return [];
    const isWithinAny = startsDuringAny(graph, hops, thresholds);
    const calledBy = new Map(
      selectCalls(graph, groups, (_, server) => isWithinAny(server)).map(({ client, server }) => [
        client,
        server,
      ]),
    );
    const isBetween = (client: Span, hop: Span): boolean => {
      const called = calledBy.get(client);
      return (
        called !== undefined &&
        startsDuring(called, hop, thresholds) &&
        endsWithin(called, hop, thresholds) &&
        endsWithin(hop, client, thresholds) &&
        compareRequests(client, hop) === 'yes' &&
        isAddressedTo(client, hop)
      );
    };
    const find = (moved: readonly Span[]): readonly Beside[] =>
      pairSpans([...calledBy.keys()], moved, isBetween, thresholds).flatMap(({ client, server }) => {
        const called = calledBy.get(client);
        return called === undefined ? [] : [{ client, server, called }];
      });
    const found = find(hops);
    const areMoreThanChance = remember(() =>
      isMoreThanChance(hops, found.length, (moved) => find(moved).length, thresholds),
    );
    const hopsOf = mapBy(hops, keyOfHopRequest);
    return groupPairs(found).map((beside) => {
      const kinds = new Set(beside.map(({ server }) => keyOfHopRequest(server)));
      return {
        beside,
        calls: countAlike(scene, beside),
        hops: sumOf(Array.from(kinds, (kind) => hopsOf.get(kind)?.length ?? 0)),
        areMoreThanChance,
      };
    });
  },
  gates: [
    gate(
      'nearly every such call has a request of nginx within it, and no others call nginx; or fewer would fit by chance',
      ({ beside, calls, hops, areMoreThanChance }, { thresholds }) =>
        (beside.length === hops && beside.length >= calls * thresholds.everyCallShare) ||
        (beside.length >= thresholds.fewestDisplaced && areMoreThanChance()),
      ({ beside, calls, hops }) =>
        `${beside.length} of ${countOf(calls, 'call')} and of ${countOf(hops, 'request')}`,
    ),
  ],
  looseEnds: ({ beside }) => beside.map(({ server }) => server),
  report: ({ beside }, { expectation, shared }) => {
    const [first] = beside;
    const edge = edgeOf(first);
    const isNamed = beside.some(
      ({ called }) =>
        isExpected(expectation, edge.client, edge.server) ||
        isExpected(expectation, edge.server, called.serviceName),
    );
    return headerIgnored.report({
      ...(isNamed ? {} : { severity: 'warning' as const }),
      isLikely: true,
      ...edge,
      shown: beside.map(({ client, server, called }) => ({
        client,
        server,
        says: `SERVER ${server.spanId} began trace ${server.traceId} within CLIENT ${client.spanId} and around SERVER ${called.spanId} of ${called.serviceName}, which is its child: ${server.serviceName} forwarded the header and did not read it`,
      })),
      passed: {
        service: edge.server,
        servers: beside
          .filter(({ client, called }) => !shared.isExpectedDirectly(client.serviceName, called.serviceName))
          .map(({ called }) => called),
      },
    });
  },
});

/** A key for requests of one path of one nginx. */
function keyOfHopRequest(hop: Span): string {
  return keyFor(hop.serviceName, keyOfMethodAndPath(hop));
}

/** The number of calls of the caller to the addresses and paths of these. */
function countAlike({ facts, groupsFrom }: Scene, beside: Group<Beside>): number {
  const [{ client }] = beside;
  const kindOf = facts.remember(keyOfRequestKind);
  const kinds = new Set(beside.map((each) => keyOfRequestKind(each.client)));
  return sumOf(
    groupsFrom(client.serviceName).map(
      ({ clients }) => clients.filter((row) => kinds.has(kindOf(row))).length,
    ),
  );
}
