import type { FactSource } from '../calls/fact-source.ts';
import { readDestination } from '../calls/messaging-facts.ts';
import { mayBeOfOneBroker, readBroker } from '../calls/messaging-system.ts';
import { readOutcome } from '../calls/outcome.ts';
import { nameTarget } from '../calls/target.ts';
import { type Draft, listExplained } from '../rules/draft.ts';
import { doubtLinkedElsewhere, indexLinkedElsewhere } from '../rules/linked-elsewhere.ts';
import type { LooseEnds, Scene, ShortBatches } from '../rules/scene.ts';
import { areComplete, areLimited } from '../rules/split-batch.ts';
import { countMessages } from '../rules/split-message.ts';
import { countUnlinked } from '../rules/unprovable.ts';
import type { Span } from '../span/span.ts';
import { weightOf } from '../span/span-store.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, groupBy, keyFor, mapBy } from '../util/group-by.ts';
import { hideSecrets } from '../util/hide-secrets.ts';
import { remember } from '../util/remember.ts';
import { areMostlyJudged } from './are-mostly-judged.ts';
import { prepareBegan } from './count-began.ts';
import { prepareSeparation } from './describe-separation.ts';
import { countCalls, type UnjudgedCalls } from './list-unjudged.ts';
import type { PossibleSides } from './possible-sides.ts';
import type { UnjudgedEdge } from './result.ts';

/** The received messages of one destination. */
interface Received {
  /** The services that received them. */
  readonly servers: Set<string | null>;
  /** By PRODUCER row: how many nanoseconds later its first CONSUMER span ended. */
  readonly lags: Map<number, number>;
}

/** Messages that nobody in the capture received and no finding explains. */
export function listUnreceived(
  scene: Scene,
  { clients, roots }: Pick<LooseEnds, 'clients' | 'roots'>,
  drafts: readonly Draft[],
  sides: PossibleSides,
): readonly UnjudgedCalls[] {
  const explained = remember(() => new Set<Span | null>(drafts.flatMap(listExplained)));
  const sent = clients.filter(
    (span) => span.kind === 'PRODUCER' && readDestination(span) !== null && !explained().has(span),
  );
  if (sent.length === 0) return [];
  const receivedAt = indexReceived(scene);
  const describeReceived = prepareReceived(scene, roots, explained());
  const describeUnseen = prepareUnseen(scene, roots, explained(), sides);
  return groupBy(sent, (span) => keyFor(span.serviceName, nameQueue(span))).flatMap(
    (group): readonly UnjudgedCalls[] => {
      const received = receivedAt.get(nameQueue(group[0]));
      return received === undefined ? [describeUnseen(group)] : describeReceived(group, received);
    },
  );
}

/** Describes messages to a destination from which nobody in the capture received. */
function prepareUnseen(
  scene: Scene,
  roots: LooseEnds['roots'],
  explained: ReadonlySet<Span | null>,
  sides: PossibleSides,
): (group: Group<Span>) => UnjudgedCalls {
  const hasLeft = (service: string, peer: string): boolean =>
    explained.size === 0 ||
    roots.of(service).some((span) => !explained.has(span) && readDestination(span) === peer);
  const linkedElsewhere = remember(() => indexLinkedElsewhere(scene));
  return (group) => {
    const [first] = group;
    const peer = readDestination(first) ?? '';
    const mayBe = sides.receiversOf(group).filter((service) => hasLeft(service, peer));
    const linked = mayBe.length > 0 ? [] : (linkedElsewhere().get(peer) ?? []);
    return {
      edge: {
        ...{ client: first.serviceName, peer, calls: countCalls(scene, group), protocol: 'messaging' },
        ...(mayBe.length > 0 ? { mayBe } : describeLinked(linked.filter((span) => mayBeOther(first, span)))),
      },
      spans: group,
      says: `no CONSUMER span here has it as parent or link, nor another message to ${peer}`,
    };
  };
}

function mayBeOther(sent: Span, received: Span): boolean {
  return sent.serviceName !== received.serviceName && mayBeOfOneBroker(sent, received);
}

function describeLinked(linked: readonly Span[]): Pick<UnjudgedEdge, 'why' | 'mayBe' | 'facts'> {
  const doubts = [...mapBy(linked, ({ serviceName }) => serviceName)].flatMap(([service, messages]) => {
    const doubt = service === null ? null : doubtLinkedElsewhere(messages);
    return doubt === null || service === null ? [] : [{ ...doubt, service }];
  });
  if (doubts.length === 0) return {};
  return {
    mayBe: doubts.map(({ service }) => service),
    why: 'linked-elsewhere',
    facts: doubts.flatMap(({ says, decide }) => [says.replace(/\.$/, ''), ...decide].map(hideSecrets)),
  };
}

