import * as z from 'zod';
import { decodeClickhouseRow } from '../../decode/clickhouse.ts';
import { DecodeError } from '../../decode/decode-error.ts';
import { readShape } from '../../decode/read-shape.ts';
import { SourceError } from '../../source/source.ts';
import type { SpanStore } from '../../span/span-store.ts';
import { SpanWriter } from '../../span/span-writer.ts';
import { countOf } from '../../util/count-of.ts';
import type { Result } from '../../verdict/result.ts';
import type { AuditSource, TimeWindow, WindowCoverage, WindowReading } from '../audit-source.ts';
import { type Counted, chooseTraces } from './choose-traces.ts';
import type { ClickhouseAddress } from './clickhouse-address.ts';
import { type Clickhouse, connectClickhouse, notClickhouse } from './connect.ts';
import { divideByMinutes, edgesTable, listMinutes, readMinutes, sliceOfView } from './edges-view.ts';
import { countItems, findEnds, listColumns, marginShare, readChosen } from './queries.ts';
import { quoteName } from './span-sql.ts';
import { type Member, spreadUnread } from './spread-unread.ts';
import { isOfTraces, item, longestTrace, mostAnalysedSpans, type TraceScope } from './trace-sql.ts';

export interface ClickhouseSourceOptions {
  /** PEM file of the server's certificate authority, in addition to those that Node.js knows. */
  readonly caFile?: string;
  readonly judge: (store: SpanStore) => Result;
  /** How many examples of each kind of call are read; set by tests. */
  readonly examples?: number;
}

/** Examples of each kind of whole call: rules compare what all of them have in common. */
const examplesOfKind = 20;
/** The number of processes whose first and last spans are read. */
const mostProcesses = 2_000;
/** A window has at most this many slices, of at least a second each: both sides of a call begin within a small part of a slice. */
const slicesOfWindow = 20_000n;
const shortestSlice = 1_000_000_000n;

/**
 * A source for an audit that reads `otel_traces`, the table of the Collector's ClickHouse exporter. Calls are counted in the database; only
 * loose ends and examples leave it.
 * @throws {SourceError} when the CA file cannot be read.
 */
export async function createClickhouseSource(
  address: ClickhouseAddress,
  { caFile, judge, examples = examplesOfKind }: ClickhouseSourceOptions,
): Promise<AuditSource> {
  const clickhouse = await connectClickhouse(address, caFile);
  let isChecked = false;
  return {
    name: address.name,
    readWindow: async (window, signal) => {
      if (!isChecked) await checkColumns(clickhouse, address, signal);
      isChecked = true;
      // The view counts the calls of one table.
      const hasView = address.tables.length === 1 && (await findView(clickhouse, address, signal));
      const slice = hasView ? sliceOfView : null;
      const scopes = makeScopes(address, slice, window);
      return readWindow({ clickhouse, address, scopes, hasView, examples, signal }, judge);
    },
    close: () => clickhouse.close(),
  };
}

interface WindowScope extends TraceScope {
  readonly from: bigint;
  readonly to: bigint;
}

interface Reading {
  readonly clickhouse: Clickhouse;
  readonly address: ClickhouseAddress;
  readonly scopes: readonly WindowScope[];
  readonly hasView: boolean;
  readonly examples: number;
  readonly signal: AbortSignal;
}

async function readWindow(reading: Reading, judge: (store: SpanStore) => Result): Promise<WindowReading> {
  const counted = await countAll(reading);
  const chosen = chooseTraces(counted, reading.address.most);
  const ends = await collect(reading, (scope) => findEnds(scope, mostProcesses), readEndsRow);
  const traceIds = [...new Set([...chosen.traceIds, ...ends.flat()])].filter((id) => /^[\da-f]+$/i.test(id));
  const { store, members } = await readSpans(reading, { ...chosen, traceIds });
  const { ofRows, unseen } = spreadUnread(counted, members, store.size);
  const atBorder = findBorders(store, chosen.slices, reading.scopes);
  const result = judge({ ...store, unread: ofRows, ...(atBorder === null ? {} : { atBorder }) });
  return {
    result: { ...result, ...countTotals(counted) },
    seen: describeSeen(counted, chosen.slices, unseen),
    store,
  };
}

/** Marks spans that begin near the border of a chosen slice, or outside. All tables of a window have the same slices. */
function findBorders(
  { size, starts, origin }: SpanStore,
  slices: readonly bigint[] | null,
  [scope]: readonly TraceScope[],
): Uint8Array<ArrayBuffer> | null {
  if (slices === null || scope === undefined) return null;
  const chosen = new Set(slices);
  const margin = scope.slice / marginShare;
  const isWithin = (time: bigint): boolean => chosen.has(time / scope.slice);
  return new Uint8Array(size).map((_, row) => {
    const start = origin + BigInt(Math.floor(starts[row] ?? 0));
    return [start - margin, start, start + margin].every(isWithin) ? 0 : 1;
  });
}

