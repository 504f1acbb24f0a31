import { isHealthProbe, readCallFacts } from '../calls/call-facts.ts';
import { isOutgoing } from '../calls/edge.ts';
import { nameEndpoints } from '../calls/endpoint.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import type { Pair } from '../pairing/pair.ts';
import type { Span } from '../span/span.ts';
import { mapBy } from '../util/group-by.ts';
import { type Open, protocolOf, type Scene } from './check.ts';
import {
  missingCallCandidates as candidates,
  finding,
  groupCallsByRequest,
  pairWithin,
} from './missing-call.ts';
import { gate, rule } from './rule.ts';

/** A service whose every request began a trace, and one whose requests may enclose them. */
interface PossibleCalls {
  readonly scene: Scene;
  readonly client: string;
  /** The first requests of the called service. */
  readonly roots: readonly Span[];
  readonly pairs: readonly Pair[];
  readonly countPairs: (moved: readonly Span[]) => number;
  readonly pairAll: () => readonly Pair[];
}

/**
 * Nobody's call to a service is whole and no expectation names one, but its requests fall into those of another service, one to one,
 * while that one has no call open. A caller from outside that asks both makes the same picture, so it is a warning.
 */
export const possibleCalls = rule<PossibleCalls>({
  finding,
  measure: (scene, open) =>
    listUncalled(scene, open).flatMap((server) => {
      const roots = listRequests(open.roots.first(server, scene.thresholds.mostRootsCompared));
      if (roots.length === 0) return [];
      const spansOf = indexSpansDuring(scene, roots);
      return scene.services.names().flatMap((client) => {
        if (client === null || client === server || !scene.services.hasEntries(client)) return [];
        const spans = spansOf(client);
        if (!roots.every((root) => spans.some((span) => isOpenAtStart(scene, span, root)))) return [];
        const pair = pairWithRequestsOf(scene, spans);
        const pairAll = (): readonly Pair[] => {
          const all = listRequests(open.roots.of(server));
          return pairWithRequestsOf(scene, indexSpansDuring(scene, all)(client))(all);
        };
        const countPairs = (moved: readonly Span[]): number => pair(moved).length;
        const pairs = pair(roots);
        // Others are requests from outside, of which there is nothing to say.
        return pairs.length === roots.length ? [{ scene, client, roots, pairs, countPairs, pairAll }] : [];
      });
    }),
  gates: [
    gate(
      'each root fits one request of the other service',
      ({ pairs }) => pairs.every(({ unique }) => unique),
      ({ client }) => `some fit several of ${client}`,
    ),
    gate(
      'there are enough of them',
      ({ scene, pairs }) => pairs.length >= scene.thresholds.fewestPossibleCalls,
      ({ pairs }) => String(pairs.length),
    ),
    gate(
      'fewer would fit at other times',
      ({ scene, roots, pairs, countPairs }) =>
        isMoreThanChance(roots, pairs.length, countPairs, scene.thresholds),
      ({ pairs }) => `about as many as the ${pairs.length}`,
    ),
  ],
  looseEnds: ({ roots }) => roots,
  report: ({ client, pairAll }) => {
    const pairs = pairAll();
    return finding.report({
      severity: 'warning',
      client,
      server: pairs[0]?.server.serviceName ?? null,
      protocol: protocolOf(pairs[0]?.server),
      candidates,
      shown: pairs.map(({ client: request, server }) => ({
        client: null,
        server,
        says: `root, while "${request.name}" of ${client} (trace ${request.traceId}) was open and has no CLIENT span for it`,
      })),
    });
  },
});

/** Services that no whole call reaches, and of which no expectation says who calls them. */
function listUncalled(scene: Scene, open: Open): readonly (string | null)[] {
  return open.roots
    .services()
    .filter(
      (server) =>
        scene.groupsInto(server).length === 0 &&
        !scene.expectation.edges.some((edge) => edge.server === server),
    );
}

function listRequests(roots: readonly Span[]): readonly Span[] {
  return roots.filter((root) => root.kind === 'SERVER' && !isHealthProbe(root));
}

/** The spans of each service that were open between the first and the last start of some roots. */
function indexSpansDuring(
  { graph }: Scene,
  roots: readonly Span[],
): (service: string | null) => readonly Span[] {
  const startOf = (root?: Span): number => (root === undefined ? 0 : (graph.starts[graph.rowOf(root)] ?? 0));
  const rows = mapBy(graph.rowsBetween(startOf(roots[0]), startOf(roots.at(-1))), (row) =>
    graph.serviceOf(row),
  );
  return (service) => graph.viewsOf(rows.get(service) ?? []);
}

/** Whether a request was open when a root began, by clocks that may differ: `pairSpans` compares no others. */
function isOpenAtStart({ graph, thresholds }: Scene, request: Span, root: Span): boolean {
  const [row, start] = [graph.rowOf(request), graph.starts[graph.rowOf(root)] ?? 0];
  const tolerance = Number(thresholds.clockTolerance);
  return (
    request.kind === 'SERVER' &&
    (graph.starts[row] ?? 0) <= start + tolerance &&
    (graph.ends[row] ?? 0) >= start - tolerance
  );
}

/** Pairs roots with the requests among the spans of a service: of each endpoint with every request, or none. */
function pairWithRequestsOf(
  scene: Scene,
  spans: readonly Span[],
): (some: readonly Span[]) => readonly Pair[] {
  const { thresholds } = scene;
  const requests = spans.filter((span) => span.kind === 'SERVER' && !isHealthProbe(span));
  const calls = groupCallsByRequest(scene, spans.filter(isOutgoing));
  const endpointOf = nameEndpoints(requests);
  const fits = (request: Span, root: Span): boolean => mayHaveCalled(request, root, calls);
  return (some) => pairWithin(requests, some, fits, endpointOf, thresholds);
}

/** The request has no call open when the root begins, and one program from outside did not send both. */
function mayHaveCalled(request: Span, root: Span, calls: ReadonlyMap<Span, readonly Span[]>): boolean {
  const isBusy = (calls.get(request) ?? []).some(
    (call) => call.endTimeUnixNano > root.startTimeUnixNano && call.startTimeUnixNano < root.endTimeUnixNano,
  );
  if (isBusy) return false;
  const [outer, inner] = [readCallFacts(request), readCallFacts(root)];
  // A gateway passes method, path and user agent on.
  const isForwarded = inner.path !== null && outer.path === inner.path && outer.method === inner.method;
  return isForwarded || outer.userAgent === null || outer.userAgent !== inner.userAgent;
}
