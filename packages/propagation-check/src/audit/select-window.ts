import { SpanIndex } from '../graph/span-index.ts';
import { RowCopier } from '../span/row-copier.ts';
import type { SpanStore } from '../span/span-store.ts';
import { SpanWriter } from '../span/span-writer.ts';
import { toMilliseconds } from '../util/to-milliseconds.ts';
import type { TimeWindow } from './audit-source.ts';

const nanosecondsInMillisecond = 1_000_000n;

/** The whole traces that begin in the window. */
export function selectWindow(store: SpanStore, { from, to }: TimeWindow): SpanStore {
  if (from === Number.NEGATIVE_INFINITY && to === Number.POSITIVE_INFINITY) return store;
  const { traces, begins } = findBegins(store);
  const [first, end] = [toRelative(store, from), toRelative(store, to)];
  if (begins.every((begin) => begin >= first && begin < end)) return store;
  const writer = new SpanWriter();
  const copier = new RowCopier(store, writer);
  for (let row = 0; row < store.size; row += 1) {
    const begin = begins[traces[row] ?? 0] ?? 0;
    if (begin >= first && begin < end) copier.copy(row);
  }
  return writer.finish();
}

/** The first millisecond after the last trace began: the end of a window that holds all traces. Milliseconds since the epoch. */
export function findEndOf(store: SpanStore): number {
  const { begins } = findBegins(store);
  let last = Number.NEGATIVE_INFINITY;
  for (const begin of begins) if (begin > last) last = begin;
  if (last === Number.NEGATIVE_INFINITY) return last;
  return toMilliseconds(store.origin + BigInt(Math.floor(last))) + 1;
}

/** The start of the first span of each trace, relative to the origin. */
function findBegins(store: SpanStore) {
  const { traces, traceCount } = new SpanIndex(store);
  const begins = new Float64Array(traceCount).fill(Number.POSITIVE_INFINITY);
  for (let row = 0; row < store.size; row += 1) {
    const trace = traces[row] ?? 0;
    const start = store.starts[row] ?? 0;
    if (start < (begins[trace] ?? 0)) begins[trace] = start;
  }
  return { traces, begins };
}

function toRelative({ origin }: SpanStore, milliseconds: number): number {
  if (!Number.isFinite(milliseconds)) return milliseconds;
  return Number(BigInt(Math.trunc(milliseconds)) * nanosecondsInMillisecond - origin);
}