async function countAll(reading: Reading): Promise<readonly Counted[]> {
  const merged = new Map<string, Counted>();
  for (const found of await countParts(reading)) {
    const key = `${found.item} ${found.key}`;
    const known = merged.get(key);
    merged.set(key, known === undefined ? found : mergeCounted(known, found, reading.examples));
  }
  return [...merged.values()];
}

/** Counts the items of the window. Minutes that the view of edges has counted are not counted again. */
async function countParts(reading: Reading): Promise<readonly Counted[]> {
  const { address, scopes, examples } = reading;
  const [scope] = scopes;
  const database = quoteName(address.database);
  const countAnew = (from: bigint, to: bigint) =>
    collect(reading, (each) => countItems({ ...each, from, to }, examples), readCounted);
  if (scope === undefined) return [];
  const { from, to } = scope;
  if (!reading.hasView) return countAnew(from, to);
  const inView = { ...reading, scopes: [scope] };
  const minutes = await collect(inView, () => listMinutes(database, from, to), readMinute);
  const counted: Counted[] = [];
  for (const part of divideByMinutes(from, to, [...new Set(minutes)])) {
    const found = part.isCounted
      ? await collect(inView, () => readMinutes(database, part.from, part.to, examples), readCounted)
      : await countAnew(part.from, part.to);
    for (const each of found) counted.push(each);
  }
  return counted;
}

/** Shards have no trace in common, so their counts add up. */
function mergeCounted(one: Counted, other: Counted, most: number): Counted {
  const examples = [...one.examples, ...other.examples];
  return {
    ...one,
    found: one.found + other.found,
    spans: one.spans + other.spans,
    examples: examples.sort((left, right) => (left.sliceHash < right.sliceHash ? -1 : 1)).slice(0, most),
    ends: [...one.ends, ...other.ends],
  };
}

async function readSpans(
  reading: Reading,
  chosen: Parameters<typeof readChosen>[1],
): Promise<{ readonly store: SpanStore; readonly members: readonly Member[] }> {
  const writer = new SpanWriter();
  const members: Member[] = [];
  await collect(
    reading,
    (scope) => readChosen(scope, chosen),
    (row) => {
      const { Items } = readShape(itemsShape, row);
      for (const [of, key] of Items) members.push({ row: writer.rows, item: of, key });
      writer.addSpan(decodeClickhouseRow(row));
    },
  );
  return { store: writer.finish(), members };
}

/** The rows that a query gives for each table. */
async function collect<T>(
  { clickhouse, address, scopes, signal }: Reading,
  sqlOf: (scope: TraceScope) => string,
  read: (row: unknown) => T,
): Promise<readonly T[]> {
  const rows: T[] = [];
  for (const scope of scopes) {
    for await (const row of clickhouse.query(onCluster(address, sqlOf(scope)), signal)) {
      rows.push(readRow(address, row, read));
    }
  }
  return rows;
}

function readRow<T>({ name }: ClickhouseAddress, row: unknown, read: (row: unknown) => T): T {
  try {
    return read(row);
  } catch (error) {
    if (error instanceof DecodeError)
      throw new SourceError(`${name}: a row of the answer: ${error.message}, ${notClickhouse}`);
    throw error;
  }
}

/** Runs the query on each shard's own table: ClickHouse does not split a query inside `view(…)`. */
function onCluster({ cluster }: ClickhouseAddress, sql: string): string {
  return cluster === null ? sql : `SELECT * FROM cluster(${quoteName(cluster)}, view(${sql}))`;
}

/** Scopes with the same window and slices for all tables, so that counts add up. @param window Has both bounds, because a table grows. */
function makeScopes(
  address: ClickhouseAddress,
  fixedSlice: bigint | null,
  window: TimeWindow,
): readonly WindowScope[] {
  const tables = address.tables.map((name) => `${quoteName(address.database)}.${quoteName(name)}`);
  const [from, to] = [toNanoseconds(window.from), toNanoseconds(window.to)];
  const fitting = (to - from) / slicesOfWindow;
  const slice = fixedSlice ?? (fitting > shortestSlice ? fitting : shortestSlice);
  const shared = { from, to, longestTrace, slice };
  return tables.map((table) => ({ table, ...shared }));
}

function toNanoseconds(milliseconds: number): bigint {
  return BigInt(Math.floor(milliseconds)) * 1_000_000n;
}

