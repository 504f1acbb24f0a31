import {
  type CallGroup,
  type CallRows,
  groupCalls,
  listRepeatedClients,
  selectPairs,
} from '../calls/call-group.ts';
import { readBatchSize, readMessageId } from '../calls/messaging-facts.ts';
import type { TraceGraph } from '../graph/trace-graph.ts';
import type { GraphFacts } from '../rules/scene.ts';
import { type Group, keyFor, mapBy } from '../util/group-by.ts';

/** Whether a pair of rows counts as a call. Call it once for each pair, in the order of the groups. */
type IsCall = (client: number, server: number) => boolean;

type Pairs = (client: number, server: number) => boolean;

/**
 * Chooses which pairs of an edge count as calls.
 * @param groups The groups of the edge.
 * @param isBroken Whether a server belongs to a broken call, which is counted as such.
 * @param isCounted Whether a pair was counted before: each call is counted once, so that only new calls are chosen.
 */
export function chooseCalls(
  { graph, facts }: GraphFacts,
  groups: Group<CallGroup>,
  isBroken: (server: number) => boolean,
  isCounted?: Pairs,
): (group: CallGroup) => IsCall {
  if (groups[0].protocol !== 'messaging') {
    const isLinked: Pairs = (client, server) =>
      graph.hasLinks(server) && isCounted?.(client, server) === true;
    const isFirst = chooseFirst(graph, isCounted === undefined ? [] : selectPairs(groups, isLinked));
    return () => isFirst;
  }
  const sent = groups.filter(({ clientKind }) => clientKind === 'PRODUCER');
  const isMessage = chooseMessages({ graph, facts }, sent, isBroken, isCounted ?? (() => false));
  const isOther = sent.length === groups.length ? () => true : isReceivedOtherwise(sent);
  return ({ clientKind }) => (clientKind === 'PRODUCER' ? isMessage : isOther);
}

/** Whole calls of one group. */
export interface ChosenCalls {
  readonly group: CallGroup;
  readonly calls: readonly CallRows[];
}

/**
 * Chooses the whole calls of all edges that were not counted before.
 * @param brokenOf The servers of an edge whose calls are counted as broken.
 */
export function chooseNewCalls(
  known: GraphFacts,
  groups: readonly CallGroup[],
  isCounted: Pairs,
  brokenOf: (edge: Pick<CallGroup, 'client' | 'server'>) => ReadonlySet<number> = () => new Set(),
): readonly ChosenCalls[] {
  const alike = groupCalls(groups, ({ client, server, protocol }) => keyFor(client, server, protocol));
  return alike.flatMap((ofEdge) => {
    const broken = brokenOf(ofEdge[0]);
    const isCallOf = chooseCalls(known, ofEdge, (server) => broken.has(server), isCounted);
    return ofEdge.map((group) => {
      const isCall = isCallOf(group);
      const isNew: Pairs = (client, server) =>
        !isCounted(client, server) && !broken.has(server) && isCall(client, server);
      return { group, calls: selectPairs([group], isNew) };
    });
  });
}

/** A request with links may link to several spans of its caller; it counts once. */
function chooseFirst(graph: TraceGraph, counted: readonly CallRows[]): IsCall {
  const linked = new Set(counted.map(({ server }) => server));
  return (_, server) => {
    if (!graph.hasLinks(server)) return true;
    const { size } = linked;
    return linked.add(server).size > size;
  };
}

/** A message that links to a PRODUCER span may link to the span around it as well; then only the call of the PRODUCER span counts. */
function isReceivedOtherwise(sent: readonly CallGroup[]): IsCall {
  const received = new Set(sent.flatMap(({ servers }) => [...servers]));
  return (_, server) => !received.has(server);
}

/**
 * A service may have several spans for one message: one that receives and one that processes it (semantic conventions, messaging spans,
 * "Consumer spans"), or one for each delivery. A PRODUCER span stands for as many messages as its consumers have distinct message ids;
 * without ids, for its batch size.
 */
function chooseMessages(
  { graph, facts }: GraphFacts,
  sent: readonly CallGroup[],
  isBroken: (server: number) => boolean,
  isCounted: Pairs,
): IsCall {
  // Ask all groups: the order of the spans decides which of them is marked as repeated.
  if (!sent.some(({ extremes }) => extremes.isRepeated)) return () => true;
  const repeated = listRepeatedClients(graph, sent);
  const whole = selectPairs(sent, (client, server) => repeated.has(client) && !isBroken(server));
  const chosen = new Map<number, ReadonlySet<number>>();
  const listMessages = (client: number, servers: readonly number[]): readonly number[] => {
    const ids = mapBy(servers, (server) => readMessageId(facts.at(server)));
    ids.delete(null);
    return ids.size > 0
      ? Array.from(ids.values(), ([first]) => first)
      : servers.slice(0, readBatchSize(facts.at(client)));
  };
  for (const [client, calls] of mapBy(whole, (call) => call.client)) {
    const servers = calls.map(({ server }) => server).sort((one, other) => graph.compare(one, other));
    const messages = listMessages(client, servers);
    const before = listMessages(
      client,
      servers.filter((server) => isCounted(client, server)),
    );
    const left = messages.filter((server) => !isCounted(client, server));
    chosen.set(client, new Set(left.slice(0, Math.max(0, messages.length - before.length))));
  }
  return (client, server) => chosen.get(client)?.has(server) ?? true;
}
