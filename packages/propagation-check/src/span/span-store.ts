import {
  type Attributes,
  type AttributeValue,
  type Span,
  type SpanLink,
  spanKinds,
  statusCodes,
} from './span.ts';
import type { Values } from './value-table.ts';

export type Words = Uint32Array<ArrayBuffer>;
export type Reals = Float64Array<ArrayBuffer>;
export type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Spans as columns: a span is a row, from 0 to `size`. A `SpanWriter` writes them once; they never change. Texts and attribute values are
 * ids of `values`.
 */
export interface SpanStore extends SpanColumns {
  readonly size: number;
  /** Nanoseconds since the Unix epoch: the start of the first span that has a start. `starts` and `ends` are relative to it. */
  readonly origin: bigint;
  readonly resourceTable: readonly Resource[];
  readonly values: Values;
  /** The attribute names of rows, by their `shapes`. A shape has each name once. */
  readonly shapeTable: Shapes;
  /** The values of all rows. A row's values begin at `attributeStarts[row]`, in the order of its shape's names. */
  readonly attributeValues: Words;
  readonly links: LinkColumns;
  readonly farTimes: FarTimes;
  /**
   * By row: how many similar spans the source counted but did not send; absent if it sent all. They count as calls. Rules see only rows, so
   * a source must send some spans of every kind.
   */
  readonly unread?: Words;
  /**
   * By row: 1 if the source returned only part of the time range and the other side of a call may be outside it. Absent if it returned
   * everything.
   */
  readonly atBorder?: Bytes;
}

/** Columns have one element for each row unless noted. */
export interface SpanColumns {
  /** 4 words for each row, big-endian; the first two are zero where `hasShortTraceId`. */
  readonly traceIds: Words;
  /** 1 if the source has a 64-bit trace id (16 hex digits). */
  readonly hasShortTraceId: Bytes;
  /** 2 words for each row. */
  readonly spanIds: Words;
  /** 2 words for each row; 0, 0 for a root. */
  readonly parentIds: Words;
  /**
   * Nanoseconds after `origin`, exact within 2^53 ns (104 days). Times farther away are rounded to a double (to 256 ns at 50 years);
   * `farTimes` has their exact values.
   */
  readonly starts: Reals;
  readonly ends: Reals;
  /** Index in `spanKinds`. */
  readonly kinds: Bytes;
  /** Index in `statusCodes`. */
  readonly statuses: Bytes;
  /** 0 where `Span.flags` is null. */
  readonly flags: Words;
  readonly names: Words;
  readonly scopes: Words;
  readonly traceStates: Words;
  readonly statusMessages: Words;
  /** Index in `resourceTable`. */
  readonly resources: Words;
  /** Index in `shapeTable`. */
  readonly shapes: Words;
  /** One element more than rows. */
  readonly attributeStarts: Words;
}

/** Lists of attribute names; a shape's names are from `starts[shape]` to `starts[shape + 1]`. */
export interface Shapes {
  /** One element more than shapes. */
  readonly starts: Words;
  readonly keys: Words;
}

export interface Resource {
  /** See `Span.serviceName`. */
  readonly serviceName: string | null;
  readonly attributes: Attributes;
}

/** The links of all spans, in the order of their rows. */
export interface LinkColumns {
  readonly rows: Words;
  readonly traceIds: Words;
  readonly hasShortTraceId: Bytes;
  readonly spanIds: Words;
}

/** Times that `starts` and `ends` do not hold exactly. `keys` is twice the row, plus 1 for an end, ascending. */
export interface FarTimes {
  readonly keys: Words;
  /** Nanoseconds since the Unix epoch. */
  readonly times: BigUint64Array<ArrayBuffer>;
}

/** The span of a row with the kept attributes (`keepAttributes`). Each call makes a new object. */
export function viewOf(store: SpanStore, row: number): Span {
  const resource = store.resourceTable[at(store.resources, row)];
  const code = statusCodes[store.statuses[row] ?? 0] ?? 'UNSET';
  return {
    traceId: traceIdAt(store, row),
    spanId: spanIdOf(store, row),
    parentSpanId: parentIdOf(store, row),
    traceState: textOf(store, at(store.traceStates, row)),
    flags: at(store.flags, row) === 0 ? null : at(store.flags, row),
    name: textOf(store, at(store.names, row)),
    kind: spanKinds[store.kinds[row] ?? 0] ?? 'UNSPECIFIED',
    startTimeUnixNano: startTimeOf(store, row),
    endTimeUnixNano: endTimeOf(store, row),
    attributes: attributesOf(store, row),
    links: linksOf(store, row),
    status: { code, message: textOf(store, at(store.statusMessages, row)) },
    serviceName: resource?.serviceName ?? null,
    resource: resource?.attributes ?? new Map(),
    scopeName: textOf(store, at(store.scopes, row)),
  };
}

