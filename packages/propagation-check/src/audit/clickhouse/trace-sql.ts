import { kindNumber } from '../../span/span.ts';
import {
  analysedColumns,
  detailBuckets,
  detailOf,
  kindOf,
  lastOutgoing,
  protocolOf,
  serviceOf,
  withoutDetail,
} from './span-sql.ts';

/** A table of spans, and the traces in it to analyse. Times are numbers or SQL. */
export interface TraceScope {
  /** As an SQL identifier. */
  readonly table: string;
  /** Nanoseconds since the epoch: traces that begin from `from` to before `to`. */
  readonly from: bigint | string;
  readonly to: bigint | string;
  /** Nanoseconds: spans of the traces are searched this far before and after the window. */
  readonly longestTrace: bigint;
  /** Nanoseconds: traces are sampled by the slice of time in which they begin. */
  readonly slice: bigint;
  /** A condition that all spans of the traces meet, so that fewer spans are grouped. */
  readonly where?: string;
}

/** Nanoseconds: 5 min. The longest time between the first span of a trace and the start of another. */
export const longestTrace = 300_000_000_000n;

/** Larger traces are judged only by the engine, because the search for parents in arrays is quadratic. */
export const mostAnalysedSpans = 1_000;

/**
 * Items that are counted, by number. Calls and roots of plain traces have numbers of their own, because plain traces are sampled differently.
 * - plain trace: all that the engine can say about it is that its calls are whole;
 * - large trace: too large to be analysed in SQL, so its calls are not counted as items;
 * - loose ends: CLIENT and PRODUCER spans that nobody continued (`open`), and spans whose parent is missing (`orphan`).
 */
export const item = {
  plainCall: 1,
  call: 2,
  plainRoot: 3,
  root: 4,
  open: 5,
  orphan: 6,
  plainTrace: 7,
  trace: 8,
  largeTrace: 9,
} as const;

/** Items that count traces by slice. */
export const isOfTraces: ReadonlySet<number> = new Set([item.plainTrace, item.trace, item.largeTrace]);

/** Added to the number of a plain call for its caller's span: the item itself is the called span. */
export const callerOf = 10;

/** The spans of the window, and of `longestTrace` before and after it. */
export function spansAround({ table, from, to, longestTrace, where }: TraceScope): string {
  return `${table} WHERE Timestamp >= fromUnixTimestamp64Nano(toInt64(${from} - ${longestTrace}))
    AND Timestamp < fromUnixTimestamp64Nano(toInt64(${to} + ${longestTrace}))${where === undefined ? '' : ` AND (${where})`}`;
}

const { server, client, producer, consumer } = kindNumber;
const isEntry = (kind: string): string => `${kind} IN (${server}, ${consumer})`;

/** The span above each caller in the same service, such as an attempt or a layer of a client. */
const above = (rows: string): string =>
  `arrayMap(i -> if(services[at[i]] = services[i] AND NOT ${isEntry('kinds[at[i]]')}, at[i], 0), ${rows})`;

const callKey = `cityHash64(${withoutDetail('sides[at[i]]')}, ${withoutDetail('sides[i]')},
        bitAnd(${detailOf('sides[at[i]]')} * 31 + ${detailOf('sides[i]')}, ${detailBuckets - 1}))`;

const isCall = `at[i] > 0 AND (services[at[i]] != services[i]
      OR (kinds[at[i]] = ${client} AND kinds[i] = ${server}) OR (kinds[at[i]] = ${producer} AND kinds[i] = ${consumer}))`;

const isOpen = `(kinds[i] = ${producer} OR (kinds[i] = ${client} AND ${protocolOf('sides[i]')} BETWEEN 1 AND ${lastOutgoing}))
      AND NOT has(callers, i)`;

