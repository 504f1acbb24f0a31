import { quote, sentColumns } from './span-sql.ts';
import { analyseTraces, callerOf, item, spansAround, type TraceScope } from './trace-sql.ts';

/** The traces that leave the cluster: all traces of these slices, and these single traces. */
export interface Chosen {
  /** Null for all slices. */
  readonly slices: readonly bigint[] | null;
  readonly traceIds: readonly string[];
}

/**
 * Counts the items of all traces: a row for each `(item, key)`, with examples. Examples come from the slices with the lowest hashes, so
 * that the examples of all keys are from the same slices as far as possible; `first` and `last` are the traces at the ends of the window.
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

/** The traces with the first and the last span of each process: rules ask when a service would have delivered a missing span. */
export function findEnds(scope: TraceScope, most: number): string {
  return `
SELECT argMin(TraceId, stop) AS first, argMax(TraceId, stop) AS last
FROM (SELECT TraceId, toUnixTimestamp64Nano(Timestamp) + toInt64(Duration) AS stop,
    cityHash64(mapKeys(ResourceAttributes), mapValues(ResourceAttributes)) AS process
  FROM ${spansAround({ ...scope, longestTrace: 0n })})
GROUP BY process ORDER BY process LIMIT ${most}`;
}

/**
 * The part of a slice by which the SERVER span may begin later than its CLIENT span in another trace. Loose ends closer to the border of a
 * slice count only where their other side is found.
 */
export const marginShare = 5n;

/**
 * Reads the spans of the chosen traces: all traces that begin in a slice, so that rules compare traces of the same time, or within the
 * margin after it, and the single traces. Traces are read whole: a request without its calls looks like one that made none. `Items` says
 * as what each span was counted.
 */
export function readChosen(scope: TraceScope, { slices, traceIds }: Chosen): string {
  const within = (time: string): string => {
    if (slices === null) return '1';
    return slices.length === 0 ? '0' : `intDiv(${time}, ${scope.slice}) IN (SELECT slice FROM chosenSlices)`;
  };
  const margin = scope.slice / marginShare;
  const byId = traceIds.length === 0 ? '0' : 'TraceId IN (SELECT id FROM chosenIds)';
  // Each list is written once, because the length of a query is limited.
  const lists = [
    `chosenSlices AS (SELECT arrayJoin([${(slices ?? []).join(', ')}]) AS slice)`,
    `chosenIds AS (SELECT arrayJoin([${traceIds.map(quote).join(', ')}]) AS id)`,
  ];
  // A trace begins in the slice of its first span.
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
