import type { EdgeProtocol } from '../calls/call-group.ts';
import { isDetached } from '../calls/edge.ts';
import { readMethod, readPath } from '../calls/http-facts.ts';
import { isHealthProbe } from '../calls/probes.ts';
import { hasFailed } from '../calls/resends.ts';
import { readRpcMethod } from '../calls/rpc-facts.ts';
import { nameTarget } from '../calls/target.ts';
import { none } from '../graph/trace-graph.ts';
import { areEndedByCalls, measureFill } from '../pairing/awaited.ts';
import { bounds } from '../pairing/bounds.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { areNearlyAll } from '../pairing/nearly-all.ts';
import type { Pair } from '../pairing/pair-spans.ts';
import { endsWithin, indexByTime } from '../pairing/times.ts';
import { mayBeOfOnePool } from '../span/instance.ts';
import { atTime } from '../span/row-span.ts';
import { byStart, kindNumber, type Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, groupBy, keyFor, mapBy } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { median, sumOf } from '../util/statistics.ts';
import { finding } from './context-lost-in-process.ts';
import { checkCode, doubtAwaited, doubtLoss, doubtOverlap, sendInTurn } from './doubt-loss.ts';
import type { Doubt } from './draft.ts';
import { gate, rule } from './rule.ts';
import type { Open, Scene } from './scene.ts';

/** A request with a call that failed and that its own trace does not repeat. */
interface FailedRequest {
  readonly request: Span;
  readonly failed: Span;
}

/** A failed call of a request, and the calls that began traces and repeat it one after the other, until one succeeds. */
interface Retries extends FailedRequest {
  readonly attempts: Group<Span>;
  /** No attempt fits another request. */
  readonly unique: boolean;
  /** The last attempt did not fail. */
  readonly succeeds: boolean;
}

/** The calls of one edge that repeat failed ones. */
interface LostRetries {
  readonly client: string | null;
  readonly server: string | null;
  readonly protocol: EdgeProtocol;
  readonly retries: readonly Retries[];
  /** The number of requests with a failed call that they did not repeat. */
  readonly failed: number;
  /** All calls that began traces and ask for the same as some failed call. */
  readonly detached: readonly Span[];
  readonly serverOf: (call: Span) => Span | null;
  readonly areMoreThanChance: () => boolean;
}

/**
 * A call of a request fails, and a queue or a timer that has lost the context of the request repeats it, while the request waits. As the
 * request shows its first call, the rules for requests without a call see nothing. A poller of the same path also calls when no request
 * waits, and does not stop at the first success.
 */
export const lostRetries = rule<LostRetries>({
  finding,
  measure: (scene, open) => {
    const detaching = scene.groups.filter(
      ({ client, extremes }) => extremes.hasDetached && scene.services.hasKind(client, 'SERVER'),
    );
    const clients = new Set(detaching.map(({ client }) => client));
    return [...clients].flatMap((client) => measureService(scene, open, client));
  },
  gates: [
    gate(
      'nearly every failed call of a request is repeated within the request by a call that began a trace',
      ({ retries, failed }, { thresholds }) =>
        areNearlyAll(retries.length, failed, thresholds.displacedShare, thresholds),
      ({ retries, failed }) => `${retries.length} of ${failed}`,
    ),
    gate(
      'no other call of the same kind began a trace, or fewer would fit by chance',
      ({ retries, detached, areMoreThanChance }, { thresholds }) => {
        const repeating = countAttempts(retries);
        return (
          (repeating === detached.length &&
            (areUnique(retries) || retries.every(({ succeeds }) => succeeds))) ||
          (retries.length >= thresholds.fewestDisplaced &&
            detached.length <= repeating * thresholds.displacedLeftOver &&
            areMoreThanChance())
        );
      },
      ({ retries, detached }) => `${countAttempts(retries)} of ${countOf(detached.length, 'such call')}`,
    ),
  ],
  looseEnds: ({ detached }) => detached,
  report: (lost, scene) => {
    const { client, server, protocol, retries, serverOf } = lost;
    const count = countAttempts(retries);
    return finding.report({
      ...{ client, server, protocol },
      isLikely: true,
      doubt: doubtRetries(scene, lost),
      facts: [
        `${count === 1 ? 'the call repeats a call' : `all ${count} calls repeat calls`} of ${client} that failed: the first attempt belongs to its request, the later ones do not`,
      ],
      shown: retries.flatMap(({ request, failed, attempts }) =>
        attempts.map((attempt) => ({
          client: attempt,
          server: serverOf(attempt),
          says: `root of its own trace, repeats CLIENT ${failed.spanId}, which failed during "${request.name}" of trace ${request.traceId}`,
        })),
      ),
    });
  },
});

