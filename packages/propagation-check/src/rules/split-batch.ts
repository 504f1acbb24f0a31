import { type CallGroup, groupCalls } from '../calls/call-group.ts';
import { readDestination } from '../calls/messaging-facts.ts';
import { countDroppedLinks } from '../span/dropped-counts.ts';
import { kindNumber, type Span } from '../span/span.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { sumOf } from '../util/statistics.ts';
import { gate, rule } from './rule.ts';
import type { BaseScene, ShortBatch, ShortBatches } from './scene.ts';
import { moveToFront } from './split-causes.ts';
import { areInOrder, messageCauses } from './split-message.ts';
import { finding as splitTrace } from './split-trace.ts';

/**
 * Batches that link only to some of their messages, for example the first: as many messages to the same destination are in no batch, each
 * sent before the batch that lacks it. Messages of senders without instrumentation also leave batches short, but have no PRODUCER span.
 */
export const splitBatches = rule<ShortBatches>({
  finding: splitTrace,
  measure: ({ shared }) => shared.shortBatches(),
  gates: [
    gate(
      'no limit on links: batches link to different numbers of messages, or to one',
      ({ batches }) => !areOfOneLimit(batches),
      ({ batches }) => `each links to ${batches[0].span.links.length}`,
    ),
    gate(
      'as many messages are in no batch as batches lack, and several',
      ({ unread, unnamed }, { thresholds }) =>
        unread().length === unnamed && unnamed >= thresholds.fewestLostMessages,
      ({ unread, unnamed }) => `${unread().length} are in none, and batches lack ${unnamed}`,
    ),
    gate(
      'each was sent before the batch that lacks it',
      ({ unread, batches }) => areInOrder(unread(), listLacking(batches)),
      ({ unread }) => `not all of ${unread().length}`,
    ),
  ],
  looseEnds: ({ unread }) => unread(),
  report: ({ batches, sender, unread }) =>
    splitTrace.report({
      client: sender,
      server: batches[0].span.serviceName,
      protocol: 'messaging',
      // The headers of the linked messages did arrive.
      candidates: moveToFront(messageCauses, 'header-ignored'),
      shown: listLacking(batches).flatMap((batch, at) => {
        const client = unread()[at];
        if (client?.serviceName !== sender) return [];
        const says = `no batch links to PRODUCER ${client.spanId}; "${batch.name}" ${batch.spanId} of trace ${batch.traceId} links to ${batch.links.length} of its ${batch.attributes.get('messaging.batch.message_count')} messages`;
        return [{ client, server: null, says }];
      }),
    }),
});

export function findShortBatches(scene: BaseScene): readonly ShortBatches[] {
  const received = scene.groups.filter(({ clientKind }) => clientKind === 'PRODUCER');
  // Over all services, as they share the messages of a destination.
  const named = remember(() => new Set(received.flatMap(({ clients }) => [...clients])));
  return groupCalls(received, ({ server }) => keyFor(server)).flatMap((ofServer) =>
    measureShort(scene, ofServer, named),
  );
}

function measureShort(
  scene: BaseScene,
  ofServer: Group<CallGroup>,
  named: () => ReadonlySet<number>,
): readonly ShortBatches[] {
  const senders = new Set(ofServer.map(({ client }) => client));
  const servers = ofServer.flatMap((group) => [...group.servers]);
  const ofDestination = groupBy(listShortBatches(scene, servers), ({ span }) =>
    keyFor(nameDestination(scene, span)),
  );
  return ofDestination.flatMap((batches) => {
    const unread = remember(() => listUnread(scene, batches, named(), senders));
    const unnamed = sumOf(batches.map((batch) => batch.unnamed));
    const ofSender = (sender: string | null): ShortBatches => ({ batches, sender, unread, unnamed });
    // Decided before all messages are read.
    if (areLimited(batches)) return [ofSender(null)];
    return [...new Set(unread().map(({ serviceName }) => serviceName))].map(ofSender);
  });
}

/** Whether the messages in no batch are those that the batches lack: equal in number, each sent before its batch. */
export function areComplete({ batches, unread, unnamed }: ShortBatches): boolean {
  return unread().length === unnamed && areInOrder(unread(), listLacking(batches));
}

/** Whether the batches show a limit on links: several have the same number of links, or one has as many as the default limit. */
export function areLimited(batches: Group<ShortBatch>): boolean {
  return areOfOneLimit(batches) && (batches.length > 1 || batches[0].span.links.length === usualLimit);
}

/** The default limit on links of a span. Source: OpenTelemetry specification, SDK environment variables, `OTEL_SPAN_LINK_COUNT_LIMIT`. */
const usualLimit = 128;

/** Repeats each batch once for each message that it lacks. */
function listLacking(batches: readonly ShortBatch[]): readonly Span[] {
  return batches.flatMap(({ span, unnamed }) => Array.from({ length: unnamed }, () => span));
}

function listShortBatches({ graph, facts }: BaseScene, servers: readonly number[]): readonly ShortBatch[] {
  const rows = [...new Set(servers)].filter(
    (row) => graph.hasLinks(row) && facts.at(row).attributes.has('messaging.batch.message_count'),
  );
  return graph.viewsOf(rows).flatMap((span) => {
    const named = span.links.length + countDroppedLinks(span);
    const unnamed = Number(span.attributes.get('messaging.batch.message_count')) - named;
    return Number.isSafeInteger(unnamed) && unnamed > 0 ? [{ span, unnamed }] : [];
  });
}

/** A limit on links leaves the same number of links in each batch. */
function areOfOneLimit(batches: Group<ShortBatch>): boolean {
  const most = batches[0].span.links.length;
  return most > 1 && batches.every(({ span }) => span.links.length === most);
}

/** The messages to the destination of these batches that no span links to, sent before the last batch. */
function listUnread(
  scene: BaseScene,
  batches: Group<ShortBatch>,
  named: ReadonlySet<number>,
  senders: ReadonlySet<string | null>,
): readonly Span[] {
  const { graph, facts } = scene;
  const destination = nameDestination(scene, batches[0].span);
  const last = batches.at(-1)?.span.startTimeUnixNano ?? 0n;
  return graph
    .select(
      (row) =>
        graph.store.kinds[row] === kindNumber.producer &&
        !named.has(row) &&
        senders.has(graph.serviceOf(row)) &&
        readDestination(facts.at(row)) === destination,
    )
    .filter((span) => span.startTimeUnixNano <= last);
}

function nameDestination({ graph, facts }: BaseScene, span: Span): string | null {
  return readDestination(facts.at(graph.rowOf(span)));
}
