import type { Bytes, Reals, SpanStore, Words } from './span-store.ts';

/** The spans of some rows, in this order. Values, resources and shapes are shared with the store. @param rows Ascending. */
export function selectRows(store: SpanStore, rows: Words): SpanStore {
  const attributeStarts = new Uint32Array(rows.length + 1);
  for (const [at, row] of rows.entries())
    attributeStarts[at + 1] = (attributeStarts[at] ?? 0) + countAttributes(store, row);
  const attributeValues = new Uint32Array(attributeStarts[rows.length] ?? 0);
  for (const [at, row] of rows.entries()) {
    const from = store.attributeStarts[row] ?? 0;
    const values = store.attributeValues.subarray(from, from + countAttributes(store, row));
    attributeValues.set(values, attributeStarts[at]);
  }
  const pick = (column: Words, width = 1) => pickInto(new Uint32Array(rows.length * width), column, rows);
  return {
    ...store,
    size: rows.length,
    traceIds: pick(store.traceIds, 4),
    hasShortTraceId: pickInto(new Uint8Array(rows.length), store.hasShortTraceId, rows),
    spanIds: pick(store.spanIds, 2),
    parentIds: pick(store.parentIds, 2),
    starts: pickInto(new Float64Array(rows.length), store.starts, rows),
    ends: pickInto(new Float64Array(rows.length), store.ends, rows),
    kinds: pickInto(new Uint8Array(rows.length), store.kinds, rows),
    statuses: pickInto(new Uint8Array(rows.length), store.statuses, rows),
    flags: pick(store.flags),
    names: pick(store.names),
    scopes: pick(store.scopes),
    traceStates: pick(store.traceStates),
    statusMessages: pick(store.statusMessages),
    resources: pick(store.resources),
    shapes: pick(store.shapes),
    attributeStarts,
    attributeValues,
    links: selectLinks(store, rows),
    farTimes: selectFarTimes(store, rows),
  };
}

function countAttributes({ attributeStarts }: SpanStore, row: number): number {
  return (attributeStarts[row + 1] ?? 0) - (attributeStarts[row] ?? 0);
}

function pickInto<Column extends Words | Bytes | Reals>(picked: Column, column: Column, rows: Words): Column {
  const width = rows.length === 0 ? 0 : picked.length / rows.length;
  for (let at = 0; at < rows.length; at += 1) {
    const from = (rows[at] ?? 0) * width;
    for (let word = 0; word < width; word += 1) picked[at * width + word] = column[from + word] ?? 0;
  }
  return picked;
}

function selectLinks({ links, size }: SpanStore, rows: Words): SpanStore['links'] {
  if (links.rows.length === 0) return links;
  const newRows = numberRows(size, rows);
  const kept = Uint32Array.from(links.rows.keys()).filter((link) => newRows[links.rows[link] ?? 0] !== 0);
  return {
    rows: kept.map((link) => (newRows[links.rows[link] ?? 0] ?? 1) - 1),
    traceIds: pickInto(new Uint32Array(kept.length * 4), links.traceIds, kept),
    hasShortTraceId: pickInto(new Uint8Array(kept.length), links.hasShortTraceId, kept),
    spanIds: pickInto(new Uint32Array(kept.length * 2), links.spanIds, kept),
  };
}

function selectFarTimes({ farTimes, size }: SpanStore, rows: Words): SpanStore['farTimes'] {
  if (farTimes.keys.length === 0) return farTimes;
  const newRows = numberRows(size, rows);
  const rowOf = (key: number) => newRows[key >>> 1] ?? 0;
  const kept = Uint32Array.from(farTimes.keys.keys()).filter((at) => rowOf(farTimes.keys[at] ?? 0) !== 0);
  const keys = kept.map((at) => {
    const key = farTimes.keys[at] ?? 0;
    return (rowOf(key) - 1) * 2 + (key % 2);
  });
  return { keys, times: BigUint64Array.from(kept, (at) => farTimes.times[at] ?? 0n) };
}

/** One more than the new number of each row; 0 where it is left out. */
function numberRows(size: number, rows: Words): Words {
  const newRows = new Uint32Array(size);
  for (const [at, row] of rows.entries()) newRows[row] = at + 1;
  return newRows;
}
