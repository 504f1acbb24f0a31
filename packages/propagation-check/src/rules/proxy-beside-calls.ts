import { selectCalls } from '../calls/call-group.ts';
import { isExpected } from '../expect/expectation.ts';
import { compareRequests, isAddressedTo } from '../pairing/compare-requests.ts';
import { groupPairs, type PairSides, pairSpans } from '../pairing/pair-spans.ts';
import { endsWithin, startsDuring, startsDuringAny } from '../pairing/times.ts';
import type { Span } from '../span/span.ts';
import type { Group } from '../util/group-by.ts';
import { edgeOf } from './draft.ts';
import { finding as headerIgnored } from './header-ignored.ts';
import { nginxScope } from './platforms.ts';
import { rule } from './rule.ts';

/** The CLIENT span of a whole call, the SERVER span of nginx within it, and the SERVER span of the called service within that. */
interface Beside extends PairSides {
  readonly called: Span;
}

/**
 * nginx made spans and joined them to nothing (`otel_trace_context ignore`, the default), but forwarded the header of the request: the call
 * through it is whole, and its SERVER span began a trace. Each fits the request of the call, by time on both sides and by path. Without
 * an expectation it is a warning, as the trace of the two services is whole.
 */
export const proxiesBesideCalls = rule<Group<Beside>>({
  finding: headerIgnored,
  measure: ({ facts, graph, groups, thresholds }, open) => {
    const hops = open.roots.select((row) => facts.scopeOf(row) === nginxScope);
    if (hops.length === 0) return [];
    const isWithinAny = startsDuringAny(graph, hops, thresholds);
    const ofCalls = groups.filter(
      ({ clientKind, serverKind }) => clientKind === 'CLIENT' && serverKind === 'SERVER',
    );
    const calledBy = new Map(
      selectCalls(graph, ofCalls, (_, server) => isWithinAny(server)).map(({ client, server }) => [
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
    const pairs = pairSpans([...calledBy.keys()], hops, isBetween, thresholds);
    return groupPairs(
      pairs.flatMap(({ client, server }) => {
        const called = calledBy.get(client);
        return called === undefined ? [] : [{ client, server, called }];
      }),
    );
  },
  report: (beside, { expectation, shared }) => {
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
