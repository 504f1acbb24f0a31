import { type Call, selectCalls } from '../calls/call-group.ts';
import { isDetached } from '../calls/edge.ts';
import { nameTarget } from '../calls/target.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { type Pair, pairSpans, startsDuring } from '../pairing/pair.ts';
import { atTime } from '../span/row-span.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import { later, median } from '../util/statistics.ts';
import { protocolOf, type Scene } from './check.ts';
import { finding } from './context-lost-in-process.ts';
import { gate, rule } from './rule.ts';

/** Calls of a consumer to one target that began traces. */
interface CallsAfterMessages {
  readonly scene: Scene;
  readonly calls: Group<Call>;
  /** The first call of each handler, with those that follow it: a handler may call several times, and a batch has several messages. */
  readonly bursts: ReadonlyMap<Span, readonly Span[]>;
  /** The messages that are handled in no span, as long as their handlers have to call. */
  readonly windows: readonly Span[];
  /** Messages, each with the call that began right after it. */
  readonly pairs: readonly Pair[];
}

/**
 * A consumer's span ends before the message is handled, so that all which the handler calls begins traces. Timers call too:
 * (nearly) every message must be followed by such a call at once. Calls to peers without spans are left alone: a consumer
 * acknowledges each message, or asks its broker for the next, as soon as the span of the message has ended.
 */
export const callsAfterMessages = rule<CallsAfterMessages>({
  finding,
  measure: (scene) => {
    const { graph, facts, services } = scene;
    const detached = selectCalls(
      graph,
      scene.groups.filter(({ client }) => services.hasKind(client, 'CONSUMER')),
      (client) => facts.isOutgoing(client) && isDetached(scene.graph, client),
    );
    const calls = [...new Map(detached.map((call) => [call.client, call])).values()];
    return groupBy(calls, ({ client }) => keyFor(client.serviceName)).flatMap((ofService) => {
      const windows = openWindows(scene, ofService[0].client.serviceName);
      return groupBy(ofService, ({ client, server }) =>
        keyFor(nameTarget(client), client.name, server.serviceName),
      ).map((ofTarget) => {
        // Names with ids in them make as many targets as calls.
        const bursts = areMany(scene, windows, ofTarget)
          ? listBursts(windows, listClients(ofTarget))
          : new Map<Span, readonly Span[]>();
        const pairs = pairWithWindows(scene, windows, [...bursts.keys()]);
        return { scene, calls: ofTarget, bursts, windows, pairs };
      });
    });
  },
  gates: [
    gate(
      'there are nearly as many such calls as messages, and several',
      ({ scene, windows, calls }) => areMany(scene, windows, calls),
      ({ windows, calls }) => `${countOf(calls.length, 'call')}, ${countOf(windows.length, 'message')}`,
    ),
    gate(
      'hardly any call has no message',
      ({ scene, bursts, windows }) => bursts.size <= windows.length * scene.thresholds.displacedLeftOver,
      ({ bursts, windows }) =>
        `${countOf(bursts.size, 'call')}, ${countOf(windows.length, 'message')} handled in no span`,
    ),
    gate(
      'nearly every message is followed by such a call at once',
      ({ scene, windows, pairs }) => areMany(scene, windows, pairs),
      ({ windows, pairs }) => `${pairs.length} of ${countOf(windows.length, 'message')}`,
    ),
    gate(
      'fewer would follow by chance',
      ({ scene, bursts, windows, pairs }) =>
        isMoreThanChance(
          [...bursts.keys()],
          pairs.length,
          (moved) => pairWithWindows(scene, windows, moved).length,
          scene.thresholds,
        ),
      ({ pairs }) => `at other times of the capture about as many as ${pairs.length} follow`,
    ),
  ],
  looseEnds: ({ calls }) => listClients(calls),
  report: ({ calls, bursts, pairs }) => {
    const [{ client, server }] = calls;
    const serverOf = new Map(calls.map((call) => [call.client, call.server]));
    return finding.report({
      isLikely: true,
      client: client.serviceName,
      server: server.serviceName,
      protocol: protocolOf(client),
      shown: pairs.flatMap(({ client: message, server: first }) =>
        (bursts.get(first) ?? []).map((call) => ({
          client: call,
          server: serverOf.get(call) ?? null,
          says: `root of its own trace, made as soon as ${call === first ? '' : 'another call after '}"${message.name}" of trace ${message.traceId} had ended`,
        })),
      ),
    });
  },
});

/** Whether nearly every message may have one, and so many are no coincidence. */
function areMany({ thresholds }: Scene, windows: readonly Span[], { length }: readonly unknown[]): boolean {
  return length >= Math.max(thresholds.fewestDisplaced, windows.length * thresholds.displacedShare);
}

function listClients(calls: readonly Call[]): readonly Span[] {
  return calls.map(({ client }) => client);
}

/** Divides calls by the last message before them, and where more time passed than until the first call of a handler. */
function listBursts(windows: readonly Span[], calls: readonly Span[]): ReadonlyMap<Span, readonly Span[]> {
  const bursts = new Map<Span, Span[]>();
  let burst: Span[] = [];
  let [latestEnd, open, at] = [0n, 0n, 0];
  for (const call of calls.toSorted((one, other) =>
    Number(one.startTimeUnixNano - other.startTimeUnixNano),
  )) {
    const { startTimeUnixNano: start, endTimeUnixNano: end } = call;
    const before = at;
    for (let next = windows[at]; next !== undefined && next.startTimeUnixNano <= start; next = windows[at]) {
      open = next.endTimeUnixNano - next.startTimeUnixNano;
      at += 1;
    }
    const isFirst = at !== before || start > latestEnd + open;
    if (isFirst) {
      burst = [];
      bursts.set(call, burst);
    }
    burst.push(call);
    latestEnd = isFirst ? end : later(latestEnd, end);
  }
  return bursts;
}

function pairWithWindows(
  { thresholds }: Scene,
  windows: readonly Span[],
  calls: readonly Span[],
): readonly Pair[] {
  return pairSpans(windows, calls, (window, call) => startsDuring(call, window, thresholds), thresholds);
}

/** Of each message that is handled in no span: from its end for a share of the usual time to the next. */
function openWindows(scene: Scene, service: string | null): readonly Span[] {
  const messages = scene
    .entriesOf(service)
    .filter((span) => span.kind === 'CONSUMER' && !scene.graph.hasChildren(span))
    .toSorted((one, other) => Number(one.endTimeUnixNano - other.endTimeUnixNano));
  const gaps = messages
    .slice(1)
    .map(({ endTimeUnixNano: end }, at) => Number(end - (messages[at]?.endTimeUnixNano ?? end)));
  const open = BigInt(Math.round(median(gaps) * scene.thresholds.afterMessageShare));
  return messages.map((message) => atTime(message, message.endTimeUnixNano, message.endTimeUnixNano + open));
}