const neededColumns = [
  ...['Timestamp', 'TraceId', 'SpanId', 'ParentSpanId', 'TraceState', 'SpanName', 'SpanKind', 'ServiceName'],
  ...['ResourceAttributes', 'ScopeName', 'SpanAttributes', 'Duration', 'StatusCode', 'StatusMessage'],
  ...['Links.TraceId', 'Links.SpanId'],
];

async function findView(
  clickhouse: Clickhouse,
  address: ClickhouseAddress,
  signal: AbortSignal,
): Promise<boolean> {
  const sql = `EXISTS TABLE ${quoteName(address.database)}.${quoteName(edgesTable)}`;
  for await (const row of clickhouse.query(sql, signal)) {
    return readRow(address, row, (each) => readShape(existsShape, each)).result === 1;
  }
  return false;
}

async function checkColumns(clickhouse: Clickhouse, address: ClickhouseAddress, signal: AbortSignal) {
  for (const table of address.tables) {
    const types = new Map<string, string>();
    const sql = listColumns(`${quoteName(address.database)}.${quoteName(table)}`);
    for await (const row of clickhouse.query(sql, signal)) {
      const { name, type } = readRow(address, row, (each) => readShape(columnShape, each));
      types.set(name, type);
    }
    // No rows means another server: a table has columns. The client drops a last line without a line feed.
    if (types.size === 0) throw new SourceError(`${address.name}: it answered no row, ${notClickhouse}`);
    const missing = neededColumns.filter((column) => !types.has(column));
    if (missing.length > 0) {
      throw new SourceError(
        `${address.name}: ${table} lacks ${missing.join(', ')}; the table of the Collector's ClickHouse exporter has them`,
      );
    }
    if (types.get('SpanAttributes')?.startsWith('Map(') !== true) {
      throw new SourceError(
        `${address.name}: ${table} has JSON columns, which an audit does not read; export with json: false`,
      );
    }
  }
}

const integer = z.coerce.number().int();
const big = z.union([z.string().regex(/^-?\d+$/), z.number().int()]).transform((value) => BigInt(value));
const columnShape = z.object({ name: z.string(), type: z.string() });
const existsShape = z.object({ result: integer });
const minuteShape = z.object({ minute: integer });
const itemsShape = z.object({ Items: z.array(z.tuple([integer, z.string()])) });
const endsShape = z.object({ first: z.string(), last: z.string() });
const countedShape = endsShape.extend({
  item: integer,
  key: z.string(),
  found: integer,
  spans: integer,
  sliceHash: big,
  examples: z.array(z.tuple([big, big, z.string()])),
});

function readEndsRow(row: unknown): readonly string[] {
  const { first, last } = readShape(endsShape, row);
  return [first, last];
}

/** @returns Nanoseconds. */
function readMinute(row: unknown): bigint {
  return BigInt(readShape(minuteShape, row).minute) * 1_000_000_000n;
}

function readCounted(row: unknown): Counted {
  const { first, last, examples, ...counts } = readShape(countedShape, row);
  return {
    ...counts,
    examples: examples.map(([sliceHash, slice, traceId]) => ({ sliceHash, slice, traceId })),
    ends: [first, last],
  };
}

function countTotals(counted: readonly Counted[]): Pick<Result, 'traces' | 'spans'> {
  const traces = counted.filter(({ item: of }) => isOfTraces.has(of));
  return {
    traces: sum(traces, 'found'),
    spans: sum(traces, 'spans'),
  };
}

function sum(counted: readonly Counted[], count: 'found' | 'spans'): number {
  return counted.reduce((total, each) => total + each[count], 0);
}

function describeSeen(
  counted: readonly Counted[],
  slices: readonly bigint[] | null,
  unseen: number,
): WindowCoverage {
  if (slices === null) return { complete: true, says: '' };
  const all = new Set(counted.filter(({ item: of }) => isOfTraces.has(of)).map(({ key }) => key));
  const chosen = new Set(slices.map(String));
  const large = counted.filter(({ item: of, key }) => of === item.largeTrace && !chosen.has(key));
  const except =
    large.length === 0
      ? ''
      : ` but those of ${countOf(sum(large, 'found'), 'trace')} of more than ${mostAnalysedSpans} spans (${countOf(sum(large, 'spans'), 'span')})`;
  const left =
    unseen === 0 ? '' : `; ${unseen} calls and loose ends are like none of these and count for nothing`;
  return {
    complete: false,
    says:
      `every call was counted${except}, and the traces of ${slices.length} of ${countOf(all.size, 'slice')} of the window were judged: ` +
      `loose ends of the others count as these do${left} (?most= reads more)`,
  };
}