function countAttempts(retries: readonly Retries[]): number {
  return sumOf(retries.map(({ attempts }) => attempts.length));
}

function areUnique(retries: readonly Retries[]): boolean {
  return retries.every(({ unique }) => unique);
}

/** Requests that work on for long after the last attempt may not have waited for it, even if it began early. */
function doubtRetries(scene: Scene, { client, retries, areMoreThanChance }: LostRetries): Doubt | null {
  const { thresholds } = scene;
  const pairs = retries.map(({ request, attempts, unique }): Pair => {
    const [first] = attempts;
    const last = attempts.at(-1) ?? first;
    return { client: request, server: atTime(last, first.startTimeUnixNano, last.endTimeUnixNano), unique };
  });
  const isFilled = (): boolean =>
    median(pairs.map((pair) => measureFill(pair.client, pair.server))) >= thresholds.waitedShare;
  const [first] = pairs;
  if (first !== undefined && !areEndedByCalls(pairs, thresholds) && !isFilled()) return doubtAwaited(first);
  const checkFirst = pairs.slice(0, 1).map(checkCode);
  if (waitForOthers(scene, client, retries)) return doubtOverlap(checkFirst);
  if (areUnique(retries)) return doubtLoss(scene, pairs, thresholds.fewestDetached);
  if (areMoreThanChance()) return doubtLoss(scene, pairs, thresholds.fewestDisplaced);
  return doubtOverlap([sendInTurn, ...checkFirst]);
}

/**
 * Whether a request has another call that is open when its last attempt ends. The request may wait for that one, to a fallback, while a
 * circuit breaker repeats the failed call in a trace of its own on purpose.
 */
function waitForOthers({ graph }: Scene, service: string | null, retries: readonly Retries[]): boolean {
  const rowsOf = new Map(
    retries.map(({ request, failed, attempts: [first, ...later] }) => [
      graph.rowOf(request),
      { failed: graph.rowOf(failed), last: graph.rowOf(later.at(-1) ?? first) },
    ]),
  );
  return [...graph.rowsOfService(service)].some((row) => {
    const rows = rowsOf.get(graph.topInService(row));
    if (rows === undefined || graph.store.kinds[row] !== kindNumber.client) return false;
    const end = graph.ends[rows.last] ?? 0;
    const isOpen = (graph.starts[row] ?? 0) < end && (graph.ends[row] ?? 0) >= end;
    // A span of all attempts is no other call.
    return isOpen && !graph.isBelow(rows.failed, row);
  });
}

function measureService(scene: Scene, open: Open, client: string | null): readonly LostRetries[] {
  const { graph, facts } = scene;
  const { kinds } = graph.store;
  const keyOf = facts.remember((call) => {
    const [path, rpcMethod] = [readPath(call), readRpcMethod(call)];
    return path === null && rpcMethod === null
      ? null
      : keyFor(readMethod(call), rpcMethod, path, nameTarget(call));
  });
  const calls = [...graph.rowsOfService(client)].filter(
    (row) => kinds[row] === kindNumber.client && facts.isOutgoing(row),
  );
  // Two instrumentation layers make nested spans for one call; the inner one reaches the service.
  const outer = new Set(calls.map((row) => graph.parents[row] ?? none));
  const inner = calls.filter((row) => !outer.has(row));
  const isOfRequest = (row: number): boolean => kinds[graph.topInService(row)] === kindNumber.server;
  const keys = new Set(inner.filter((row) => isOfRequest(row) && hasFailed(facts, row)).map(keyOf));
  if (keys.size === 0) return [];
  const asking = inner.filter((row) => keyOf(row) !== null && keys.has(keyOf(row)));
  const reached = listReached(scene, client, new Set(asking));
  const ofKeys = [...mapBy(asking, keyOf).values()];
  const serverOfKey = (rows: readonly number[]): number =>
    reached.get(rows.find((row) => reached.has(row)) ?? none) ?? none;
  const whole = ofKeys.filter((rows) => serverOfKey(rows) !== none);
  return groupBy(whole, (rows) => graph.serviceOf(serverOfKey(rows)) ?? '').flatMap((ofEdge) => {
    const requests = ofEdge.flatMap((rows) => {
      const [first] = rows;
      const failed = listFailedRequests(scene, rows.filter(isOfRequest));
      return failed.map((one) => ({ ...one, key: keyOf(first) }));
    });
    const detached = graph
      .viewsOf(ofEdge.flatMap((rows) => rows.filter((row) => isDetached(graph, row))))
      .filter((call) => !open.explained().has(call));
    if (requests.length === 0) return [];
    const pair = preparePair(scene, requests, keyOf);
    const retries = pair(detached);
    const protocol = facts.protocolOf(ofEdge[0][0]) === 'rpc' ? 'rpc' : 'http';
    return [
      {
        ...{ client, protocol, retries, detached },
        server: graph.serviceOf(serverOfKey(ofEdge[0])),
        failed: requests.length,
        serverOf: (call: Span) => {
          const server = reached.get(graph.rowOf(call));
          return server === undefined ? null : graph.view(server);
        },
        areMoreThanChance: remember(() =>
          isMoreThanChance(detached, retries.length, (moved) => pair(moved).length, scene.thresholds),
        ),
      },
    ];
  });
}

