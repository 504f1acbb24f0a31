import { readBatchSize, readMessageId } from '../calls/call-facts.ts';
import { type CallGroup, prepareCountedOnce } from '../calls/call-group.ts';
import { none, type TraceGraph } from '../graph/trace-graph.ts';
import type { Scene } from '../rules/check.ts';
import { type Group, mapBy } from '../util/group-by.ts';

/** Whether a pair of rows counts as a call of its edge. Asked once of each, in the order of the groups. */
type IsCall = (client: number, server: number) => boolean;

/**
 * Chooses the calls of an edge that count.
 * @param groups Those of the edge.
 * @param isBroken Whether a server is of a broken call, which is counted with those.
 */
export function chooseCalls(
  scene: Scene,
  groups: Group<CallGroup>,
  isBroken: (server: number) => boolean,
): (group: CallGroup) => IsCall {
  if (groups[0].protocol !== 'messaging') {
    const isFirst = prepareCountedOnce(scene.graph);
    return (group) => (_, server) => isFirst(server, group);
  }
  const sent = groups.filter(({ clientKind }) => clientKind === 'PRODUCER');
  const isMessage = chooseMessages(scene, sent, isBroken);
  const isOther = sent.length === groups.length ? () => true : isReceivedOtherwise(sent);
  return ({ clientKind }) => (clientKind === 'PRODUCER' ? isMessage : isOther);
}

/** A message that names a PRODUCER span may name the span around it as well. */
function isReceivedOtherwise(sent: readonly CallGroup[]): IsCall {
  const received = new Set(sent.flatMap(({ servers }) => [...servers]));
  return (_, server) => !received.has(server);
}

/**
 * A service may have several spans of one message: one that receives it and one that processes it (semantic conventions, messaging spans,
 * "Consumer spans"), or one for each delivery. A PRODUCER span stands for as many messages as its consumers have ids of; without ids for as many
 * as it says that it sent, and otherwise for one.
 */
function chooseMessages(
  scene: Scene,
  sent: readonly CallGroup[],
  isBroken: (server: number) => boolean,
): IsCall {
  // The order of the spans decides which of the groups has it.
  if (!sent.some(({ extremes }) => extremes.isRepeated)) return () => true;
  const { graph, facts } = scene;
  const whole = listRepeated(graph, sent).filter(({ server }) => !isBroken(server));
  const chosen = new Map<number, ReadonlySet<number>>();
  for (const [client, calls] of mapBy(whole, (call) => call.client)) {
    const servers = calls.map(({ server }) => server).sort((one, other) => graph.compare(one, other));
    const ids = mapBy(servers, (server) => readMessageId(facts.at(server)));
    ids.delete(null);
    const messages =
      ids.size > 0
        ? Array.from(ids.values(), ([first]) => first)
        : servers.slice(0, readBatchSize(facts.at(client)));
    chosen.set(client, new Set(messages));
  }
  return (client, server) => chosen.get(client)?.has(server) ?? true;
}

/** The calls of clients that have several of these. */
function listRepeated(
  { store }: TraceGraph,
  groups: readonly CallGroup[],
): readonly { readonly client: number; readonly server: number }[] {
  const times = new Uint8Array(store.size);
  for (const { clients } of groups)
    for (const client of clients) times[client] = Math.min(2, (times[client] ?? 0) + 1);
  return groups.flatMap(({ clients, servers }) =>
    [...servers.keys()]
      .filter((at) => times[clients[at] ?? none] === 2)
      .map((at) => ({ client: clients[at] ?? none, server: servers[at] ?? none })),
  );
}
