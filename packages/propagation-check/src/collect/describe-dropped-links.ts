import { RowFacts } from '../calls/row-facts.ts';
import { droppedCounts } from '../span/dropped-counts.ts';
import { kindNumber } from '../span/span.ts';
import { findShapes, type SpanStore } from '../span/span-store.ts';
import { listNames } from '../util/list-names.ts';

/**
 * Notes spans whose links were left out, by a limit of the SDK or for invalid ids. A message without a known receiver may have been
 * received, and a root may have been linked.
 */
export function describeDroppedLinks(store: SpanStore): readonly string[] {
  const shapes = findShapes(store, droppedCounts.links);
  if (shapes.size === 0) return [];
  const { kinds, resources, resourceTable } = store;
  const facts = new RowFacts(store);
  // As in `isMessage`: a function that a queue triggers has a SERVER span.
  const isMessage = (row: number) =>
    kinds[row] === kindNumber.consumer ||
    (kinds[row] === kindNumber.server && facts.protocolOf(row) === 'messaging');
  const read = (row: number, name: string) => Number(facts.at(row).attributes.get(name) ?? 0);
  const messages = new Map<string, number>();
  const others = new Map<string, number>();
  const ofInvalid = new Map<string, number>();
  for (let row = 0; row < store.size; row += 1) {
    if (!shapes.has(store.shapes[row] ?? 0)) continue;
    const service = resourceTable[resources[row] ?? 0]?.serviceName ?? '(unknown)';
    const add = (counts: Map<string, number>) => counts.set(service, (counts.get(service) ?? 0) + 1);
    const ofIds = read(row, droppedCounts.invalidLinks);
    if (ofIds > 0) add(ofInvalid);
    if (read(row, droppedCounts.links) > ofIds) add(isMessage(row) ? messages : others);
  }
  return [
    ...describe('messages', messages, 'the messages that these links name are not judged'),
    ...describe(
      'spans',
      others,
      'their calls are judged by their parents and the links that are left; where such a span begins a trace, it is not judged whether context was lost',
    ),
    ...describeInvalid(ofInvalid),
  ];
}

function describeInvalid(counts: ReadonlyMap<string, number>): readonly string[] {
  if (counts.size === 0) return [];
  const named = listNames(Array.from(counts, ([service, count]) => `${service} (${count})`));
  return [
    `links of spans of ${named} have ids that are not valid, and lead nowhere: their calls and messages are judged by their parents and the ` +
      'links that are left; a trace id has 32 hex digits, a span id 16: see what made the links, or what shortened them on their way here',
  ];
}

function describe(what: string, counts: ReadonlyMap<string, number>, effect: string): readonly string[] {
  if (counts.size === 0) return [];
  const named = listNames(Array.from(counts, ([service, count]) => `${service} (${count})`));
  return [
    `a limit of the SDK left links out of ${what} of ${named}: ${effect}; raise OTEL_SPAN_LINK_COUNT_LIMIT there`,
  ];
}
