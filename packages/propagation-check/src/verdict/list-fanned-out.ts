import { readDestination } from '../calls/messaging-facts.ts';
import { readBroker } from '../calls/messaging-system.ts';
import { nameTarget } from '../calls/target.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import { type Draft, listExplained } from '../rules/draft.ts';
import { hasCall } from '../rules/expected-calls.ts';
import type { LooseEnds, Scene } from '../rules/scene.ts';
import { countOf } from '../util/count-of.ts';
import { keyFor } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { countCalls } from './list-unjudged.ts';
import type { DescribedCalls } from './open-calls.ts';

/**
 * Lists messages that began traces at the callee of an expected edge with whole calls. Other services must also have received every message
 * that the callee received: then each message is for all of them, and the callee should have received the others too. If messages are for
 * one service each, nothing is listed.
 */
export function listFannedOut(
  scene: Scene,
  roots: LooseEnds['roots'],
  drafts: readonly Draft[],
): readonly DescribedCalls[] {
  const { edges } = scene.expectation;
  const isOpenTo = (server: string): boolean =>
    edges.some((edge) => edge.rule === 'may' && edge.server === server);
  const explained = remember(() => new Set(drafts.flatMap(listExplained)));
  return edges
    .filter(
      ({ client, server, rule }) =>
        rule === 'must' && roots.count(server) > 0 && hasCall(scene, client, server) && !isOpenTo(server),
    )
    .flatMap((edge) => listOfEdge(scene, roots, edge, explained));
}

function listOfEdge(
  scene: Scene,
  roots: LooseEnds['roots'],
  { client, server }: ExpectedEdge,
  explained: () => ReadonlySet<unknown>,
): readonly DescribedCalls[] {
  const { graph, facts, groupsFrom } = scene;
  const { kinds, names } = graph.store;
  const sent = groupsFrom(client).filter(({ clientKind }) => clientKind === 'PRODUCER');
  const own = sent.filter((group) => group.server === server);
  if (own.length === 0) return [];
  const destinationOf = facts.remember(readDestination);
  const kindOf = (row: number): string => keyFor(kinds[row] ?? 0, names[row] ?? 0, destinationOf(row));
  const known = new Set(own.flatMap(({ servers }) => Array.from(servers, kindOf)));
  const began = roots.select((row) => known.has(kindOf(row)), server);
  if (began.length === 0) return [];
  const ofOthers = new Set(
    sent.flatMap((group) => (group.server === server ? [] : Array.from(group.clients))),
  );
  const received = new Set(own.flatMap(({ clients }) => Array.from(clients)));
  if ([...received].some((row) => !ofOthers.has(row))) return [];
  const queueOf = facts.remember((call) => keyFor(readBroker(call), nameTarget(call)));
  const queues = new Set(Array.from(received, queueOf));
  const missed = graph.viewsOf([...ofOthers].filter((row) => !received.has(row) && queues.has(queueOf(row))));
  const left = began.filter((span) => !explained().has(span));
  const spans = left.length <= missed.length ? left : missed;
  if (spans.length === 0) return [];
  const calls = countCalls(scene, spans);
  return [
    {
      ...{ client, server, calls, spans, isOnBothSides: true },
      says:
        `${countOf(left.length, 'message')} of ${server} began traces, and ${client} sent ${missed.length} to the same destination that only others received: ` +
        'messages whose context was lost, or messages of others: look at such a message in the broker; ' +
        `if another program sends them, list "outside -> ${server}" under edges: may in --expectations`,
    },
  ];
}
