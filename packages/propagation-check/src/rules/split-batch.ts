import { readDestination } from '../calls/call-facts.ts';
import { groupCalls } from '../calls/call-group.ts';
import { countDroppedLinks } from '../calls/dropped.ts';
import { type Span, spanKinds } from '../span/span.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import type { Check, Draft, Scene } from './check.ts';
import { moveToFront } from './split-causes.ts';
import { areInOrder, messageCauses } from './split-message.ts';
import { finding as splitTrace } from './split-trace.ts';

/** A batch that names fewer messages than it says that it holds. */
interface Batch {
  readonly span: Span;
  readonly unnamed: number;
}

const producer = spanKinds.indexOf('PRODUCER');

/**
 * Batches that link to some of their messages only, as to the first: as many messages to the same destination are in no batch, each sent
 * before the batch that lacks it. Messages of senders without instrumentation leave batches short as well, and no PRODUCER span.
 */
export const findSplitBatches: Check = (scene) => {
  const received = scene.groups.filter(
    ({ clientKind, protocol }) => clientKind === 'PRODUCER' && protocol === 'messaging',
  );
  const short = groupCalls(received, ({ server }) => keyFor(server)).flatMap((groups) => {
    const senders = new Set(groups.map(({ client }) => client));
    const batches = listShortBatches(
      scene,
      groups.flatMap(({ servers }) => [...servers]),
    );
    return groupBy(batches, ({ span }) => keyFor(nameDestination(scene, span)))
      .filter((ofDestination) => !areOfOneLimit(ofDestination))
      .map((ofDestination) => ({ senders, batches: ofDestination }));
  });
  if (short.length === 0) return [];
  // Services share the messages of a destination.
  const named = new Set(received.flatMap(({ clients }) => [...clients]));
  return short.flatMap(({ senders, batches }) => findUnnamed(scene, batches, named, senders));
};

function listShortBatches({ graph, facts }: Scene, servers: readonly number[]): readonly Batch[] {
  const rows = [...new Set(servers)].filter(
    (row) => graph.hasLinks(row) && facts.at(row).attributes.has('messaging.batch.message_count'),
  );
  return graph.viewsOf(rows).flatMap((span) => {
    const named = span.links.length + countDroppedLinks(span);
    const unnamed = Number(span.attributes.get('messaging.batch.message_count')) - named;
    return Number.isSafeInteger(unnamed) && unnamed > 0 ? [{ span, unnamed }] : [];
  });
}

/** A limit on links leaves the same number of them in each batch. */
function areOfOneLimit(batches: readonly [Batch, ...Batch[]]): boolean {
  const most = batches[0].span.links.length;
  return most > 1 && batches.every(({ span }) => span.links.length === most);
}

function findUnnamed(
  scene: Scene,
  batches: readonly [Batch, ...Batch[]],
  named: ReadonlySet<number>,
  senders: ReadonlySet<string | null>,
): readonly Draft[] {
  const { graph, facts, thresholds } = scene;
  const destination = nameDestination(scene, batches[0].span);
  const last = batches.at(-1)?.span.startTimeUnixNano ?? 0n;
  const unread = graph
    .select(
      (row) =>
        graph.store.kinds[row] === producer &&
        !named.has(row) &&
        senders.has(graph.serviceOf(row)) &&
        readDestination(facts.at(row)) === destination,
    )
    .filter((span) => span.startTimeUnixNano <= last);
  const isSame = unread.length === batches.reduce((sum, { unnamed }) => sum + unnamed, 0);
  if (!isSame || unread.length < thresholds.fewestLostMessages) return [];
  // Each batch as often as it lacks a message.
  const lacking = batches.flatMap(({ span, unnamed }) => Array.from({ length: unnamed }, () => span));
  if (!areInOrder(unread, lacking)) return [];
  return groupBy(
    unread.map((client, at) => ({ client, batch: lacking[at] ?? batches[0].span })),
    ({ client }) => keyFor(client.serviceName),
  ).map((ofSender) =>
    splitTrace.report({
      client: ofSender[0].client.serviceName,
      server: batches[0].span.serviceName,
      protocol: 'messaging',
      // The header of the messages that it links to did arrive.
      candidates: moveToFront(messageCauses, 'header-ignored'),
      shown: ofSender.map(({ client, batch }) => ({
        client,
        server: null,
        says: `no batch links to PRODUCER ${client.spanId}; "${batch.name}" ${batch.spanId} of trace ${batch.traceId} links to ${batch.links.length} of its ${batch.attributes.get('messaging.batch.message_count')} messages`,
      })),
    }),
  );
}

function nameDestination({ graph, facts }: Scene, span: Span): string | null {
  return readDestination(facts.at(graph.rowOf(span)));
}
