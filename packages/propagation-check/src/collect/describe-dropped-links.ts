import { findShapes, type SpanStore } from '../span/span-store.ts';
import { mapBy } from '../util/group-by.ts';
import { listNames } from './list-names.ts';

/** A note where a limit of an SDK left links out, so that messages may be read whose PRODUCER spans seem to have no reader. */
export function describeDroppedLinks(store: SpanStore): readonly string[] {
  const shapes = findShapes(store, 'otel.dropped_links_count');
  if (shapes.size === 0) return [];
  const { resources, resourceTable } = store;
  const rows = [...store.shapes.subarray(0, store.size).entries()].filter(([, shape]) => shapes.has(shape));
  const services = mapBy(rows, ([row]) => resourceTable[resources[row] ?? 0]?.serviceName ?? '(unknown)');
  const named = listNames(Array.from(services, ([service, ofService]) => `${service} (${ofService.length})`));
  return [
    `a limit of the SDK left links out of spans of ${named}: the messages that these name are not judged; raise OTEL_SPAN_LINK_COUNT_LIMIT there`,
  ];
}
