import { readCallFacts } from '../calls/call-facts.ts';
import { isOutgoing } from '../calls/edge.ts';
import { nameEndpoints } from '../calls/endpoint.ts';
import { isHealthProbe } from '../calls/probes.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import { areAwaited, measureFill } from '../pairing/awaited.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { areNearlyAllPaired } from '../pairing/displaced.ts';
import { type Pair, pairSpans } from '../pairing/pair-spans.ts';
import { endsWithin } from '../pairing/times.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { groupBy } from '../util/group-by.ts';
import { median } from '../util/statistics.ts';
import { groupCallsByRequest, hasOpenCall } from './calls-of-requests.ts';
import { hasCall } from './expected-calls.ts';
import { describePairs, finding, withoutOutsiders } from './missing-call.ts';
import { gate, rule } from './rule.ts';
import type { Scene } from './scene.ts';
import type { Thresholds } from './thresholds.ts';

/** An expected edge with whole calls, and the roots of the called service. */
interface PartlyUnseenCalls {
  readonly edge: ExpectedEdge;
  readonly roots: readonly Span[];
  /** The roots of programs (user agents) that begin no trace at the caller. */
  readonly own: readonly Span[];
  /** Roots with the requests of the caller that waited for them. */
  readonly pairs: readonly Pair[];
}

/**
 * Some calls of an edge are whole and others have no CLIENT span: one of several client libraries is not instrumented. Outside callers of
 * both services look the same, unless every request of one route encloses such a root, one to one, and another program (user agent) sent
 * the root than the request.
 */
export const partlyMissingCalls = rule<PartlyUnseenCalls>({
  finding,
  measure: (scene, open) => {
    const seen = scene.expectation.edges.filter(
      (edge) => edge.rule === 'must' && hasCall(scene, edge.client, edge.server),
    );
    return seen.flatMap((edge) => {
      const roots = open.roots
        .of(edge.server)
        .filter((span) => span.kind === 'SERVER' && !isHealthProbe(span));
      if (roots.length === 0) return [];
      // Each client library has one user agent. Outside callers have others, and may call both services.
      const own = withoutOutsiders(scene, edge, roots);
      const pairs = groupBy(own, (root) => readCallFacts(root).userAgent ?? '').flatMap((ofAgent) =>
        pairWithRequests(scene, edge, ofAgent),
      );
      return [{ edge, roots, own, pairs }];
    });
  },
  gates: [
    gate(
      'some roots came from programs that do not call the caller as well',
      ({ own }) => own.length > 0,
      ({ roots }) => `none of ${roots.length}`,
    ),
    gate(
      'every request of one route of the caller encloses such a root, and waited for it',
      ({ pairs }) => pairs.length > 0,
      ({ edge, own }) => `of no route of ${edge.client}, with ${countOf(own.length, 'root')}`,
    ),
  ],
  looseEnds: ({ roots }) => roots,
  report: ({ edge, pairs }, scene) => describePairs(scene, edge, pairs, () => null),
});

function pairWithRequests(scene: Scene, edge: ExpectedEdge, roots: readonly Span[]): readonly Pair[] {
  const { thresholds } = scene;
  const callers = scene.spansOf(edge.client);
  const calling = groupCallsByRequest(scene, callers.filter(isOutgoing));
  const endpointOf = nameEndpoints(callers);
  const callingEndpoints = new Set(callers.filter((span) => calling.has(span)).map(endpointOf));
  const requests = callers.filter((span) => span.kind === 'SERVER' && !isHealthProbe(span));
  const isCalling = (request: Span): boolean => callingEndpoints.has(endpointOf(request));
  const without = pairWithin(
    requests.filter((request) => !isCalling(request)),
    roots,
    isSentByAnother,
    endpointOf,
    thresholds,
  );
  if (without.length > 0) return without;
  // For requests that show some of their calls: the root lies in a time without an open call.
  const between = (request: Span, root: Span): boolean =>
    isSentByAnother(request, root) && !hasOpenCall(calling, request, root);
  const pairs = pairWithin(requests.filter(isCalling), roots, between, endpointOf, thresholds);
  const isSure =
    pairs.length >= thresholds.fewestDisplaced &&
    pairs.length === roots.length &&
    isMoreThanChance(
      roots,
      pairs.length,
      (moved) => pairWithin(requests.filter(isCalling), moved, between, endpointOf, thresholds).length,
      thresholds,
    );
  return isSure ? pairs : [];
}

/** Pairs (nearly) every request of an endpoint with a root within it that the request waited for, one to one; otherwise no pairs. */
export function pairWithin(
  requests: readonly Span[],
  roots: readonly Span[],
  fits: (request: Span, root: Span) => boolean,
  endpointOf: (request: Span) => string,
  thresholds: Thresholds,
): readonly Pair[] {
  const isMadeDuring = (request: Span, root: Span): boolean =>
    fits(request, root) && endsWithin(root, request, thresholds);
  const contained = pairSpans(requests, roots, isMadeDuring, thresholds);
  const endpoints = new Set(contained.map((pair) => endpointOf(pair.client)));
  const ofEndpoints = requests.filter((request) => endpoints.has(endpointOf(request)));
  const isEvery = areNearlyAllPaired(contained, ofEndpoints.length, thresholds.everyRequestShare, thresholds);
  const awaited = areAwaited(contained, thresholds);
  if (!isEvery || !awaited || !areSure(requests, roots, contained, isMadeDuring, thresholds)) return [];
  // A SERVER span may end after the request that waited for it.
  const paired = new Set(contained.flatMap((pair) => [pair.client, pair.server]));
  const isLeft = (span: Span): boolean => !paired.has(span);
  return [...contained, ...pairSpans(ofEndpoints.filter(isLeft), roots.filter(isLeft), fits, thresholds)];
}

/**
 * Whether the pairs are no coincidence. Overlapping requests may each have made several of the roots. Then the pairs whose roots fill most
 * of their requests must exceed chance: under load only these are evidence.
 */
function areSure(
  requests: readonly Span[],
  roots: readonly Span[],
  pairs: readonly Pair[],
  fits: (request: Span, root: Span) => boolean,
  thresholds: Thresholds,
): boolean {
  if (pairs.every((pair) => pair.unique)) return pairs.length >= thresholds.fewestUnique;
  const usual = median(pairs.map(({ client, server }) => measureFill(client, server)));
  const countFilling = (moved: readonly Span[]): number =>
    pairSpans(
      requests,
      moved,
      (request, root) => fits(request, root) && measureFill(request, root) >= usual,
      thresholds,
    ).length;
  const found = countFilling(roots);
  return found >= thresholds.fewestDisplaced && isMoreThanChance(roots, found, countFilling, thresholds);
}

/** Whether different programs sent the root and the request, so that no outside caller sent both. */
function isSentByAnother(request: Span, root: Span): boolean {
  const outer = readCallFacts(request).userAgent;
  return outer !== null && outer !== readCallFacts(root).userAgent;
}