/** The SERVER spans of calls, by the row of the call. */
function listReached(
  { groupsFrom }: Scene,
  service: string | null,
  calls: ReadonlySet<number>,
): ReadonlyMap<number, number> {
  const reached = new Map<number, number>();
  for (const { client, server, clients, servers } of groupsFrom(service)) {
    if (client === server) continue;
    for (const [at, call] of clients.entries()) if (calls.has(call)) reached.set(call, servers[at] ?? none);
  }
  return reached;
}

/** @param calls Calls within requests that ask for the same. */
function listFailedRequests(
  { graph, facts, thresholds: { rounding } }: Scene,
  calls: readonly number[],
): readonly FailedRequest[] {
  const endOf = (row: number): number => graph.ends[row] ?? Number.POSITIVE_INFINITY;
  return [...mapBy(calls, (row) => graph.topInService(row))].flatMap(([top, ofRequest]) => {
    const [failed] = ofRequest
      .filter((row) => hasFailed(facts, row))
      .toSorted((one, other) => endOf(one) - endOf(other));
    if (failed === undefined) return [];
    const isRepeated = ofRequest.some(
      (row) => row !== failed && (graph.starts[row] ?? 0) >= endOf(failed) - Number(rounding),
    );
    const request = graph.view(top);
    return isRepeated || isHealthProbe(request) ? [] : [{ request, failed: graph.view(failed) }];
  });
}

/** Prepares to give each call to the request that has waited longest since its last attempt of the same call failed. */
function preparePair(
  { graph, facts, thresholds }: Scene,
  requests: readonly (FailedRequest & { readonly key: string | null })[],
  keyOf: (row: number) => string | null,
): (calls: readonly Span[]) => readonly Retries[] {
  const { rounding } = thresholds;
  const ofKeys = new Map(
    [...mapBy(requests, ({ key }) => key)].map(([key, alike]) => {
      const failedOf = new Map(alike.map((one) => [one.request, one]));
      return [
        key,
        { failedOf, openAt: indexByTime([...failedOf.keys()], { ...thresholds, clockTolerance: rounding }) },
      ];
    }),
  );
  return (calls) => {
    const found = new Map<FailedRequest, { readonly attempts: [Span, ...Span[]]; unique: boolean }>();
    const lastOf = (one: FailedRequest): Span => found.get(one)?.attempts.at(-1) ?? one.failed;
    const mayFollow = (one: FailedRequest, call: Span): boolean => {
      const last = lastOf(one);
      return (
        hasFailed(facts, graph.rowOf(last)) &&
        call.startTimeUnixNano >= last.endTimeUnixNano - rounding &&
        endsWithin(call, one.request, thresholds) &&
        mayBeOfOnePool(one.request, call)
      );
    };
    for (const call of calls.toSorted(byStart)) {
      const alike = ofKeys.get(keyOf(graph.rowOf(call)));
      const waiting: FailedRequest[] = [];
      let looks = 0;
      alike?.openAt.someOpen(call.startTimeUnixNano, (request) => {
        const one = alike.failedOf.get(request);
        if (one !== undefined && mayFollow(one, call)) waiting.push(one);
        looks += 1;
        return looks >= bounds.candidates;
      });
      const [one, another] = waiting.toSorted((left, right) =>
        Number(lastOf(left).endTimeUnixNano - lastOf(right).endTimeUnixNano),
      );
      if (one === undefined) continue;
      const known = found.get(one);
      known?.attempts.push(call);
      if (known === undefined) found.set(one, { attempts: [call], unique: another === undefined });
      else if (another !== undefined) known.unique = false;
    }
    return Array.from(found, ([one, chain]) => ({
      request: one.request,
      failed: one.failed,
      ...chain,
      succeeds: !hasFailed(facts, graph.rowOf(lastOf(one))),
    }));
  };
}
