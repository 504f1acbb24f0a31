import { type Call, groupCalls, viewCalls } from '../calls/call-group.ts';
import { isExpected } from '../expect/expectation.ts';
import { areAwaited } from '../pairing/awaited.ts';
import { pairContained } from '../pairing/contained.ts';
import type { Pair } from '../pairing/pair-spans.ts';
import { mayBeOfOnePool } from '../span/instance.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, groupBy } from '../util/group-by.ts';
import {
  doubtCalls,
  finding,
  listRoutes,
  reportDetached,
  startsOwnTrace,
} from './context-lost-in-process.ts';
import { checkCode, doubtLoss } from './doubt-loss.ts';
import { type Doubt, listExplained } from './draft.ts';
import { listCallers } from './list-callers.ts';
import { prepareNeedsNone } from './pair-beside-exceptions.ts';
import { gate, rule } from './rule.ts';
import type { Scene } from './scene.ts';

/** Calls of one edge, or to one of its endpoints, some of which began traces. */
interface CallsUnderLoad {
  readonly calls: Group<Call>;
  /** Whether an expectation requires the edge. */
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
    const explained = new Set(open.found.flatMap(listExplained));
    const detaching = groupCalls(scene.groups).filter(
      (groups) =>
        scene.services.hasEntries(groups[0].client) && groups.some(({ extremes }) => extremes.hasDetached),
    );
    return detaching.flatMap((groups) => {
      const [{ client, server }] = groups;
      const isMust = isExpected(scene.expectation, client, server);
      const measure = (calls: Group<Call>): CallsUnderLoad => {
        const clients = new Set(calls.map((call) => call.client));
        const detached = [...clients].filter((call) => startsOwnTrace(scene, call) && !explained.has(call));
        return { calls, isMust, detached, pairs: pairByCount(scene, calls, detached, isMust) };
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

/** @param called The service of the calls, if an expectation requires them. */
function doubtPairs(scene: Scene, pairs: readonly Pair[], called: Span | null): Doubt | null {
  const { thresholds } = scene;
  const isOneCallEach = new Set(pairs.map(({ client }) => client)).size === pairs.length;
  const alone = isOneCallEach ? pairs.filter(({ unique }) => unique) : [];
  const doubt = {
    says: 'Times do not show whether these requests made these calls: calls of a job look the same in the data.',
    decide: [
      ...(isOneCallEach ? ['Send such requests one after the other, and check again'] : []),
      ...pairs.slice(0, 1).map(checkCode),
    ],
  };
  if (alone.length === pairs.length) return doubtLoss(scene, pairs, thresholds.fewestDetached) ?? doubt;
  // A request that overlaps no other shows its own call, and the counts show that the others lost theirs too.
  return called !== null && areAwaited(alone, thresholds) ? doubtCalls(scene, alone, called) : doubt;
}

/** Pairs the calls with the requests of a route, or of all routes if an expectation requires the edge, because it names no route. */
function pairByCount(
  scene: Scene,
  calls: Group<Call>,
  detached: readonly Span[],
  isMust: boolean,
): readonly Pair[] {
  const { graph, thresholds } = scene;
  const [{ client, server }] = calls;
  const rows = calls.map((call) => graph.rowOf(call.client));
  const callers = listCallers(scene, client.serviceName, rows, server.serviceName);
  // The spans of a batch of messages overlap too, and its handler belongs to none of them.
  const routes = listRoutes(scene, client.serviceName).filter((ofRoute) =>
    ofRoute.every((entry) => entry.kind === 'SERVER' && !callers.has(graph.rowOf(entry))),
  );
  const found = [...routes, ...(isMust ? [routes.flat()] : [])].map((requests) =>
    isMust
      ? pairWithAll(scene, requests, detached)
      : requests.length === detached.length
        ? pairInRounds(scene, requests, detached)
        : [],
  );
  const isSure = (pairs: readonly Pair[]): boolean =>
    isMust || (pairs.some(({ unique }) => !unique) && areAwaited(pairs, thresholds));
  return found.find((pairs) => pairs.length > 0 && isSure(pairs)) ?? [];
}

/** Pairs each request with as many calls within it, so that none is left. */
function pairInRounds(
  { thresholds }: Scene,
  requests: readonly Span[],
  calls: readonly Span[],
): readonly Pair[] {
  if (requests.length === 0 || calls.length % requests.length !== 0) return [];
  const pairs: Pair[] = [];
  let left = calls;
  while (left.length > 0) {
    const round = pairContained(requests, left, thresholds, mayBeOfOnePool);
    if (round.length < requests.length) return [];
    pairs.push(...round);
    const paired = new Set(round.map(({ server: call }) => call));
    left = left.filter((call) => !paired.has(call));
  }
  return pairs;
}

/** As `pairInRounds`, or pairs all calls with some of the requests if the others needed no call. */
function pairWithAll(scene: Scene, requests: readonly Span[], calls: readonly Span[]): readonly Pair[] {
  const equal = pairInRounds(scene, requests, calls);
  if (equal.length > 0 || calls.length >= requests.length) return equal;
  const pairs = pairContained(requests, calls, scene.thresholds, mayBeOfOnePool);
  if (pairs.length === 0 || pairs.length < calls.length) return [];
  const paired = new Set(pairs.map(({ client }) => client));
  const needsNone = prepareNeedsNone(pairs, scene.thresholds);
  return requests.every((request) => paired.has(request) || needsNone(request)) ? pairs : [];
}
