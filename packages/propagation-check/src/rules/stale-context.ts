import { type Call, type CallGroup, groupCalls, selectCalls } from '../calls/call-group.ts';
import { findEntry } from '../calls/edge.ts';
import { nameEndpoints } from '../calls/endpoint.ts';
import { pairDisplaced } from '../pairing/displaced.ts';
import type { Pair } from '../pairing/pair-spans.ts';
import { endsWithin } from '../pairing/times.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, groupBy, mapBy } from '../util/group-by.ts';
import { defineFinding } from './define-finding.ts';
import { doubtWorkAhead } from './doubt-loss.ts';
import { listCallers } from './list-callers.ts';
import { pairTogether } from './pair-together.ts';
import { gate, rule } from './rule.ts';
import type { Scene } from './scene.ts';
import { areStartedByRequests } from './started-by-request.ts';

export const finding = defineFinding('stale-context', {
  kind: 'cause',
  isConclusive: true,
  cut: 'above call',
  shows: 'spans begin under a parent that had ended; many requests share one trace',
  title: 'Calls hang under an older request',
  why: 'A context or header of an earlier request is reused for later calls.',
  fix: 'Do not keep a context, header set or client with headers beyond one request; bind callbacks that wait to their own request, and inject anew for every call.',
});

/** Calls of one edge under requests of which some had ended when a call under them began. */
interface StaleCalls {
  readonly groups: Group<CallGroup>;
  readonly calls: readonly Call[];
  /** Other requests of the same endpoints that lack the call, each with a call that it waited for. */
  readonly pairs: readonly Pair[];
}

/**
 * The context inside the caller was stale: calls of many requests hang under a request that had ended. Fire-and-forget calls also hang
 * under an ended request and are healthy, but then no *other* request lacks those calls.
 */
export const staleCalls = rule<StaleCalls>({
  finding,
  measure: (scene) =>
    [...mapBy(groupCalls(scene.groups), ([{ client }]) => client).values()].flatMap((edges) =>
      pairTogether(
        edges.flatMap((groups) => measureStaleCalls(scene, groups)),
        ({ calls }) => calls.map(({ client }) => client),
        ([first, ...others]) =>
          measureStaleCalls(scene, [...first.groups, ...others.flatMap(({ groups }) => groups)]).flatMap(
            ({ pairs }) => pairs,
          ),
      ),
    ),
  gates: [
    gate(
      'nearly all requests of the endpoint that lack the call waited for one of these',
      ({ pairs }) => pairs.length > 0,
      ({ calls }) => `none of them, with ${countOf(calls.length, 'call')} below requests that had ended`,
    ),
    gate(
      'an older request has the calls of several others',
      ({ pairs }, scene) => pairs.length >= countOwners(scene, pairs) * scene.thresholds.callsPerStaleOwner,
      ({ pairs }, scene) => `${countOwners(scene, pairs)} older requests have the calls of ${pairs.length}`,
    ),
    gate(
      'such a call began after the request that it hangs below had ended',
      ({ pairs }, scene) => pairs.some(({ server: call }) => isLate(scene, scene.graph.rowOf(call))),
      ({ pairs }) => `none of ${pairs.length}`,
    ),
  ],
  looseEnds: ({ calls }, scene) =>
    calls.map((call) => call.client).filter((client) => isLate(scene, scene.graph.rowOf(client))),
  report: ({ groups: [{ client, server, protocol }], calls, pairs }, scene) => {
    const serverOf = new Map(calls.map((call) => [call.client, call.server]));
    return finding.report({
      isLikely: true,
      client,
      server,
      protocol,
      ...(areStartedByRequests(scene, client, pairs) ? {} : { doubt: doubtWorkAhead(pairs) }),
      shown: pairs.map(({ client: request, server: call }) => ({
        client: call,
        server: serverOf.get(call) ?? null,
        says: `began during "${request.name}" of trace ${request.traceId}, but hangs under an older request`,
      })),
    });
  },
});

function countOwners({ graph }: Scene, pairs: readonly Pair[]): number {
  return new Set(pairs.map((pair) => findEntry(graph, pair.server))).size;
}

function measureStaleCalls(scene: Scene, groups: Group<CallGroup>): readonly StaleCalls[] {
  const { graph, facts, thresholds } = scene;
  const [{ client }] = groups;
  const owners = listOwners(scene, groups);
  if (owners.size === 0) return [];
  const names = new Set([...owners].map((row) => facts.nameOf(row)));
  const isAlike = (row: number): boolean => graph.isEntry(row) && names.has(facts.nameOf(row));
  const alike = Array.from(graph.rowsOfService(client)).filter(isAlike);
  const clients = groups.flatMap((group) => [...group.clients]);
  const calling = new Set(clients.map((call) => graph.topInService(call)));
  // Checked before all calls are named.
  const idle = alike.filter((row) => !calling.has(row));
  if (idle.length === 0) return [];
  const called = new Set(groups.map((group) => group.server));
  const callers = listCallers(scene, client, clients, ...called);
  // Checked before views are made.
  const rowsWithoutCall = new Set(idle.filter((row) => !callers.has(row)));
  if (rowsWithoutCall.size === 0) return [];
  const requests = scene.selectSpans(client, isAlike);
  const endpointOf = nameEndpoints(requests);
  const calls = selectCalls(graph, groups, (call) => owners.has(graph.topInService(call)));
  const below = calls.flatMap((call) => {
    const owner = findEntry(graph, call.client);
    return owner === null ? [] : [{ owner, call: call.client }];
  });
  const inTime = below.filter(({ owner, call }) => endsWithin(call, owner, thresholds));
  const endpoints = new Set(below.map(({ owner }) => endpointOf(owner)));
  const withoutCall = requests.filter(
    (request) => endpoints.has(endpointOf(request)) && rowsWithoutCall.has(graph.rowOf(request)),
  );
  const pairs = groupBy(withoutCall, endpointOf).flatMap((ofEndpoint) =>
    pairDisplaced(
      ofEndpoint,
      below.map(({ call }) => call),
      inTime.length,
      thresholds,
    ),
  );
  return [{ groups, calls, pairs }];
}

/** The requests that had ended when a call under them began. */
function listOwners(scene: Scene, groups: readonly CallGroup[]): ReadonlySet<number> {
  const { graph, thresholds } = scene;
  const withLate = groups.filter(({ extremes }) => extremes.late > Number(thresholds.clockTolerance));
  return new Set(
    withLate.flatMap(({ clients }) =>
      Array.from(
        clients.filter((client) => isLate(scene, client)),
        (client) => graph.topInService(client),
      ),
    ),
  );
}

/** Whether a call began after the request above it had ended. */
export function isLate(scene: Scene, call: number): boolean {
  return startsAfter(scene, call, scene.graph.topInService(call));
}

/** Whether a row starts after the end of another, by more than clocks differ. */
export function startsAfter(
  { graph: { starts, ends }, thresholds }: Scene,
  later: number,
  earlier: number,
): boolean {
  return (starts[later] ?? 0) > (ends[earlier] ?? 0) + Number(thresholds.clockTolerance);
}
