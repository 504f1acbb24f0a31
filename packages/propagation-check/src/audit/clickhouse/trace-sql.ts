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

/** The table of spans, and the traces that are meant. Times are numbers or SQL. */
export interface TraceScope {
  /** As SQL names it, quoted where it must be. */
  readonly table: string;
  /** Nanoseconds since the epoch: traces that begin from `from` to before `to`. */
  readonly from: bigint | string;
  readonly to: bigint | string;
  /** Nanoseconds before and after the window in which spans of its traces are looked for. */
  readonly longestTrace: bigint;
  /** Nanoseconds: traces are sampled by the slice of time in which they begin. */
  readonly slice: bigint;
  /** A condition on spans, so that less is grouped: it holds for all spans of the traces that are meant. */
  readonly where?: string;
}

/** Nanoseconds: 5 min. Spans of one trace begin so far from its first at most. */
export const longestTrace = 300_000_000_000n;

/** Traces with more spans are judged by the engine alone, because the search for parents in arrays is quadratic. */
export const mostAnalysedSpans = 1_000;

/**
 * Items that are counted, by number. Calls and roots are told apart by whether their trace is plain, for the two are sampled differently.
 * - plain trace: the engine can say nothing of it but that its calls are whole;
 * - large trace: too large to be analysed here, so that its calls are no items;
 * - loose ends: CLIENT and PRODUCER spans that nobody continued, and spans whose parent is missing.
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

/** Items that are traces, by slice. */
export const isOfTraces: ReadonlySet<number> = new Set([item.plainTrace, item.trace, item.largeTrace]);

/** Added to the number of a plain call, for the span that called: an item is the span that was called. */
export const callerOf = 10;

/** Spans of the window and of the longest trace around it. */
export function spansAround({ table, from, to, longestTrace, where }: TraceScope): string {
  return `${table} WHERE Timestamp >= fromUnixTimestamp64Nano(toInt64(${from} - ${longestTrace}))
    AND Timestamp < fromUnixTimestamp64Nano(toInt64(${to} + ${longestTrace}))${where === undefined ? '' : ` AND (${where})`}`;
}

const { server, client, producer, consumer } = kindNumber;
const isEntry = (kind: string): string => `${kind} IN (${server}, ${consumer})`;

/** The span above each called one in its service: an attempt, a layer. */
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

/** Columns that are added in steps, each on those before: ClickHouse would copy the text of a name into each of its uses. */
const steps: readonly (readonly string[])[] = [
  [
    `rowCount > ${mostAnalysedSpans} AS isLarge`,
    `arrayMap(p -> if(p = 0, 0, indexOf(ids, p)), if(isLarge, [], parents)) AS at`,
    // An export that is tried again writes its spans twice.
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
 * A row for each trace that begins in the window, with its items: `(item, key, row, time)`. Arrays hold a span each, and `at` the place of
 * its parent. Grouping by trace is all that joins spans, so that shards by `cityHash64(TraceId)` need nothing of each other.
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