/** Describes messages to a destination from which other messages were received. */
function prepareReceived(
  scene: Scene,
  roots: LooseEnds['roots'],
  explained: ReadonlySet<Span | null>,
): (group: Group<Span>, received: Received) => readonly UnjudgedCalls[] {
  const isUnlinked = remember(
    (client: string | null, server: string | null) => countUnlinked(scene, { client, server }) > 0,
  );
  const findShort = remember(() => scene.shared.shortBatches().filter(areComplete));
  const countBegan = prepareBegan(scene, roots, explained);
  return (group, received) => {
    const [first] = group;
    const { serviceName: client } = first;
    const peer = readDestination(first) ?? '';
    const short = findShort().find(({ unread }) => unread().includes(first));
    const inBatches = new Set(short?.unread());
    const others = group.filter((span) => !inBatches.has(span) && readOutcome(span) !== 'unreached');
    const messages = listDue(scene, others, received);
    const ofBatch = short === undefined ? [] : [describeShort(scene, short, client)];
    const names = [...received.servers].filter((name) => name !== null).sort();
    const unlinked = names.filter((server) => isUnlinked(client, server));
    const mayBeUnlinked = unlinked.length > 0;
    if (messages.length === 0)
      return mayBeUnlinked ? ofBatch : [...ofBatch, ...describeWaiting(scene, others, names)];
    const receivers = mayBeUnlinked ? unlinked : names;
    const calls = countCalls(scene, messages);
    const late = countCalls(scene, others) - calls;
    const edge = {
      ...{ client, peer, calls, protocol: 'messaging' as const },
      ...(late > 0 ? { late } : {}),
    };
    const isMostlyReceived = received.servers.size > 1 && areMostlyReceived(scene, received, first, calls);
    const ofReceivers = (receivers.length > 0 ? receivers : ['(unknown)']).map((server) => {
      const began = countBegan(first, server);
      return {
        edge: {
          ...{ ...edge, server },
          ...(began > 0 ? { began } : {}),
          ...describeReplica(scene, { ...edge, server }, messages),
        },
        spans: messages,
        says: `${server} received other messages to ${peer}`,
        ...(isMostlyReceived ? { isMostlyReceived } : {}),
        ...(mayBeUnlinked ? { mayBeUnlinked } : {}),
      };
    });
    return [...ofBatch, ...ofReceivers];
  };
}

/** Messages at the end of the capture, if all earlier ones were received. */
function describeWaiting(
  scene: Scene,
  messages: readonly Span[],
  [server]: readonly string[],
): readonly UnjudgedCalls[] {
  const [first] = messages;
  if (first === undefined || server === undefined) return [];
  const { serviceName: client } = first;
  const peer = readDestination(first) ?? '';
  const calls = countCalls(scene, messages);
  return [
    {
      edge: { client, peer, calls, server, protocol: 'messaging', why: 'waiting' },
      spans: messages,
      says: 'it was sent at the end of the capture, and may wait to be received',
    },
  ];
}

/** Messages that may be in batches that link to too few messages. */
function describeShort(
  scene: Scene,
  { batches, unread, unnamed }: ShortBatches,
  client: string | null,
): UnjudgedCalls {
  const [{ span: batch }] = batches;
  const peer = readDestination(unread()[0] ?? batch) ?? '';
  const server = batch.serviceName ?? '(unknown)';
  const spans = unread().filter(({ serviceName }) => serviceName === client);
  const held = countMessages(batches.map(({ span }) => span));
  return {
    edge: {
      ...{ client, peer, calls: countCalls(scene, spans), server, protocol: 'messaging' },
      why: 'short-batch',
      facts: [
        `batches of ${server} link to ${held - unnamed} of their ${countOf(held, 'message')}`,
        ...(areLimited(batches)
          ? [`each links to ${batch.links.length}, which may be a limit (OTEL_SPAN_LINK_COUNT_LIMIT)`]
          : []),
      ],
    },
    spans,
    says: `it was sent before a batch of ${server} that has a link too few, and is in no batch`,
  };
}

/** A key for a destination at its broker. */
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

/** Whether one replica sent all of these messages while other replicas sent the received ones, as a fact. */
function describeReplica(
  scene: Scene,
  { calls, ...edge }: Pick<Draft, 'client' | 'server' | 'protocol'> & Pick<UnjudgedEdge, 'calls'>,
  messages: readonly Span[],
): Pick<UnjudgedEdge, 'facts'> {
  const shown = messages.map((client) => ({ client, server: null, says: '' }));
  const facts = prepareSeparation(scene, () => [])({ ...edge, severity: 'warning', shown }, calls);
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

/** Messages that were not received although the capture continues for longer than any other message of the destination took. */
function listDue(scene: Scene, sent: readonly Span[], { lags }: Received): readonly Span[] {
  const lag = [...lags.values()].reduce((longest, one) => Math.max(longest, one), 0);
  return sent.filter((span) => span.endTimeUnixNano + BigInt(Math.ceil(lag)) <= scene.capture.to);
}
