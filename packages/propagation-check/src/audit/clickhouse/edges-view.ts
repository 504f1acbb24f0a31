import { countItems } from './queries.ts';
import { longestTrace } from './trace-sql.ts';

/** The table that holds what `countItems` answers, for each minute; beside `otel_traces`, on each shard. */
export const edgesTable = 'propagation_edges';
/** Nanoseconds. Counts of minutes are by slices of this length, whatever the window. */
export const sliceOfView = 1_000_000_000n;
export const minute = 60_000_000_000n;
const examplesOfView = 20;
const minutesOfTrace = Number(longestTrace / minute);

/**
 * SQL that makes ClickHouse count the calls of each minute once, as soon as its traces are over. A view that is refreshed, because one that
 * sees inserts alone does not have both sides of a call in one block. A minute that was counted twice is one after `FINAL`.
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

/** The minutes of a time of which the view has counted the calls, as seconds. */
export function listMinutes(database: string, from: bigint, to: bigint): string {
  return `SELECT toUnixTimestamp(Minute) AS minute FROM ${database}.${edgesTable}
WHERE Minute >= toDateTime(${from / 1_000_000_000n}, 'UTC') AND Minute < toDateTime(${to / 1_000_000_000n}, 'UTC')
GROUP BY Minute ORDER BY Minute`;
}

/** As `countItems`, from what the view has counted. @param from A minute, as `to`. Nanoseconds. */
export function readMinutes(database: string, from: bigint, to: bigint, examples: number): string {
  return `SELECT item, key, sum(found) AS found, sum(spans) AS spans, any(sliceHash) AS sliceHash,
  arraySlice(arraySort(groupArrayArray(examples)), 1, ${examples}) AS examples,
  argMin(first, Minute) AS first, argMax(last, Minute) AS last
FROM ${database}.${edgesTable} FINAL
WHERE Minute >= toDateTime(${from / 1_000_000_000n}, 'UTC') AND Minute < toDateTime(${to / 1_000_000_000n}, 'UTC')
GROUP BY item, key`;
}

/** A part of a window: counted by the view, or not. */
export interface Part {
  readonly from: bigint;
  readonly to: bigint;
  readonly isCounted: boolean;
}

/** Divides a window by the minutes that the view has counted. @param minutes Nanoseconds, ascending. */
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
