import { selectCalls } from '../calls/call-group.ts';
import { nameTarget } from '../calls/target.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { type Pair, pairSpans, startsDuring } from '../pairing/pair.ts';
import { atTime } from '../span/row-span.ts';
import type { Span } from '../span/span.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import { type Check, protocolOf, type Scene } from './check.ts';
import { finding, isDetached } from './context-lost-in-process.ts';

/**
 * A consumer's span ends before the message is handled, so that all which the handler calls begins traces. Timers call too:
 * (nearly) every message must be followed by such a call at once. Calls to peers without spans are left alone: a consumer
 * acknowledges each message, or asks its broker for the next, as soon as the span of the message has ended.
 */
export const findContextLostAfterConsumers: Check = (scene) => {
  const { graph, facts } = scene;
  const receivesMessages = (service: string | null): boolean => scene.services.hasKind(service, 'CONSUMER');
  const detached = selectCalls(
    graph,
    scene.groups.filter(({ client }) => receivesMessages(client)),
    (client) => facts.isOutgoing(client) && isDetached(scene, client),
  );
  const callOf = new Map(detached.map((call) => [call.client, call]));
  const groups = groupBy([...callOf.values()], ({ client, server }) =>
    keyFor(client.serviceName, nameTarget(client), client.name, server.serviceName),
  );
  return groups.flatMap((calls) => {
    const [{ client, server }] = calls;
    const clients = calls.map((call) => call.client);
    const pairs = pairWithMessages(scene, client.serviceName, clients);
    if (pairs.length === 0) return [];
    return [
      finding.report({
        isLikely: true,
        client: client.serviceName,
        server: server.serviceName,
        protocol: protocolOf(client),
        shown: pairs.map(({ client: message, server: client }) => ({
          client,
          server: callOf.get(client)?.server ?? null,
          says: `root of its own trace, made as soon as "${message.name}" of trace ${message.traceId} had ended`,
        })),
      }),
    ];
  });
};

/** Each message that is handled in no span, with the call that began right after it. */
function pairWithMessages(scene: Scene, service: string | null, calls: readonly Span[]): readonly Pair[] {
  const { displacedShare, displacedLeftOver, fewestDisplaced } = scene.thresholds;
  const messages = scene
    .entriesOf(service)
    .filter((span) => span.kind === 'CONSUMER' && !scene.graph.hasChildren(span));
  if (messages.length < fewestDisplaced || calls.length > messages.length * displacedLeftOver) return [];
  const windows = openWindows(messages, scene.thresholds.afterMessageShare);
  const pair = (moved: readonly Span[]): readonly Pair[] =>
    pairSpans(
      windows,
      moved,
      (window, call) => window.traceId !== call.traceId && startsDuring(call, window, scene.thresholds),
      scene.thresholds,
    );
  const pairs = pair(calls);
  const isEvery = pairs.length >= Math.max(fewestDisplaced, messages.length * displacedShare);
  const isSure =
    isEvery && isMoreThanChance(calls, pairs.length, (moved) => pair(moved).length, scene.thresholds);
  return isSure ? pairs : [];
}

/** From the end of each message for a share of the usual time to the next. */
function openWindows(messages: readonly Span[], share: number): readonly Span[] {
  const ends = messages
    .map((message) => message.endTimeUnixNano)
    .sort((one, other) => (one < other ? -1 : 1));
  const gaps = ends.slice(1).map((end, index) => Number(end - (ends[index] ?? end)));
  const usual = gaps.sort((one, other) => one - other)[gaps.length >> 1] ?? 0;
  return messages.map((message) => {
    const { endTimeUnixNano: end } = message;
    return atTime(message, end, end + BigInt(Math.round(usual * share)));
  });
}