const isPlain = `NOT isLarge AND NOT isUnusual AND root > 0 AND ${isEntry('kinds[root]')} AND empty(opens) AND empty(orphans)
      AND length(arrayDistinct(ids)) = length(rows) AND length(arrayDistinct(calling)) = length(calling)
      AND arrayAll(i -> kinds[at[i]] IN (${client}, ${producer}) AND ${isEntry('kinds[i]')}, called)
      AND arrayAll(i -> at[i] = 0 OR kinds[at[i]] = ${producer} OR (starts[i] >= starts[at[i]] AND starts[i] <= ends[at[i]]), rows)
      AND arrayAll(i -> kinds[at[i]] = ${producer} OR ends[i] <= ends[at[i]], called)`;

const items = `arrayConcat(
      arrayMap(i -> (if(isPlain, ${item.plainCall}, ${item.call}), ${callKey}, i, ends[i]), called),
      arrayMap(i -> (if(isPlain, ${item.plainRoot}, ${item.root}), sides[i], i, ends[i]), roots),
      arrayMap(i -> (${item.open}, sides[i], i, ends[i]), opens),
      arrayMap(i -> (${item.orphan}, sides[i], i, ends[i]), orphans),
      [(multiIf(isPlain, ${item.plainTrace}, isLarge, ${item.largeTrace}, ${item.trace}), toUInt64(slice), 0, begin)])`;

/** Columns in steps, each computed from earlier ones: in one step ClickHouse would copy the text of a column into each of its uses. */
const steps: readonly (readonly string[])[] = [
  [
    `rowCount > ${mostAnalysedSpans} AS isLarge`,
    `arrayMap(p -> if(p = 0, 0, indexOf(ids, p)), if(isLarge, [], parents)) AS at`,
    // A repeated export writes its spans twice.
    `arrayEnumerateUniq(ids, sides, starts) AS times`,
    `arrayFilter(i -> times[i] = 1, arrayEnumerate(at)) AS rows`,
    `if(isLarge, rowCount, length(rows)) AS size`,
    `arrayMap(s -> ${serviceOf('s')}, sides) AS services`,
    `arrayMap(s -> ${kindOf('s')}, sides) AS kinds`,
  ],
  [
    `arrayFilter(i -> ${isCall}, rows) AS called`,
    `arrayFilter(i -> at[i] = 0 AND parents[i] != 0, rows) AS orphans`,
    `arrayFilter(i -> parents[i] = 0, rows) AS roots`,
    `if(length(roots) = 1, roots[1], 0) AS root`,
  ],
  [`arrayMap(i -> at[i], called) AS calling`],
  [`${above('calling')} AS above1`],
  [`${above('above1')} AS above2`],
  [`arrayConcat(calling, above1, above2, ${above('above2')}) AS callers`],
  [`arrayFilter(i -> ${isOpen}, rows) AS opens`],
  [`${isPlain} AS isPlain`],
  [`${items} AS items`],
];

/**
 * A row for each trace that begins in the window, with its items as `(item, key, row, time)`. Arrays have an entry for each span; `at` is the
 * index of its parent. Spans are joined only by grouping by trace, so that shards by `cityHash64(TraceId)` work alone.
 */
export function analyseTraces(scope: TraceScope): string {
  const arrays = ['id', 'parent', 'side', 'start', 'end']
    .map((column) => `groupArray(${mostAnalysedSpans + 1})(${column}) AS ${column}s`)
    .join(', ');
  const grouped = `
  SELECT TraceId, min(start) AS begin, count() AS rowCount, intDiv(begin, ${scope.slice}) AS slice, max(unusual) AS isUnusual, ${arrays}
  FROM (SELECT ${analysedColumns} FROM ${spansAround(scope)})
  GROUP BY TraceId HAVING begin >= ${scope.from} AND begin < ${scope.to}`;
  const analysed = steps.reduce(
    (from, columns) => `SELECT *, ${columns.join(',\n    ')} FROM (${from})`,
    grouped,
  );
  return `SELECT TraceId, begin, size, slice, isPlain, ids, at, items FROM (${analysed})`;
}
