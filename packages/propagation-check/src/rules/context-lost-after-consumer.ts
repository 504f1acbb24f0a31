import { type Call, selectCalls } from '../calls/call-group.ts';
import { isDetached } from '../calls/edge.ts';
import { nameTarget } from '../calls/target.ts';
import { isTelemetryExport } from '../calls/telemetry-export.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { areIrregular } from '../pairing/displaced.ts';
import { areNearlyAll } from '../pairing/nearly-all.ts';
import { type Pair, pairSpans } from '../pairing/pair-spans.ts';
import { durationOf, startsDuring } from '../pairing/times.ts';
import { mayBeOfOneProcess } from '../span/instance.ts';
import { atTime } from '../span/row-span.ts';
import { byStart, type Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import { later, median } from '../util/statistics.ts';
import { finding } from './context-lost-in-process.ts';
import { checkCode } from './doubt-loss.ts';
import { type Doubt, protocolOf } from './draft.ts';
import { type Gate, gate, type Rule, rule } from './rule.ts';
import type { Scene } from './scene.ts';

/** Calls of a service to one target that began traces, with the messages or requests that they may belong to. */
interface CallsAfterEntries {
  readonly calls: Group<Call>;
  /** The first call of each handler with the calls that follow it: a handler may make several calls, and a batch has several messages. */
  readonly bursts: ReadonlyMap<Span, readonly Span[]>;
  /**
   * One window for each message or request that was handled outside of a span: it begins at the end of the span, and lasts as long as the
   * handler has to make the call.
   */
  readonly windows: readonly Span[];
  /** Windows, each with the call that began in it. */
  readonly pairs: readonly Pair[];
}

/** What differs between calls after messages and calls after requests. */
interface Entries {
  readonly kind: 'CONSUMER' | 'SERVER';
  readonly name: string;
  readonly listWindows: (scene: Scene, service: string | null) => readonly (readonly Span[])[];
  /** Why such calls may begin traces on purpose, or belong to a timer; null if neither. */
  readonly doubtCalls: (windows: readonly Span[], pairs: readonly Pair[]) => Doubt | null;
}

/**
 * The CONSUMER span ends before the message is handled, so all calls of the handler begin traces. Timers call too, so (nearly) every
 * message must be followed by such a call at once. Calls to peers without spans are left out: a consumer acknowledges each message, or
 * polls its broker for the next, as soon as the span of the message ends.
 */
export const callsAfterMessages = findCallsAfter({
  kind: 'CONSUMER',
  name: 'message',
  listWindows: (scene, service) => [openWindows(scene, listUnhandled(scene, service))],
  doubtCalls: doubtRegular,
});

/**
 * The same for work that a request leaves to a queue or pool of its process. A warning, as some programs begin a trace for such work on
 * purpose.
 */
export const callsAfterRequests = findCallsAfter({
  kind: 'SERVER',
  name: 'request',
  listWindows: (scene, service) =>
    scene.shared
      .routesOf(service)
      .all.filter(([first]) => first.kind === 'SERVER')
      .map((ofRoute) => openWindows(scene, ofRoute))
      // Health checks come at fixed times, and a timer of the service may keep step with them.
      .filter(areIrregular),
  doubtCalls: (_, [pair]) => (pair === undefined ? null : doubtMeant(pair)),
});

function findCallsAfter({ kind, name, listWindows, doubtCalls }: Entries): Rule {
  return rule<CallsAfterEntries>({
    finding,
    measure: (scene, open) => {
      const { graph, facts, services } = scene;
      const groups = scene.groups.filter(
        ({ client, extremes }) => extremes.hasDetached && services.hasKind(client, kind),
      );
      const detached = selectCalls(
        graph,
        groups,
        (client) => facts.isOutgoing(client) && isDetached(scene.graph, client),
      ).filter(({ client }) => !open.explained().has(client) && !isTelemetryExport(client));
      const calls = [...new Map(detached.map((call) => [call.client, call])).values()];
      return groupBy(calls, ({ client }) => keyFor(client.serviceName)).flatMap((ofService) => {
        const routes = listWindows(scene, ofService[0].client.serviceName);
        const targets = groupBy(ofService, ({ client, server }) =>
          keyFor(nameTarget(client), client.name, server.serviceName),
        );
        return targets.flatMap((ofTarget) => {
          const clients = listClients(ofTarget).toSorted(byStart);
          return (
            routes
              // A service also makes calls on timers, so routes with far more or fewer windows than calls are left out.
              .filter((windows) => kind === 'CONSUMER' || mayFollow(scene, windows, clients))
              .map((windows) => measureTarget(scene, windows, ofTarget, clients))
          );
        });
      });
    },
    gates: listGates(name),
    looseEnds: ({ calls }) => listClients(calls),
    report: ({ calls, bursts, windows, pairs }) => {
      const [{ client, server }] = calls;
      const serverOf = new Map(calls.map((call) => [call.client, call.server]));
      return finding.report({
        doubt: doubtCalls(windows, pairs),
        isLikely: true,
        client: client.serviceName,
        server: server.serviceName,
        protocol: protocolOf(client),
        shown: pairs.flatMap(({ client: entry, server: first }) =>
          (bursts.get(first) ?? []).map((call) => ({
            client: call,
            server: serverOf.get(call) ?? null,
            says: `root of its own trace, made as soon as ${call === first ? '' : 'another call after '}"${entry.name}" of trace ${entry.traceId} had ended`,
          })),
        ),
      });
    },
  });
}

/** Two schedulers with the same period keep step. */
function doubtRegular(windows: readonly Span[], [pair]: readonly Pair[]): Doubt | null {
  if (pair === undefined || areIrregular(windows)) return null;
  return {
    says: 'The messages came at regular intervals, and a timer may keep step with them.',
    decide: [
      'Send such messages at irregular times, and check again: a timer does not follow them',
      checkCode(pair),
    ],
  };
}

function doubtMeant(pair: Pair): Doubt {
  return {
    says: 'The requests had ended: work that goes on after the answer may begin a trace on purpose.',
    decide: [checkCode(pair)],
  };
}

function listGates(name: string): readonly Gate<CallsAfterEntries>[] {
  return [
    gate(
      `there are nearly as many such calls as ${name}s, and several`,
      ({ windows, calls }, scene) => areMany(scene, windows, calls),
      ({ windows, calls }) => `${countOf(calls.length, 'call')}, ${countOf(windows.length, name)}`,
    ),
    gate(
      `nearly every call has a ${name}`,
      ({ bursts, windows }, { thresholds }) => bursts.size <= windows.length * thresholds.displacedLeftOver,
      ({ bursts, windows }) =>
        `${countOf(bursts.size, 'call')}, ${countOf(windows.length, name)} handled in no span`,
    ),
    gate(
      `the calls come to rest before the next ${name}`,
      ({ bursts, windows, pairs }) => doRest(bursts, windows, pairs),
      () => 'they go on until the next',
    ),
    gate(
      `nearly every ${name} is followed by such a call at once`,
      ({ windows, pairs }, scene) => areMany(scene, windows, pairs),
      ({ windows, pairs }) => `${pairs.length} of ${countOf(windows.length, name)}`,
    ),
    gate(
      'fewer would follow by chance',
      ({ bursts, windows, pairs }, scene) =>
        isMoreThanChance(
          [...bursts.keys()],
          pairs.length,
          (moved) => pairWithWindows(scene, windows, moved).length,
          scene.thresholds,
        ),
      ({ pairs }) => `at other times of the capture about as many as ${pairs.length} follow`,
    ),
  ];
}

function measureTarget(
  scene: Scene,
  windows: readonly Span[],
  calls: Group<Call>,
  clients: readonly Span[],
): CallsAfterEntries {
  // Span names that contain ids make as many targets as calls.
  const found = areMany(scene, windows, calls) ? [...listBursts(windows, clients)] : [];
  const bursts = new Map(found.map((burst) => [burst[0], burst]));
  return { calls, bursts, windows, pairs: pairWithWindows(scene, windows, [...bursts.keys()]) };
}

/** Whether there are enough calls, and not many more than windows. Stops at the first call too many, as there may be very many. */
function mayFollow(scene: Scene, windows: readonly Span[], clients: readonly Span[]): boolean {
  if (!areMany(scene, windows, clients)) return false;
  const most = windows.length * scene.thresholds.displacedLeftOver;
  let count = 0;
  for (const _ of listBursts(windows, clients)) {
    count += 1;
    if (count > most) return false;
  }
  return true;
}

/** Whether nearly every window may have a call, and the number is too large for a coincidence. */
function areMany({ thresholds }: Scene, windows: readonly Span[], { length }: readonly unknown[]): boolean {
  return (
    length >= thresholds.fewestDisplaced &&
    areNearlyAll(length, windows.length, thresholds.displacedShare, thresholds)
  );
}

function listClients(calls: readonly Call[]): readonly Span[] {
  return calls.map(({ client }) => client);
}

/**
 * Divides calls into bursts: a new burst begins after each message, and after a pause longer than a window.
 * @param calls By start.
 */
function* listBursts(windows: readonly Span[], calls: readonly Span[]): Generator<Group<Span>> {
  let burst: [Span, ...Span[]] | null = null;
  let [latestEnd, open, at] = [0n, 0n, 0];
  for (const call of calls) {
    const { startTimeUnixNano: start, endTimeUnixNano: end } = call;
    const before = at;
    for (let next = windows[at]; next !== undefined && next.startTimeUnixNano <= start; next = windows[at]) {
      open = next.endTimeUnixNano - next.startTimeUnixNano;
      at += 1;
    }
    if (burst === null || at !== before || start > latestEnd + open) {
      if (burst !== null) yield burst;
      burst = [call];
      latestEnd = end;
    } else {
      burst.push(call);
      latestEnd = later(latestEnd, end);
    }
  }
  if (burst !== null) yield burst;
}

/** Whether most bursts end more than the length of a window before the next window. A timer with a shorter period goes on until then. */
function doRest(
  bursts: ReadonlyMap<Span, readonly Span[]>,
  windows: readonly Span[],
  pairs: readonly Pair[],
): boolean {
  const nextOf = new Map(windows.map((window, at) => [window, windows[at + 1]]));
  const rests = pairs.flatMap(({ client: window, server: first }) => {
    const [next, last] = [nextOf.get(window), bursts.get(first)?.at(-1)];
    if (next === undefined || last === undefined) return [];
    return [Number(next.startTimeUnixNano - last.startTimeUnixNano - durationOf(window))];
  });
  return rests.length === 0 || median(rests) > 0;
}

function pairWithWindows(
  { thresholds }: Scene,
  windows: readonly Span[],
  calls: readonly Span[],
): readonly Pair[] {
  return pairSpans(
    windows,
    calls,
    (window, call) => startsDuring(call, window, thresholds) && mayBeOfOneProcess(window, call),
    thresholds,
  );
}

function listUnhandled({ graph, entriesOf }: Scene, service: string | null): readonly Span[] {
  return entriesOf(service).filter((span) => span.kind === 'CONSUMER' && !graph.hasChildren(span));
}

/** The window of each message or request: from its end, for a share of the usual time to the next. */
function openWindows({ thresholds }: Scene, entries: readonly Span[]): readonly Span[] {
  const inOrder = entries.toSorted((one, other) => Number(one.endTimeUnixNano - other.endTimeUnixNano));
  const gaps = inOrder
    .slice(1)
    .map(({ endTimeUnixNano: end }, at) => Number(end - (inOrder[at]?.endTimeUnixNano ?? end)));
  const open = BigInt(Math.round(median(gaps) * thresholds.afterMessageShare));
  return inOrder.map((entry) => atTime(entry, entry.endTimeUnixNano, entry.endTimeUnixNano + open));
}
