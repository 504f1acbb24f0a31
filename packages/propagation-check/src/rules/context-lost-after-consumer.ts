import { type Call, selectCalls } from '../calls/call-group.ts';
import { nameTarget } from '../calls/target.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { type Pair, pairSpans, startsDuring } from '../pairing/pair.ts';
import { atTime } from '../span/row-span.ts';
import type { Span } from '../span/span.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import { median } from '../util/statistics.ts';
import { protocolOf, type Scene } from './check.ts';
import { finding, isDetached } from './context-lost-in-process.ts';
import { gate, rule } from './rule.ts';

/** Calls of a consumer to one target that began traces. */
interface CallsAfterMessages {
  readonly scene: Scene;
  readonly calls: Group<Call>;
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
      (client) => facts.isOutgoing(client) && isDetached(scene, client),
    );
    const calls = [...new Map(detached.map((call) => [call.client, call])).values()];
    return groupBy(calls, ({ client, server }) =>
      keyFor(client.serviceName, nameTarget(client), client.name, server.serviceName),
    ).map((ofTarget) => {
      const windows = openWindows(scene, ofTarget[0].client.serviceName);
      return {
        scene,
        calls: ofTarget,
        windows,
        pairs: pairWithWindows(scene, windows, listClients(ofTarget)),
      };
    });
  },
  gates: [
    gate(
      'hardly any call has no message',
      ({ scene, calls, windows }) => calls.length <= windows.length * scene.thresholds.displacedLeftOver,
      ({ calls, windows }) => `${calls.length} calls, ${windows.length} messages that are handled in no span`,
    ),
    gate(
      'nearly every message is followed by such a call at once, and there are several',
      ({ scene: { thresholds }, windows, pairs }) =>
        pairs.length >= Math.max(thresholds.fewestDisplaced, windows.length * thresholds.displacedShare),
      ({ windows, pairs }) => `${pairs.length} of ${windows.length} messages`,
    ),
    gate(
      'fewer would follow by chance',
      ({ scene, calls, windows, pairs }) =>
        isMoreThanChance(
          listClients(calls),
          pairs.length,
          (moved) => pairWithWindows(scene, windows, moved).length,
          scene.thresholds,
        ),
      ({ pairs }) => `at other times of the capture about as many as ${pairs.length} follow`,
    ),
  ],
  looseEnds: ({ calls }) => listClients(calls),
  report: ({ calls, pairs }) => {
    const [{ client, server }] = calls;
    const serverOf = new Map(calls.map((call) => [call.client, call.server]));
    return finding.report({
      isLikely: true,
      client: client.serviceName,
      server: server.serviceName,
      protocol: protocolOf(client),
      shown: pairs.map(({ client: message, server: call }) => ({
        client: call,
        server: serverOf.get(call) ?? null,
        says: `root of its own trace, made as soon as "${message.name}" of trace ${message.traceId} had ended`,
      })),
    });
  },
});

function listClients(calls: readonly Call[]): readonly Span[] {
  return calls.map(({ client }) => client);
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
  return messages.map((message) => {
    const { endTimeUnixNano: end } = message;
    return atTime(message, end, end + open);
  });
}
