import { type Call, countCalls, viewCalls } from '../calls/call-group.ts';
import { isExpected } from '../expect/expectation.ts';
import { areAwaited } from '../pairing/awaited.ts';
import { bounds } from '../pairing/bounds.ts';
import { pairContained } from '../pairing/contained.ts';
import type { Pair } from '../pairing/pair-spans.ts';
import { durationOf, endsWithin, indexByTime } from '../pairing/times.ts';
import { mayBeOfOnePool } from '../span/instance.ts';
import { byStart, type Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, groupBy } from '../util/group-by.ts';
import { remember, rememberOf } from '../util/remember.ts';
import { earlier, later, sumOf } from '../util/statistics.ts';
import {
  doubtCalls,
  finding,
  groupDetaching,
  reportDetached,
  startsOwnTrace,
} from './context-lost-in-process.ts';
import { checkCode, doubtLoss, doubtOverlap, sendInTurn } from './doubt-loss.ts';
import type { Doubt } from './draft.ts';
import { listCallers } from './list-callers.ts';
import { prepareNeedsNone } from './pair-beside-exceptions.ts';
import { gate, rule } from './rule.ts';
import type { Scene } from './scene.ts';
import type { Thresholds } from './thresholds.ts';

/** Calls of one edge, or to one of its endpoints, some of which began traces. */
interface CallsUnderLoad {
  readonly calls: Group<Call>;
  /** Whether an expectation requires the edge, and no request makes the call in its own trace. */
  readonly isMust: boolean;
  readonly detached: readonly Span[];
  /** Requests that lack the call, each with a call that began a trace meanwhile. */
  readonly pairs: readonly Pair[];
}

/**
 * As `detachedCalls`, for requests that overlap: times do not show which of them made which call, so that `detachedCalls` reports only
 * large numbers. Here the counts agree: no request of a route has the call, and as many calls began traces as there are requests, all of
 * them during these requests. A job or a poller calls at other times too, and rarely just as often.
 */
export const callsUnderLoad = rule<CallsUnderLoad>({
  finding,
  measure: (scene, open) => {
    const indexOf = rememberOf((route: readonly Span[]) => indexRequests(route, scene.thresholds));
    return groupDetaching(scene).flatMap((groups) => {
      const [{ client, server }] = groups;
      const isMust =
        isExpected(scene.expectation, client, server) && !scene.shared.doRequestsCall(client, server);
      const measure = (calls: Group<Call>): CallsUnderLoad => {
        const clients = new Set(calls.map((call) => call.client));
        const detached = [...clients].filter(
          (call) => startsOwnTrace(scene, call) && !open.explained().has(call),
        );
        return { calls, isMust, detached, pairs: pairByCount(scene, calls, detached, isMust, indexOf) };
      };
      const ofEdge = viewCalls(scene.graph, groups);
      // An expectation names no endpoint, and the names of some endpoints contain ids.
      const whole = isMust ? groupBy(ofEdge, () => '').map(measure) : [];
      return whole.some(({ pairs }) => pairs.length > 0)
        ? whole
        : groupBy(ofEdge, (call) => call.server.name).map(measure);
    });
  },
  gates: [
    gate(
      'no request of a route has the call, and as many calls began traces as there are requests, all of them meanwhile',
      ({ pairs }) => pairs.length > 0,
      ({ calls: [{ client }], detached }) =>
        `of no route of ${client.serviceName}, with ${countOf(detached.length, 'such call')}`,
    ),
  ],
  looseEnds: ({ detached }) => detached,
  report: ({ calls, isMust, pairs }, scene) =>
    reportDetached(calls, pairs, doubtPairs(scene, pairs, isMust ? calls[0].server : null)),
});

/** @param called The service of the calls, if only they can fulfil an expectation. */
function doubtPairs(scene: Scene, pairs: readonly Pair[], called: Span | null): Doubt | null {
  const { thresholds } = scene;
  const isOneCallEach = new Set(pairs.map(({ client }) => client)).size === pairs.length;
  const alone = isOneCallEach ? pairs.filter(({ unique }) => unique) : [];
  const doubt = doubtOverlap([...(isOneCallEach ? [sendInTurn] : []), ...pairs.slice(0, 1).map(checkCode)]);
  if (alone.length === pairs.length) return doubtLoss(scene, pairs, thresholds.fewestDetached) ?? doubt;
  // A request that overlaps no other shows its own call, and the counts show that the others lost theirs too.
  const isShown =
    called !== null &&
    areAllOfRoutes(scene, pairs) &&
    areAwaited(alone, thresholds) &&
    doubtCalls(scene, alone, called) === null;
  return isShown ? null : doubt;
}

/** Whether no request of these routes is without a pair. */
function areAllOfRoutes(scene: Scene, pairs: readonly Pair[]): boolean {
  const paired = new Set(pairs.map(({ client }) => client));
  return scene.shared
    .routesOf(pairs[0]?.client.serviceName ?? null)
    .all.filter((route) => route.some((request) => paired.has(request)))
    .every((route) => route.every((request) => paired.has(request)));
}

