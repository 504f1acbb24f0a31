import {
  type CallGroup,
  type CallRows,
  type EdgeProtocol,
  groupCalls,
  selectPairs,
} from '../calls/call-group.ts';
import { readRoute } from '../calls/http-facts.ts';
import { isEndedBy } from '../pairing/awaited.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { pairContained } from '../pairing/contained.ts';
import { areNearlyAll } from '../pairing/nearly-all.ts';
import type { Pair } from '../pairing/pair-spans.ts';
import { mayBeOfOnePool } from '../span/instance.ts';
import { kindNumber, type Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, groupBy, keyFor, mapBy } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { doubtWorkAhead } from './doubt-loss.ts';
import type { Shown } from './draft.ts';
import { listCallers } from './list-callers.ts';
import { gate, rule } from './rule.ts';
import type { Scene } from './scene.ts';
import { finding, isLate } from './stale-context.ts';

/** The calls that requests of the same endpoints make to one target. */
interface QueuedCalls {
  readonly client: string | null;
  readonly server: string | null;
  readonly protocol: EdgeProtocol;
  readonly requests: readonly Span[];
  readonly calls: readonly CallRows[];
  /** Calls that ended after the request that they hang below. */
  readonly outliving: readonly Span[];
  /** The most calls of one request that ended before it. */
  readonly mostWithin: number;
  /** Requests without a call. */
  readonly bare: readonly Span[];
}

/**
 * A queue or limiter starts each job in the context of the job that just ended: under load, some requests have the calls of others. The
 * counts agree: there are as many calls for each request, no request has more of them within it, and each request without a call ends
 * with a call that outlives another request. As `staleCalls`, for requests that overlap, where times alone prove nothing.
 */
export const queuedCalls = rule<QueuedCalls>({
  finding,
  measure: (scene, open) => {
    const counter = remember(() => countAlike(scene));
    return groupCalls(scene.groups)
      .flatMap((groups) => measureQueuedCalls(scene, groups, counter))
      .filter(({ outliving }) => !outliving.some((call) => open.explained().has(call)));
  },
  gates: [
    gate(
      'there are as many calls for each request of the endpoint, and no request has more within it',
      ({ requests, calls, mostWithin }) =>
        calls.length % requests.length === 0 && mostWithin * requests.length <= calls.length,
      ({ requests, calls, mostWithin }) =>
        `${countOf(calls.length, 'call')} for ${countOf(requests.length, 'request')}, ${mostWithin} within one`,
    ),
    gate(
      'several requests have no call, and nearly all of these end with one that outlives another request',
      (features, scene) => {
        const { fewestDisplaced, displacedShare } = scene.thresholds;
        const { bare } = features;
        const { length } = pairQueued(scene, features);
        return (
          length >= fewestDisplaced && areNearlyAll(length, bare.length, displacedShare, scene.thresholds)
        );
      },
      (features, scene) => `${pairQueued(scene, features).length} of ${features.bare.length}`,
    ),
    gate(
      'clearly fewer do if the calls are moved in time',
      (features, scene) =>
        isMoreThanChance(
          features.outliving,
          pairQueued(scene, features).length,
          (moved) => pairQueued(scene, { ...features, outliving: moved }).length,
          scene.thresholds,
        ),
      () => 'nearly as many',
    ),
  ],
  looseEnds: ({ outliving }) => outliving,
  report: (features, scene) => {
    const { client, server, protocol, calls, outliving } = features;
    const { graph } = scene;
    const pairs = pairQueued(scene, features);
    const serverOf = new Map(calls.map((call) => [call.client, call.server]));
    const show = (call: Span, says: string): Shown => {
      const row = serverOf.get(graph.rowOf(call));
      return { client: call, server: row === undefined ? null : graph.view(row), says };
    };
    const paired = new Set(pairs.map(({ server: call }) => call));
    // A request that makes several calls is paired with the last.
    const others = outliving.filter((call) => !paired.has(call) && isLate(scene, graph.rowOf(call)));
    return finding.report({
      isLikely: true,
      client,
      server,
      protocol,
      doubt: doubtWorkAhead(pairs),
      shown: [
        ...pairs.map(({ client: { name, traceId }, server: call }) =>
          show(
            call,
            `"${name}" of trace ${traceId} has no call and ended with this one, which hangs below another request and outlives it`,
          ),
        ),
        ...others.map((call) => show(call, 'began after the request that it hangs below had ended')),
      ],
    });
  },
});

