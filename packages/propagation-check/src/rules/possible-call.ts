import { isOutgoing } from '../calls/edge.ts';
import { nameEndpoints } from '../calls/endpoint.ts';
import { isHealthProbe } from '../calls/probes.ts';
import { bounds } from '../pairing/bounds.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import type { Pair, PairSides } from '../pairing/pair-spans.ts';
import { startsDuring } from '../pairing/times.ts';
import { kindNumber, type Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { mapBy } from '../util/group-by.ts';
import { groupCallsByRequest, hasOpenCall, isOfOneMethod } from './calls-of-requests.ts';
import { protocolOf } from './draft.ts';
import type { FindingId } from './finding.ts';
import { finding } from './missing-call.ts';
import { areForwarded, isForwarded, listMissingCallCauses, type RequestHead } from './missing-call-causes.ts';
import { pairWithin } from './partly-missing-calls.ts';
import { gate, rule } from './rule.ts';
import type { Open, Scene } from './scene.ts';
import { splitCauses } from './split-causes.ts';
import { finding as splitTrace } from './split-trace.ts';

/** A called service whose every request began a trace, and another service whose requests may enclose them. */
interface PossibleCalls {
  readonly client: string;
  readonly first: Span;
  /** The first requests of the called service. */
  readonly roots: readonly Span[];
  /** How many services have a request for each root. */
  readonly enclosing: number;
  readonly pairs: readonly Pair[];
  readonly countPairs: (moved: readonly Span[]) => number;
  readonly pairAll: () => readonly Pair[];
}

/**
 * No call to a service is whole and no expectation names its callers, but its requests fall into requests of another service, one to one,
 * while that service has no call open. An outside program that calls both looks the same, so it is a warning.
 */
export const possibleCalls = rule<PossibleCalls>({
  finding,
  measure: (scene, open) =>
    listUncalled(scene, open).flatMap((server) => {
      const roots = listRequests(open.roots.first(server, scene.thresholds.mostRootsCompared));
      const [first] = roots;
      if (first === undefined) return [];
      const clients = listOpenMeanwhile(scene, first, roots.at(-1) ?? first);
      if (clients.length === 0) return [];
      const rowsOf = indexRowsDuring(scene, first, roots.at(-1) ?? first);
      const possible = clients.flatMap((client) => {
        const rows = rowsOf(client);
        // For nearly all services some root fits no request. Then pairing is skipped.
        if (!roots.every((root) => rows.some((row) => mayHaveMade(scene, row, scene.graph.rowOf(root)))))
          return [];
        const pair = pairWithRequestsOf(scene, rows);
        const pairAll = (): readonly Pair[] => {
          const all = listRequests(open.roots.of(server));
          return pairWithRequestsOf(scene, indexRowsDuring(scene, first, all.at(-1) ?? first)(client))(all);
        };
        const countPairs = (moved: readonly Span[]): number => pair(moved).length;
        return [{ client, first, roots, pairs: pair(roots), countPairs, pairAll }];
      });
      // The requests in front of the proxy were open too, and are not the callers.
      const behindProxy = possible.filter(({ pairs }) => areForwarded(pairs));
      const meant = behindProxy.length > 0 ? behindProxy : possible;
      const enclosing = meant.filter(({ pairs }) => pairs.length === roots.length).length;
      return meant.map((one) => ({ ...one, enclosing }));
    }),
  gates: [
    // Roots in no request come from outside, which is no fault.
    gate(
      'each request of an endpoint of the other service encloses a root, and waited for it',
      ({ roots, pairs }) => pairs.length === roots.length,
      ({ client, roots, pairs }) =>
        `${pairs.length} of ${countOf(roots.length, 'root')} in those of ${client}`,
    ),
    // Services that begin in step, such as for a scheduler, enclose each other.
    gate(
      'requests of few other services enclose the roots',
      ({ enclosing }, { thresholds }) => enclosing <= thresholds.mostPossibleCallers,
      ({ enclosing }) => `those of ${countOf(enclosing, 'service')} do`,
    ),
    gate(
      'each root fits one request of the other service',
      ({ pairs }) => pairs.every(({ unique }) => unique),
      ({ client }) => `some fit several of ${client}`,
    ),
    gate(
      'there are enough of them',
      ({ pairs }, { thresholds }) => pairs.length >= thresholds.fewestDisplaced,
      ({ pairs }) => String(pairs.length),
    ),
    gate(
      'fewer would fit at other times',
      ({ roots, pairs, countPairs }, { thresholds }) =>
        isMoreThanChance(roots, pairs.length, countPairs, thresholds),
      ({ pairs }) => `about as many as the ${pairs.length}`,
    ),
  ],
  looseEnds: ({ roots }) => roots,
  report: ({ client, first, pairs, pairAll }, scene) => {
    const edge = { client, server: first.serviceName, protocol: protocolOf(first) };
    const all = pairAll();
    const causes = listMissingCallCauses(scene, client, pairs);
    const ofUnknownProtocol = findCallsOfUnknownProtocol(scene, all);
    if (ofUnknownProtocol !== null)
      return splitTrace.report({
        ...{
          severity: 'warning',
          ...edge,
          candidates: rankCausesOfUnknownProtocol(ofUnknownProtocol, causes),
        },
        shown: ofUnknownProtocol.map(({ client: call, server }) => ({
          client: call,
          server,
          says: `${call.kind} ${call.spanId} does not say what it calls; SERVER ${server.spanId} began trace ${server.traceId} while it was open`,
        })),
      });
    return finding.report({
      ...{ severity: 'warning', ...edge, candidates: causes },
      shown: all.map(({ client: request, server }) => ({
        client: null,
        server,
        during: request,
        says: `root, while "${request.name}" of ${client} (trace ${request.traceId}) was open and has no CLIENT span for it`,
      })),
    });
  },
});

/** The calls of these requests that may have led to the roots; null unless every request has one. */
function findCallsOfUnknownProtocol(
  { shared, thresholds }: Scene,
  pairs: readonly Pair[],
): readonly PairSides[] | null {
  const calls = shared.callsOfUnknownProtocol();
  const ofUnknownProtocol = pairs.flatMap(({ client: request, server }) => {
    const client = calls.get(request)?.find((call) => startsDuring(server, call, thresholds));
    return client === undefined ? [] : [{ client, server }];
  });
  return ofUnknownProtocol.length === pairs.length ? ofUnknownProtocol : null;
}

/** A CLIENT span of an SDK may call another peer, while the call to this service has no span. */
function rankCausesOfUnknownProtocol(
  ofUnknownProtocol: readonly PairSides[],
  ofMissingCall: readonly FindingId[],
): readonly FindingId[] {
  const hasMethods = ofUnknownProtocol.every(({ client, server }) => isOfOneMethod(client, server));
  return hasMethods ? splitCauses : [...new Set([...ofMissingCall, ...splitCauses])];
}

/** Services that no whole call reaches and whose callers no expectation names. */
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

/** The services with requests open at the first and at the last root; none if there are too many. */
function listOpenMeanwhile({ graph, thresholds }: Scene, first: Span, last: Span): readonly string[] {
  const tolerance = Number(thresholds.clockTolerance);
  const someOpen = (root: Span, isMeant: (service: string) => boolean): boolean => {
    const start = graph.starts[graph.rowOf(root)] ?? 0;
    return graph.someBetween(start - tolerance, start + tolerance, (row) => {
      const service = graph.serviceOf(row);
      const isRequest = graph.store.kinds[row] === kindNumber.server && service !== first.serviceName;
      return isRequest && service !== null && isMeant(service);
    });
  };
  const atFirst = new Set<string>();
  if (someOpen(first, (service) => atFirst.add(service).size > bounds.callers)) return [];
  const found = new Set<string>();
  someOpen(last, (service) => atFirst.has(service) && found.add(service).size === atFirst.size);
  return [...found].sort();
}

/** The spans of each service that were open between the starts of two roots. */
function indexRowsDuring({ graph }: Scene, first: Span, last: Span): (service: string) => readonly number[] {
  const startOf = (root: Span): number => graph.starts[graph.rowOf(root)] ?? 0;
  const rows = mapBy(graph.rowsBetween(startOf(first), startOf(last)), (row) => graph.serviceOf(row));
  return (service) => rows.get(service) ?? [];
}

/**
 * Whether a row is a request of another caller that was open when the root began, with tolerance for clocks. `pairSpans` compares only such
 * rows.
 */
function mayHaveMade(scene: Scene, row: number, root: number): boolean {
  const { graph, thresholds } = scene;
  const start = graph.starts[root] ?? 0;
  const tolerance = Number(thresholds.clockTolerance);
  return (
    graph.store.kinds[row] === kindNumber.server &&
    (graph.starts[row] ?? 0) <= start + tolerance &&
    (graph.ends[row] ?? 0) >= start - tolerance &&
    isOfOtherCaller(scene, row, root)
  );
}

/** Pairs roots with the requests of a service: for each endpoint all requests, or none. */
function pairWithRequestsOf(
  scene: Scene,
  rows: readonly number[],
): (some: readonly Span[]) => readonly Pair[] {
  const { graph, thresholds } = scene;
  const spans = graph.viewsOf(rows);
  const requests = spans.filter((span) => span.kind === 'SERVER' && !isHealthProbe(span));
  const calls = groupCallsByRequest(scene, spans.filter(isOutgoing));
  const endpointOf = nameEndpoints(requests);
  const fits = (request: Span, root: Span): boolean =>
    !hasOpenCall(calls, request, root) && isOfOtherCaller(scene, graph.rowOf(request), graph.rowOf(root));
  return (some) => pairWithin(requests, some, fits, endpointOf, thresholds);
}

/** Whether nothing shows that one outside program sent both requests. */
function isOfOtherCaller({ facts }: Scene, request: number, root: number): boolean {
  const userAgent = facts.userAgentOf(request);
  if (userAgent === null || userAgent !== facts.userAgentOf(root)) return true;
  const headOf = (row: number): RequestHead => ({
    method: facts.methodOf(row),
    path: facts.pathOf(row),
    userAgent,
  });
  return isForwarded(headOf(request), headOf(root));
}
