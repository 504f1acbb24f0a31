import { quote, sentColumns } from './span-sql.ts';
import { analyseTraces, item, spansAround, type TraceScope } from './trace-sql.ts';

/** Traces of so many slices, and so many more by their ids, leave the cluster. */
export interface Chosen {
  /** Null for all. */
  readonly slices: readonly bigint[] | null;
  readonly traceIds: readonly string[];
}

/**
 * Counts the items of all traces: a row for each `(item, key)`, with examples. Examples come from the slices with the lowest hashes, so
 * that those of all keys are of the same slices as far as can be, and of the traces with the first and the last.
 */
export function countItems(scope: TraceScope, examples: number): string {
  return `
SELECT entry.1 AS item, entry.2 AS key, count() AS found, sum(size) AS spans, any(cityHash64(slice)) AS sliceHash,
  groupArraySortedIf(${examples})((cityHash64(slice), slice, TraceId), item < ${item.plainTrace}) AS examples,
  argMin(TraceId, entry.4) AS first, argMax(TraceId, entry.4) AS last
FROM (${analyseTraces(scope)})
ARRAY JOIN items AS entry
GROUP BY item, key`;
}

/** The traces with the first and the last span of each process: rules ask when a service would have delivered a span. */
export function findEnds(scope: TraceScope, most: number): string {
  return `
SELECT argMin(TraceId, stop) AS first, argMax(TraceId, stop) AS last
FROM (SELECT TraceId, toUnixTimestamp64Nano(Timestamp) + toInt64(Duration) AS stop,
    cityHash64(mapKeys(ResourceAttributes), mapValues(ResourceAttributes)) AS process
  FROM ${spansAround({ ...scope, longestTrace: 0n })})
GROUP BY process ORDER BY process LIMIT ${most}`;
}

/** How far from a chosen slice a request may begin that is the other side of one of its calls. */
const margin = 1_000_000_000n;

/**
 * The spans of chosen traces: whole traces with loose ends in the slices, whole traces by id, and of plain traces in and around the slices
 * the root alone, which may be the other side of a loose end. `Items` names what each span was counted as.
 */
export function readChosen(scope: TraceScope, { slices, traceIds }: Chosen): string {
  const within = (time: string): string =>
    slices === null
      ? '1'
      : slices.length === 0
        ? '0'
        : `intDiv(${time}, ${scope.slice}) IN (${slices.join(', ')})`;
  const byId = traceIds.length === 0 ? '0' : `TraceId IN (${traceIds.map(quote).join(', ')})`;
  const around = [`begin`, `begin - ${margin}`, `begin + ${margin}`].map(within).join(' OR ');
  return `
SELECT ${sentColumns},
  arrayMap(entry -> (entry.2, toString(entry.3)),
    arrayFilter(entry -> entry.1 = reinterpretAsUInt64(unhex(SpanId)), counted)) AS Items
FROM (SELECT * FROM ${spansAround(scope)}) AS spans
INNER JOIN (
  SELECT TraceId, if(isWhole, 0, ids[root]) AS only,
    arrayMap(entry -> (ids[entry.3], entry.1, entry.2), arrayFilter(entry -> entry.3 > 0, items)) AS counted
  FROM (SELECT *, ${byId} OR (NOT isPlain AND (${within('begin')})) AS isWhole FROM (${analyseTraces(scope)}))
  WHERE isWhole OR (isPlain AND (${around}))
) AS chosen USING (TraceId)
WHERE only = 0 OR only = reinterpretAsUInt64(unhex(SpanId))`;
}

/** The first and the last begin of a span. */
export function findBounds(table: string): string {
  return `SELECT toUnixTimestamp64Nano(min(Timestamp)) AS from, toUnixTimestamp64Nano(max(Timestamp)) AS to FROM ${table}`;
}

export function listColumns(table: string): string {
  return `DESCRIBE TABLE ${table}`;
}
