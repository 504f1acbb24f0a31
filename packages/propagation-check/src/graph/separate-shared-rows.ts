import { separateSharedSpans } from '../span/shared-span-ids.ts';
import { kindNumber } from '../span/span.ts';
import { type SpanStore, viewOf, type Words } from '../span/span-store.ts';
import type { SpanIndex } from './span-index.ts';

/** Ids of spans and of their parents, as in `SpanColumns`. */
export interface SpanIds {
  readonly spanIds: Words;
  readonly parentIds: Words;
}

/**
 * Gives SERVER spans that share the id of their CLIENT span an id of their own; null where no ids are shared. The Collector and Jaeger pass
 * on Zipkin's shared ids.
 */
export function separateSharedRows(store: SpanStore, index: SpanIndex): SpanIds | null {
  const shared = findSharedIds(store, index);
  if (shared.size === 0) return null;
  const touched: number[] = [];
  for (let row = 0; row < store.size; row += 1) {
    const trace = index.traces[row] ?? 0;
    const isOne = shared.has(index.findSpan(trace, store.spanIds, row));
    if (isOne || shared.has(index.findSpan(trace, store.parentIds, row))) touched.push(row);
  }
  const separated = separateSharedSpans(
    touched.map((row) => ({ span: viewOf(store, row), isShared: false })),
  );
  const [spanIds, parentIds] = [store.spanIds.slice(), store.parentIds.slice()];
  for (const [at, { spanId, parentSpanId }] of separated.entries()) {
    const row = touched[at] ?? 0;
    writeId(spanId, spanIds, row);
    if (parentSpanId !== null) writeId(parentSpanId, parentIds, row);
  }
  return { spanIds, parentIds };
}

/** The rows that the index finds for ids that both a CLIENT and a SERVER span have. */
function findSharedIds(store: SpanStore, index: SpanIndex): ReadonlySet<number> {
  const kindsOf = new Map<number, Set<number | undefined>>();
  for (const row of index.repeated) {
    const found = index.findSpan(index.traces[row] ?? 0, store.spanIds, row);
    const kinds = kindsOf.get(found) ?? new Set([store.kinds[found]]);
    kindsOf.set(found, kinds.add(store.kinds[row]));
  }
  const both = [...kindsOf].filter(
    ([, kinds]) => kinds.has(kindNumber.client) && kinds.has(kindNumber.server),
  );
  return new Set(both.map(([row]) => row));
}

function writeId(id: string, to: Words, row: number): void {
  to[row * 2] = Number.parseInt(id.slice(0, 8), 16);
  to[row * 2 + 1] = Number.parseInt(id.slice(8), 16);
}
