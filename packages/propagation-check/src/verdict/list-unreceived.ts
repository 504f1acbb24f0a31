import { type FactSource, readDestination, readOutcome } from '../calls/call-facts.ts';
import { readBroker } from '../calls/messaging-system.ts';
import { nameTarget } from '../calls/target.ts';
import { countUnlinked, type Draft, listExplained, type Scene } from '../rules/check.ts';
import type { Span } from '../span/span.ts';
import { weightOf } from '../span/span-store.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import { hideSecrets } from '../util/hide-secrets.ts';
import { remember } from '../util/remember.ts';
import { areMostlyJudged } from './are-mostly-judged.ts';
import { countCalls, type UnjudgedCalls } from './list-unjudged.ts';
import type { PossibleSides } from './possible-sides.ts';
import type { UnjudgedEdge } from './result.ts';
import { tellSeparation } from './tell-separation.ts';

/** The messages of one destination that were received. */
interface Received {
  /** The services that received them. */
  readonly servers: Set<string | null>;
  /** How long after each PRODUCER span the first CONSUMER span below it ended, in nanoseconds. */
  readonly lags: Map<number, number>;
}

/** Messages that nobody received here and of which no finding speaks. */
export function listUnreceived(
  scene: Scene,
  clients: readonly Span[],
  drafts: readonly Draft[],
  sides: PossibleSides,
): readonly UnjudgedCalls[] {
  const sent = clients.filter((span) => span.kind === 'PRODUCER' && readDestination(span) !== null);
  if (sent.length === 0) return [];
  const explained = new Set(drafts.flatMap(listExplained));
  const receivedAt = indexReceived(scene);
  const isUnlinked = remember(
    (client: string | null, server: string | null) => countUnlinked(scene, { client, server }) > 0,
  );
  return groupBy(sent, (span) => keyFor(span.serviceName, nameQueue(span))).flatMap(
    (group): readonly UnjudgedCalls[] => {
      if (group.some((span) => explained.has(span))) return [];
      const [first] = group;
      const received = receivedAt.get(nameQueue(first));
      const servers = [...(received?.servers ?? [])];
      const names = servers.filter((name) => name !== null).sort();
      const unlinked = names.filter((server) => isUnlinked(first.serviceName, server));
      const mayBeUnlinked = unlinked.length > 0;
      const receivers = mayBeUnlinked ? unlinked : names;
      const messages = received === undefined ? group : listDue(scene, group, received);
      if (messages.length === 0) return [];
      const peer = readDestination(first) ?? '';
      const calls = countCalls(scene, messages);
      const edge = { client: first.serviceName, peer, calls, protocol: 'messaging' as const };
      const isMostlyReceived =
        received !== undefined && servers.length > 1 && areMostlyReceived(scene, received, first, calls);
      const mayBe = sides.receiversOf(group);
      return received === undefined
        ? [
            {
              edge: { ...edge, ...(mayBe.length > 0 ? { mayBe } : {}) },
              spans: messages,
              says: `no CONSUMER span here has it as parent or link, nor another message to ${peer}`,
            },
          ]
        : (receivers.length > 0 ? receivers : ['(unknown)']).map((server) => ({
            edge: { ...edge, server, ...tellReplica(scene, { ...edge, server }, messages) },
            spans: messages,
            says: `${server} received other messages to ${peer}`,
            ...(isMostlyReceived ? { isMostlyReceived } : {}),
            ...(mayBeUnlinked ? { mayBeUnlinked } : {}),
          }));
    },
  );
}

/** The destination, at its broker. */
function nameQueue(span: FactSource): string {
  return keyFor(readBroker(span), nameTarget(span));
}

function indexReceived({ graph, groups, facts }: Scene): ReadonlyMap<string, Received> {
  const targetOf = facts.remember(nameQueue);
  const received = new Map<string, Received>();
  for (const { clientKind, clients, servers, server } of groups) {
    if (clientKind !== 'PRODUCER') continue;
    for (const [at, client] of clients.entries()) {
      const target = targetOf(client);
      const known = received.get(target) ?? { servers: new Set(), lags: new Map() };
      received.set(target, known);
      known.servers.add(server);
      const lag = (graph.ends[servers[at] ?? client] ?? 0) - (graph.ends[client] ?? 0);
      known.lags.set(client, Math.min(lag, known.lags.get(client) ?? lag));
    }
  }
  return received;
}

/** The replica that sent all of them, where others sent those that were received. */
function tellReplica(
  scene: Scene,
  { calls, ...edge }: Pick<Draft, 'client' | 'server' | 'protocol'> & Pick<UnjudgedEdge, 'calls'>,
  messages: readonly Span[],
): Pick<UnjudgedEdge, 'facts'> {
  const shown = messages.map((client) => ({ client, server: null, says: '' }));
  const facts = tellSeparation(scene, { ...edge, severity: 'warning', shown }, calls, () => []);
  return facts.length === 0 ? {} : { facts: facts.map(hideSecrets) };
}

/** Whether the services together received most messages of a sender. */
function areMostlyReceived(
  { graph, thresholds }: Scene,
  { lags }: Received,
  { serviceName }: Span,
  left: number,
): boolean {
  let count = 0;
  for (const row of lags.keys())
    if (graph.serviceOf(row) === serviceName) count += weightOf(graph.store, row);
  return areMostlyJudged(count, count + left, thresholds);
}

/** The messages that were not received, although the capture goes on for longer than any other of the destination took. Those that failed are left out. */
function listDue(scene: Scene, sent: Group<Span>, { lags }: Received): readonly Span[] {
  const lag = [...lags.values()].reduce((longest, one) => Math.max(longest, one), 0);
  const isDue = (span: Span): boolean => span.endTimeUnixNano + BigInt(Math.ceil(lag)) <= scene.capture.to;
  return sent.filter((span) => isDue(span) && readOutcome(span) !== 'unreached');
}
