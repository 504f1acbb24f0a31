import { type Call, viewCalls } from '../calls/call-group.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import type { Pair } from '../pairing/pair-spans.ts';
import { endsWithin, indexByTime } from '../pairing/times.ts';
import { mayBeOfOnePool } from '../span/instance.ts';
import { byStart, type Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, groupBy, mapBy } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { sumOf } from '../util/statistics.ts';
import {
  doubtCalls,
  finding,
  groupDetaching,
  joinCalls,
  listCalled,
  reportDetached,
  startsOwnTrace,
} from './context-lost-in-process.ts';
import { listCallers } from './list-callers.ts';
import { pairTogether } from './pair-together.ts';
import { gate, rule } from './rule.ts';
import type { Scene } from './scene.ts';

/** Calls to one endpoint of a peer, some of which began traces. */
interface CallsByRoute {
  readonly calls: Group<Call>;
  readonly detached: readonly Span[];
  /** Each call that began a trace, with the only request that was open meanwhile. */
  readonly pairs: readonly Pair[];
}

/**
 * As `detachedCalls`, for calls that several routes make, or one route several times, or to one of several peers: every request of a route
 * that made such calls has the same number of calls, within it or in its own trace. A timer calls as often within each request only by
 * chance.
 */
export const detachedByRoute = rule<CallsByRoute>({
  finding,
  measure: (scene, open) => {
    const divideOf = remember((service: string | null) => indexRequests(scene, service));
    const measureAlone = (calls: Group<Call>): CallsByRoute => {
      const detached = calls
        .map(({ client }) => client)
        .filter((client) => startsOwnTrace(scene, client) && !open.explained().has(client));
      return { calls, detached, pairs: pairByRoute(scene, calls, detached, divideOf) };
    };
    return [...mapBy(groupDetaching(scene), ([{ client }]) => client).values()].flatMap((edges) => {
      const alone = edges
        .flatMap((groups) => groupBy(viewCalls(scene.graph, groups), (call) => call.server.name))
        .map(measureAlone);
      return pairTogether(
        alone,
        ({ detached }) => detached,
        (left) => measureAlone(joinCalls(left)).pairs,
      );
    });
  },
  gates: [
    gate(
      'each request of the routes that made these calls has as many, within it or in its own trace, clearly more often than by chance',
      ({ pairs }) => pairs.length > 0,
      ({ detached }) => `not with ${countOf(detached.length, 'such call')}`,
    ),
  ],
  looseEnds: ({ detached }) => detached,
  report: ({ calls, pairs }, scene) => {
    // The request waited for its last call.
    const lastOf = new Map(pairs.map((pair) => [pair.client, pair]));
    return reportDetached(calls, pairs, doubtCalls(scene, [...lastOf.values()], calls[0].server));
  },
});

/** Groups calls by the only request that contains them. Leaves out calls that no request or several contain. */
type Divide = (calls: readonly Span[]) => ReadonlyMap<Span, Group<Span>>;

function indexRequests(scene: Scene, service: string | null): Divide {
  const { thresholds } = scene;
  const requests = scene.shared
    .routesOf(service)
    .all.flat()
    .filter(({ kind }) => kind === 'SERVER');
  const openAt = indexByTime(requests, { ...thresholds, clockTolerance: thresholds.rounding });
  const findOnly = (call: Span): Span | null => {
    const within: Span[] = [];
    openAt.someOpen(call.startTimeUnixNano, (request) => {
      if (endsWithin(call, request, thresholds) && mayBeOfOnePool(request, call)) within.push(request);
      return within.length > 1;
    });
    return within.length === 1 ? (within[0] ?? null) : null;
  };
  return (calls) => {
    const divided = mapBy(calls.toSorted(byStart), findOnly);
    return new Map([...divided].flatMap(([request, made]) => (request === null ? [] : [[request, made]])));
  };
}

function pairByRoute(
  scene: Scene,
  calls: Group<Call>,
  detached: readonly Span[],
  divideOf: (service: string | null) => Divide,
): readonly Pair[] {
  const { graph, thresholds } = scene;
  const [{ client }] = calls;
  if (detached.length < thresholds.fewestDisplaced) return [];
  const divide = divideOf(client.serviceName);
  const made = divide(detached);
  if (sumOf([...made.values()].map(({ length }) => length)) < detached.length) return [];
  const requests = scene.shared
    .routesOf(client.serviceName)
    .during(detached)
    .filter((route) => route.some((request) => made.has(request)));
  const own = mapBy(
    calls.filter((call) => !startsOwnTrace(scene, call.client)),
    (call) => graph.topInService(graph.rowOf(call.client)),
  );
  const countIn = (divided: ReadonlyMap<Span, readonly Span[]>, request: Span): number =>
    divided.get(request)?.length ?? 0;
  const countAll = (request: Span): number =>
    countIn(made, request) + (own.get(graph.rowOf(request))?.length ?? 0);
  const isEven = requests.every((route) =>
    route.every((request) => countAll(request) === countAll(route[0])),
  );
  const making = requests.flat().filter((request) => made.has(request));
  // Beside a request's own calls these may be another's: probes of a circuit breaker, or a refresh of its cache.
  const areOfOthers = making.some((request) => own.has(graph.rowOf(request)));
  if (!isEven || areOfOthers || making.length < thresholds.fewestDisplaced) return [];
  const rows = calls.map((call) => graph.rowOf(call.client));
  const callers = listCallers(scene, client.serviceName, rows, ...listCalled(calls));
  const isLosing = (row: number): boolean => callers.has(row) && !own.has(row);
  if (requests.flat().some((request) => isLosing(graph.rowOf(request)))) return [];
  const countAlike = (moved: readonly Span[]): number => {
    const divided = divide(moved);
    return making.filter((request) => countIn(divided, request) === countIn(made, request)).length;
  };
  return isMoreThanChance(detached, making.length, countAlike, thresholds)
    ? making.flatMap((request) =>
        (made.get(request) ?? []).map((call) => ({ client: request, server: call, unique: true })),
      )
    : [];
}
