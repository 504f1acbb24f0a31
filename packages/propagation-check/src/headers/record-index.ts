import { keyFor, mapBy } from '../util/group-by.ts';
import { type IntervalIndex, indexIntervals } from '../util/interval-index.ts';
import type { WireRecord } from './evidence.ts';

/** A query for records. Null for what the span does not say. */
export interface Asked {
  readonly method: string | null;
  readonly path: string | null;
}

/** Finds tap records by method, path and time. Times are milliseconds since the Unix epoch. */
export interface RecordIndex {
  /** The records of requests that began at or before `until` and ended at or after `since`, the latest first. */
  underWay(asked: Asked, since: number, until: number): Iterable<WireRecord>;
}

interface Group {
  readonly records: readonly WireRecord[];
  readonly intervals: IntervalIndex;
}

/** Queries with and without method and path each have their own grouping, which the first such query builds. */
export function indexRecords(records: readonly WireRecord[]): RecordIndex {
  const groupings = new Map<string, ReadonlyMap<string, Group>>();
  const findGroup = ({ method, path }: Asked): Group | undefined => {
    const [byMethod, byPath] = [method !== null, path !== null];
    const kind = `${byMethod} ${byPath}`;
    const groups = groupings.get(kind) ?? groupRecords(records, byMethod, byPath);
    groupings.set(kind, groups);
    return groups.get(keyFor(method, path));
  };
  return {
    *underWay(asked, since, until) {
      const group = findGroup(asked);
      if (group === undefined) return;
      for (const position of group.intervals.openBetween(since, until)) {
        const record = group.records[position];
        if (record !== undefined) yield record;
      }
    },
  };
}

function groupRecords(
  records: readonly WireRecord[],
  byMethod: boolean,
  byPath: boolean,
): ReadonlyMap<string, Group> {
  const groups = mapBy(records, ({ method, path }) => keyFor(byMethod ? method : null, byPath ? path : null));
  return new Map([...groups].map(([key, group]) => [key, indexGroup(group)]));
}

function indexGroup(records: readonly WireRecord[]): Group {
  const starts = Float64Array.from(records, timeOf);
  const ends = Float64Array.from(records, (record) => timeOf(record) + record.durationMs);
  return { records, intervals: indexIntervals(starts, ends) };
}

/** Milliseconds since the Unix epoch. */
export function timeOf(record: WireRecord): number {
  return Date.parse(record.time);
}

/** In milliseconds: records and some spans have times in whole milliseconds. */
export const rounding = 1;