function pairQueued({ thresholds }: Scene, { bare, outliving }: QueuedCalls): readonly Pair[] {
  return pairContained(
    bare,
    outliving,
    thresholds,
    (request, call) => mayBeOfOnePool(request, call) && isEndedBy(request, call, thresholds),
  );
}

/** The number of requests of the service with the name and route of a request; 0 where its route is unknown. */
type CountAlike = (request: number) => number;

/** On rows, in one pass over all services: most captures have many requests, and no call that outlives its own. */
function countAlike({ graph, facts }: Scene): CountAlike {
  const { kinds, size } = graph.store;
  const keyOf = facts.remember((request) => {
    const route = readRoute(request);
    return route === null ? null : keyFor(request.name, route);
  });
  const ofServices: Map<string, number>[] = [];
  for (let row = 0; row < size; row += 1) {
    const key = kinds[row] === kindNumber.server && graph.has(row) ? keyOf(row) : null;
    if (key === null) continue;
    const service = graph.serviceNumberOf(row);
    ofServices[service] ??= new Map();
    const counts = ofServices[service];
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return (request) => ofServices[graph.serviceNumberOf(request)]?.get(keyOf(request) ?? '') ?? 0;
}

function measureQueuedCalls(
  scene: Scene,
  groups: Group<CallGroup>,
  counter: () => CountAlike,
): readonly QueuedCalls[] {
  const { graph, thresholds, shared } = scene;
  const [{ client, server, protocol }] = groups;
  const { kinds } = graph.store;
  const isRequest = (row: number): boolean => kinds[row] === kindNumber.server;
  const requestOf = (call: CallRows): number => graph.topInService(call.client);
  const isOutliving = (call: number): boolean => {
    const top = graph.topInService(call);
    return isRequest(top) && (graph.ends[call] ?? 0) > (graph.ends[top] ?? 0);
  };
  const total = groups.reduce((some, { servers }) => some + servers.length, 0);
  // Fewer calls than requests are not as many for each. Checked before the requests are named.
  const late = selectPairs(groups, isOutliving).filter((call) => counter()(requestOf(call)) <= total);
  if (late.length < thresholds.fewestDisplaced) return [];
  const routes = shared.routesOf(client).all;
  const ofTargets = groupBy(
    selectPairs(groups, (call) => isRequest(graph.topInService(call))),
    (call) => shared.brokenCalls.nameOf(call.client),
  );
  return ofTargets.flatMap((ofTarget) => {
    const outliving = ofTarget.filter((call) => isOutliving(call.client));
    if (outliving.length < thresholds.fewestDisplaced) return [];
    const owners = new Set(outliving.map(requestOf));
    const requests = routes
      .filter((route) => route.some((request) => owners.has(graph.rowOf(request))))
      .flat();
    const rows = new Set(requests.map((request) => graph.rowOf(request)));
    const calls = ofTarget.filter((call) => rows.has(requestOf(call)));
    const callers = listCallers(
      scene,
      client,
      calls.map((call) => call.client),
      server,
    );
    const bare = requests.filter((request) => !callers.has(graph.rowOf(request)));
    const within = mapBy(
      calls.filter((call) => !isOutliving(call.client)),
      requestOf,
    );
    return [
      {
        client,
        server,
        protocol,
        requests,
        calls,
        outliving: graph.viewsOf(outliving.map((call) => call.client)),
        mostWithin: [...within.values()].reduce((most, { length }) => Math.max(most, length), 0),
        bare,
      },
    ];
  });
}
