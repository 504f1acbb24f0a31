import { findShapes, type SpanStore } from '../span/span-store.ts';
import { listNames } from './list-names.ts';

/** A note where a limit of an SDK left links out, so that messages may be read whose PRODUCER spans seem to have no reader. */
export function describeDroppedLinks(store: SpanStore): readonly string[] {
  const shapes = findShapes(store, 'otel.dropped_links_count');
  if (shapes.size === 0) return [];
  const { resources, resourceTable } = store;
  const counts = new Map<string, number>();
  for (let row = 0; row < store.size; row += 1) {
    if (!shapes.has(store.shapes[row] ?? 0)) continue;
    const service = resourceTable[resources[row] ?? 0]?.serviceName ?? '(unknown)';
    counts.set(service, (counts.get(service) ?? 0) + 1);
  }
  const named = listNames(Array.from(counts, ([service, count]) => `${service} (${count})`));
  return [
    `a limit of the SDK left links out of spans of ${named}: the messages that these name are not judged; raise OTEL_SPAN_LINK_COUNT_LIMIT there`,
  ];
}
