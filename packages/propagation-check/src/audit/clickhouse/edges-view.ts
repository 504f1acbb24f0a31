import { countItems } from './queries.ts';
import { longestTrace } from './trace-sql.ts';

/** The table with the answers of `countItems` for each minute. It is in the database of `otel_traces`, on each shard. */
export const edgesTable = 'propagation_edges';
/** Nanoseconds. The view counts by slices of this length, whatever the window of an audit. */
export const sliceOfView = 1_000_000_000n;
export const minute = 60_000_000_000n;
const examplesOfView = 20;
const minutesOfTrace = Number(longestTrace / minute);

/**
 * SQL of a view that counts the calls of each minute once, after its traces have ended. The view is refreshable: one that is triggered by
 * inserts would not have both sides of a call in one block. `FINAL` merges a minute that was counted twice.
 */
export function renderEdgesView(database: string, table: string): string {
  const begin = `toStartOfMinute(now('UTC')) - INTERVAL ${minutesOfTrace + 1} MINUTE`;
  const from = `toInt64(toUnixTimestamp(${begin})) * 1000000000`;
  const scope = {
    table: `${database}.${table}`,
    from,
    to: `${from} + ${minute}`,
    longestTrace,
    slice: sliceOfView,
  };
  return `CREATE TABLE IF NOT EXISTS ${database}.${edgesTable} (
  Minute DateTime('UTC'), item UInt8, key UInt64, found UInt64, spans UInt64, sliceHash UInt64,
  examples Array(Tuple(UInt64, Int64, String)), first String, last String
) ENGINE = ReplacingMergeTree PARTITION BY toDate(Minute) ORDER BY (Minute, item, key) TTL Minute + INTERVAL 30 DAY;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.${edgesTable}_view REFRESH EVERY 1 MINUTE APPEND TO ${database}.${edgesTable} AS
SELECT ${begin} AS Minute, * FROM (${countItems(scope, examplesOfView)});
`;
}

/** SQL for the minutes that the view has counted, as seconds. */
export function listMinutes(database: string, from: bigint, to: bigint): string {
  return `SELECT toUnixTimestamp(Minute) AS minute FROM ${database}.${edgesTable}
WHERE Minute >= toDateTime(${from / 1_000_000_000n}, 'UTC') AND Minute < toDateTime(${to / 1_000_000_000n}, 'UTC')
GROUP BY Minute ORDER BY Minute`;
}

/** As `countItems`, from the counts of the view. @param from Nanoseconds, at the start of a minute; so is `to`. */
export function readMinutes(database: string, from: bigint, to: bigint, examples: number): string {
  return `SELECT item, key, sum(found) AS found, sum(spans) AS spans, any(sliceHash) AS sliceHash,
  arraySlice(arraySort(groupArrayArray(examples)), 1, ${examples}) AS examples,
  argMin(first, Minute) AS first, argMax(last, Minute) AS last
FROM ${database}.${edgesTable} FINAL
WHERE Minute >= toDateTime(${from / 1_000_000_000n}, 'UTC') AND Minute < toDateTime(${to / 1_000_000_000n}, 'UTC')
GROUP BY item, key`;
}

/** A part of a window. `isCounted`: the view has counted it. */
export interface Part {
  readonly from: bigint;
  readonly to: bigint;
  readonly isCounted: boolean;
}

/** Divides a window into parts that the view has counted and others. @param minutes Nanoseconds, ascending. */
export function divideByMinutes(from: bigint, to: bigint, minutes: readonly bigint[]): readonly Part[] {
  const parts: Part[] = [];
  const add = (begin: bigint, end: bigint, isCounted: boolean): void => {
    const last = parts.at(-1);
    if (begin >= end) return;
    if (last?.isCounted === isCounted) parts[parts.length - 1] = { ...last, to: end };
    else parts.push({ from: begin, to: end, isCounted });
  };
  let at = from;
  for (const begin of minutes.filter((each) => each >= from && each + minute <= to)) {
    add(at, begin, false);
    add(begin, begin + minute, true);
    at = begin + minute;
  }
  add(at, to, false);
  return parts;
}