/** How many spans a row stands for: 1 plus `unread`. */
export function weightOf({ unread }: SpanStore, row: number): number {
  return 1 + (unread?.[row] ?? 0);
}

/** The services of all resources; null for one without a name. */
export function listServiceNames({
  resourceTable,
}: Pick<SpanStore, 'resourceTable'>): readonly (string | null)[] {
  return resourceTable.map(({ serviceName }) => serviceName);
}

export function spanIdOf(store: SpanStore, row: number): string {
  return toHex(store.spanIds, row * 2, 2);
}

/** Null for a root. */
export function parentIdOf(store: SpanStore, row: number): string | null {
  const { parentIds } = store;
  return parentIds[row * 2] === 0 && parentIds[row * 2 + 1] === 0 ? null : toHex(parentIds, row * 2, 2);
}

/** Exact, in nanoseconds since the Unix epoch. */
export function startTimeOf(store: SpanStore, row: number): bigint {
  return readTime(store, store.starts[row] ?? 0, row * 2);
}

/** Exact, in nanoseconds since the Unix epoch. */
export function endTimeOf(store: SpanStore, row: number): bigint {
  return readTime(store, store.ends[row] ?? 0, row * 2 + 1);
}

/** Makes a copy. */
export function attributesOf(store: SpanStore, row: number): Attributes {
  const attributes = new Map<string, AttributeValue>();
  for (const [place, key] of keysOf(store, row).entries())
    attributes.set(textOf(store, key), valueAt(store, row, place));
  return attributes;
}

/** The value at a position of the row's shape. */
export function valueAt(store: SpanStore, row: number, place: number): AttributeValue {
  return store.values.decode(at(store.attributeValues, at(store.attributeStarts, row) + place));
}

/** The ids of a row's attribute names. */
export function keysOf({ shapes, shapeTable: { starts, keys } }: SpanStore, row: number): Words {
  const shape = at(shapes, row);
  return keys.subarray(starts[shape], starts[shape + 1]);
}

/** The shapes that contain an attribute name. */
export function findShapes(
  { shapeTable: { starts, keys }, values }: SpanStore,
  name: string,
): ReadonlySet<number> {
  const key = values.find(name);
  const shapes = new Set<number>();
  for (let shape = 0; shape + 1 < starts.length; shape += 1)
    if (key !== null && keys.subarray(starts[shape], starts[shape + 1]).includes(key)) shapes.add(shape);
  return shapes;
}

const noLinks: readonly SpanLink[] = [];

export function linksOf(store: SpanStore, row: number): readonly SpanLink[] {
  const { links } = store;
  if (links.rows.length === 0) return noLinks;
  const found: SpanLink[] = [];
  for (let link = findFirst(links.rows, row); links.rows[link] === row; link += 1)
    found.push({ traceId: traceIdAt(links, link), spanId: toHex(links.spanIds, link * 2, 2) });
  return found;
}

/** The text of an id in `names`, `scopes`, `traceStates` or `statusMessages`, or of an attribute name. */
export function textOf(store: SpanStore, id: number): string {
  return String(store.values.decode(id));
}

/** The greatest distance from `origin` at which doubles represent every nanosecond. */
export const farthestExact = Number.MAX_SAFE_INTEGER;

function readTime({ origin, farTimes }: SpanStore, relative: number, key: number): bigint {
  if (Math.abs(relative) <= farthestExact) return origin + BigInt(relative);
  return farTimes.times[findFirst(farTimes.keys, key)] ?? 0n;
}

export function traceIdAt(
  { traceIds, hasShortTraceId }: Pick<SpanColumns, 'traceIds' | 'hasShortTraceId'>,
  row: number,
) {
  return hasShortTraceId[row] === 1 ? toHex(traceIds, row * 4 + 2, 2) : toHex(traceIds, row * 4, 4);
}

/** Whether two rows have the same trace id. */
export function isSameTrace(
  { traceIds, hasShortTraceId }: SpanColumns,
  left: number,
  right: number,
): boolean {
  for (let word = 0; word < 4; word += 1)
    if (traceIds[left * 4 + word] !== traceIds[right * 4 + word]) return false;
  return hasShortTraceId[left] === hasShortTraceId[right];
}

const idBytes = Buffer.alloc(16);

/** Makes one flat string; concatenated digits would be a rope of strings. */
function toHex(words: Words, start: number, count: number): string {
  for (let word = 0; word < count; word += 1) idBytes.writeUInt32BE(at(words, start + word), word * 4);
  return idBytes.toString('hex', 0, count * 4);
}

/** The index of the first element of an ascending array that is at least `value`. */
function findFirst(ascending: Words, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function at(words: Words, index: number): number {
  return words[index] ?? 0;
}