/** Pairs the calls with the requests of a route, or of all routes if they must fulfil an expectation, because it names no route. */
function pairByCount(
  scene: Scene,
  calls: Group<Call>,
  detached: readonly Span[],
  isMust: boolean,
  indexOf: (route: readonly Span[]) => Requests,
): readonly Pair[] {
  if (detached.length === 0) return [];
  const { graph, thresholds } = scene;
  const [{ client, server }] = calls;
  const listOwnCallers = remember(() => {
    const rows = calls.map((call) => graph.rowOf(call.client));
    return listCallers(scene, client.serviceName, rows, server.serviceName);
  });
  const lackCalls = (requests: readonly Span[]): boolean =>
    requests.every((request) => !listOwnCallers().has(graph.rowOf(request)));
  const made = boundTimes(detached);
  /** Whether the first request began before all calls, and the last ended after them. */
  const isOpenMeanwhile = ({ from, to }: Requests): boolean => from <= made.from && to >= made.to;
  // The spans of a batch of messages overlap too, and its handler belongs to none of them.
  const isOfRequests = ([{ kind }]: Group<Span>): boolean => kind === 'SERVER';
  const routes = scene.shared.routesOf(client.serviceName);
  for (const route of routes.during(detached).filter(isOfRequests)) {
    if (!isMust && route.length !== detached.length) continue;
    const requests = indexOf(route);
    if (!isOpenMeanwhile(requests)) continue;
    const pairs = (isMust ? pairWithAll : pairOverlapping)(requests, detached, thresholds);
    // Checked last: it reads all requests.
    if (pairs.length > 0 && lackCalls(route)) return pairs;
  }
  // Not for each endpoint: an edge may have thousands.
  const isWholeEdge =
    calls.length === countCalls(scene.groupsBetween(client.serviceName, server.serviceName));
  const all = isMust && isWholeEdge ? routes.all.filter(isOfRequests).filter(lackCalls).flat() : [];
  if (all.length === 0) return [];
  const requests = indexRequests(all, thresholds);
  return isOpenMeanwhile(requests) ? pairWithAll(requests, detached, thresholds) : [];
}

interface Times {
  readonly from: bigint;
  readonly to: bigint;
}

/** The first start and the last end. @param spans At least one. */
function boundTimes(spans: readonly Span[]): Times {
  return {
    from: spans.map((span) => span.startTimeUnixNano).reduce(earlier),
    to: spans.map((span) => span.endTimeUnixNano).reduce(later),
  };
}

/** Requests of a service, which are asked for once for each endpoint that the service calls. */
interface Requests extends Times {
  readonly spans: readonly Span[];
  /** The requests that were open when some of these calls began; all requests if that takes longer. */
  readonly listOpenAt: (calls: readonly Span[]) => readonly Span[];
}

function indexRequests(spans: readonly Span[], thresholds: Thresholds): Requests {
  const index = remember(() => indexByTime(spans, thresholds));
  return {
    ...boundTimes(spans),
    spans,
    listOpenAt: (calls) => {
      const open: Span[] = [];
      const isTooMany = calls.some(({ startTimeUnixNano }) =>
        index().someOpen(startTimeUnixNano, (request) => open.push(request) > spans.length),
      );
      return isTooMany ? spans : [...new Set(open)];
    },
  };
}

/** One call for each request; the requests waited for them. */
function pairOverlapping(
  { spans }: Requests,
  calls: readonly Span[],
  thresholds: Thresholds,
): readonly Pair[] {
  const pairs = pairContained(spans, calls, thresholds, mayBeOfOnePool);
  const isSure =
    pairs.length === calls.length && pairs.some(({ unique }) => !unique) && areAwaited(pairs, thresholds);
  return isSure ? pairs : [];
}

/** As many calls for each request; or one call for some of them, if the others needed none. */
function pairWithAll(
  { spans, listOpenAt }: Requests,
  calls: readonly Span[],
  thresholds: Thresholds,
): readonly Pair[] {
  if (calls.length > spans.length) return divideCalls(spans, calls, thresholds);
  const pairs = pairContained(listOpenAt(calls), calls, thresholds, mayBeOfOnePool);
  if (pairs.length < calls.length) return [];
  const paired = new Set(pairs.map(({ client }) => client));
  const needsNone = prepareNeedsNone(pairs, thresholds);
  return spans.every((request) => paired.has(request) || needsNone(request)) ? pairs : [];
}

/** Gives each request as many of the calls within it. Calls that take little of the requests may be those of a poller. */
function divideCalls(
  requests: readonly Span[],
  calls: readonly Span[],
  thresholds: Thresholds,
): readonly Pair[] {
  const each = calls.length / requests.length;
  if (!Number.isInteger(each) || sumDurations(calls) < sumDurations(requests) * thresholds.waitedShare)
    return [];
  const given = new Map<Span, number>();
  const countGiven = (request: Span): number => given.get(request) ?? 0;
  const openAt = indexByTime(requests, { ...thresholds, clockTolerance: thresholds.rounding });
  const pairs = calls.toSorted(byStart).flatMap((call): readonly Pair[] => {
    const within: Span[] = [];
    openAt.someOpen(call.startTimeUnixNano, (request) => {
      if (endsWithin(call, request, thresholds) && mayBeOfOnePool(request, call)) within.push(request);
      return within.length >= bounds.candidates;
    });
    // Later calls may fit only the requests that end last.
    const [request] = within.filter((one) => countGiven(one) < each).toSorted(byEnd);
    if (request === undefined) return [];
    given.set(request, countGiven(request) + 1);
    return [{ client: request, server: call, unique: within.length === 1 }];
  });
  return pairs.length === calls.length ? pairs : [];
}

function byEnd(one: Span, other: Span): number {
  return Number(one.endTimeUnixNano - other.endTimeUnixNano);
}

function sumDurations(spans: readonly Span[]): number {
  return sumOf(spans.map((span) => Number(durationOf(span))));
}
