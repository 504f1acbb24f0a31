import { nameEndpoints } from '../calls/endpoint.ts';
import { pairDisplaced } from '../pairing/displaced.ts';
import type { Pair } from '../pairing/pair-spans.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import type { FindingId } from './finding.ts';
import { finding as missingCall } from './missing-call.ts';
import { gate, rule } from './rule.ts';

/** Requests of one RPC method that began traces, in a service that also serves HTTP. */
interface Loopback {
  readonly roots: Group<Span>;
  /** HTTP requests, each with one of the roots within it. */
  readonly pairs: readonly Pair[];
}

const causes: readonly FindingId[] = [
  'client-not-instrumented',
  'header-not-sent',
  'context-lost-in-process',
];

/**
 * A service that answers HTTP by calling itself over gRPC, as grpc-gateway does: within each outer request the inner request begins a
 * trace, and the outer request has no span for the call. Direct callers of the RPC look the same, unless each request of a route encloses
 * one and waits for it.
 *
 * Source: openfga, pull request 1624; go-zero, issue 5248.
 */
export const missingLoopbacks = rule<Loopback>({
  finding: missingCall,
  measure: (scene, open) => {
    const { graph, facts } = scene;
    if (!facts.maySome(({ protocol }) => protocol === 'rpc')) return [];
    const isOuter = (row: number): boolean =>
      graph.isEntry(row) && facts.protocolOf(row) === 'http' && !graph.hasChild(row);
    const rpc = open.roots.select((row) => facts.protocolOf(row) === 'rpc');
    return groupBy(rpc, ({ serviceName }) => keyFor(serviceName)).flatMap((ofService) => {
      const outer = scene.selectSpans(ofService[0].serviceName, isOuter);
      if (outer.length === 0) return [];
      const routes = groupBy(outer, nameEndpoints(outer));
      return groupBy(ofService, ({ name }) => name).map((roots) => ({
        roots,
        // Another replica may serve the inner request, so any process fits.
        pairs: routes.flatMap((ofRoute) => pairDisplaced(ofRoute, roots, 0, scene.thresholds, () => true)),
      }));
    });
  },
  gates: [
    gate(
      'nearly all HTTP requests of a route enclose one of these and waited for it, several times',
      ({ pairs }, { thresholds }) => pairs.length >= thresholds.fewestDisplaced,
      ({ roots, pairs }) => `${countOf(pairs.length, 'request')}, ${roots.length} of "${roots[0].name}"`,
    ),
  ],
  looseEnds: ({ pairs }) => pairs.map(({ server }) => server),
  report: ({ roots: [{ serviceName }], pairs }) =>
    missingCall.report({
      client: serviceName,
      server: serviceName,
      protocol: 'rpc',
      candidates: causes,
      shown: pairs.map(({ client: request, server }) => ({
        client: null,
        server,
        during: request,
        says: `root of its own trace, within "${request.name}" of trace ${request.traceId}, which shows no call`,
      })),
    }),
});
