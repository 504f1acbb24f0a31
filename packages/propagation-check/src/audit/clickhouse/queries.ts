import { quote, sentColumns } from './span-sql.ts';
import { analyseTraces, callerOf, item, spansAround, type TraceScope } from './trace-sql.ts';

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

/**
 * By this share of a slice later a request may begin that is the other side of one of its calls. Loose ends so near to a border count
 * only where they have another side.
 */
export const marginShare = 5n;

/**
 * The spans of chosen traces: all traces of the slices, so that rules compare what is of the same time, plain ones that begin just after a
 * slice, and plain ones by id. Traces are sent whole, for a request without its calls looks like one that made none. `Items` names what
 * each span was counted as.
 */
export function readChosen(scope: TraceScope, { slices, traceIds }: Chosen): string {
  const within = (time: string): string => {
    if (slices === null) return '1';
    return slices.length === 0 ? '0' : `intDiv(${time}, ${scope.slice}) IN (SELECT slice FROM chosenSlices)`;
  };
  const margin = scope.slice / marginShare;
  const byId = traceIds.length === 0 ? '0' : 'TraceId IN (SELECT id FROM chosenIds)';
  // Named once: a query is read up to a number of characters.
  const lists = [
    `chosenSlices AS (SELECT arrayJoin([${(slices ?? []).join(', ')}]) AS slice)`,
    `chosenIds AS (SELECT arrayJoin([${traceIds.map(quote).join(', ')}]) AS id)`,
  ];
  // The first span of a trace is in the slice in which it begins.
  const time = 'toUnixTimestamp64Nano(Timestamp)';
  const begun = `TraceId IN (SELECT TraceId FROM ${spansAround(scope)} AND (${within(time)} OR ${within(`${time} - ${margin}`)}))`;
  const meant = slices === null ? scope : { ...scope, where: `${byId} OR ${begun}` };
  return `
WITH ${lists.join(', ')}
SELECT ${sentColumns},
  arrayMap(entry -> (entry.2, toString(entry.3)),
    arrayFilter(entry -> entry.1 = reinterpretAsUInt64(unhex(SpanId)), counted)) AS Items
FROM (SELECT * FROM ${spansAround(meant)}) AS spans
INNER JOIN (
  SELECT TraceId, arrayConcat(
      arrayMap(entry -> (ids[entry.3], entry.1, entry.2), arrayFilter(entry -> entry.3 > 0, items)),
      arrayMap(entry -> (ids[at[entry.3]], entry.1 + ${callerOf}, entry.2),
        arrayFilter(entry -> entry.1 = ${item.plainCall}, items))) AS counted
  FROM (${analyseTraces(meant)})
  WHERE ${within('begin')} OR (isPlain AND (${byId} OR ${within(`begin - ${margin}`)}))
) AS chosen USING (TraceId)
LIMIT 1 BY TraceId, SpanId, ServiceName, SpanKind, Timestamp`;
}

export function listColumns(table: string): string {
  return `DESCRIBE TABLE ${table}`;
}
