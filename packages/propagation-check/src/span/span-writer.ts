import { discard, grown } from './byte-source.ts';
import { keepAttributes, keptAttributes } from './kept-attributes.ts';
import { ShapeTable } from './shape-table.ts';
import { type Attributes, type Span, type SpanLink, spanKinds, statusCodes } from './span.ts';
import {
  type Bytes,
  farthestExact,
  type Reals,
  type Resource,
  type Shapes,
  type SpanColumns,
  type SpanStore,
  type Words,
} from './span-store.ts';
import { encodeList } from './value-arena.ts';
import { emptyText, IdMap, isRaw } from './value-id.ts';
import { type ValueBatch, ValueTable } from './value-table.ts';

/** Fields of `ValueTable`; the fields of attributes follow. */
export const field = { name: 0, scope: 1, traceState: 2, statusMessage: 3, key: 4 } as const;
const firstAttributeField = 5;

/** The field of an attribute's values. @param key The id of the attribute name. */
export function attributeField(key: number): number {
  return isRaw(key) ? field.key : firstAttributeField + key;
}

/** The store of spans that exist as objects. Decoders that write no columns themselves use it. */
export function storeOf(spans: Iterable<Span>): SpanStore {
  const writer = new SpanWriter();
  for (const span of spans) writer.addSpan(span);
  return writer.finish();
}

/** Rows of one writer, to be sent to another thread and added there with `addBatch`. */
export interface SpanBatch {
  readonly size: number;
  readonly origin: bigint | null;
  readonly columns: SpanColumns;
  readonly attributeValues: Words;
  readonly links: SpanStore['links'];
  readonly farTimes: SpanStore['farTimes'];
  /** The resources, shapes and values that are new since the writer's last batch. */
  readonly resources: readonly Resource[];
  readonly shapes: Shapes;
  readonly values: ValueBatch;
}

/** Maps the ids of one writer's batches to the ids here. */
export class KnownIds {
  readonly values = new IdMap();
  readonly resources = new IdMap();
  readonly shapes = new IdMap();
}

/** A state to which a writer can roll back. */
export interface Mark {
  readonly rows: number;
  readonly pairs: number;
  readonly links: number;
  readonly farTimes: number;
}

/** Small, because most checks are of a few spans; columns grow. */
const firstRows = 64;

/** The columns of `SpanColumns`: 15 words, two doubles, three bytes. */
const bytesPerRow = 15 * 4 + 2 * 8 + 3;
/** A row, four words of trace id, two words of span id, and a byte. */
const bytesPerLink = 7 * 4 + 1;
/**
 * The objects of a resource and of each attribute; each text is stored twice, on its own and in the key. Measured after a garbage
 * collection.
 */
const bytesPerResource = 300;
const bytesPerResourceAttribute = 100;
const bytesPerResourceCharacter = 3;

/** Columns to which few rows write. They are zero elsewhere; memory pages that are never written are not allocated. */
const rareColumns = ['hasShortTraceId', 'traceStates', 'statusMessages'] as const;

/** A loop takes a third of the time of `some`. */
function isWritten(column: Words | Bytes): boolean {
  for (let at = 0; at < column.length; at += 1) if (column[at] !== 0) return true;
  return false;
}

/**
 * Writes spans as columns. For each row, a decoder calls `beginRow` or `reserve`, writes the elements of row `rows` in `columns`
 * (`rareColumns` are zero), adds attributes, links and times, and calls `commit`. A row that is not committed does not exist; `rollBack`
 * removes committed rows.
 */
export class SpanWriter {
  /** As long as the reserved memory. */
  columns: SpanColumns = mapColumns(noColumns(), resize(firstRows, false));
  rows = 0;
  readonly values = new ValueTable();
  readonly #resources: Resource[] = [];
  #resourceBytes = 0;
  readonly #shapes = new ShapeTable();
  /** The attribute names of the current row. */
  #keys = new Uint32Array(64);
  #rowStart = 0;
  #attributeValues = new Uint32Array(firstRows * 8);
  #pairs = 0;
  #capacity = firstRows;
  /** Whether a finished store uses the same columns. */
  #isShared = false;
  #linkRows = new Uint32Array(4);
  #linkTraceIds = new Uint32Array(16);
  #linkShort = new Uint8Array(4);
  #linkSpanIds = new Uint32Array(8);
  #links = 0;
  #farKeys = new Uint32Array(4);
  #farTimes = new BigUint64Array(4);
  #far = 0;
  #origin: bigint | null = null;
  /** The origin in the two forms in which formats write times. */
  #seconds = 0;
  #nanoseconds = 0;
  #high = 0;
  #low = 0;
  readonly #knownResources = new Map<string, number>();
  readonly #knownObjects = new WeakMap<Attributes, number>();
  #batchedResources = 0;

  constructor() {
    for (const key of keptAttributes) this.values.add(key, field.key);
  }

  /** Estimated memory in use. Shapes hardly count; resources do if a Collector sends those of a thousand processes. */
  get bytes(): number {
    const pairs = this.#pairs * Uint32Array.BYTES_PER_ELEMENT;
    return (
      this.rows * bytesPerRow + pairs + this.#links * bytesPerLink + this.values.bytes + this.#resourceBytes
    );
  }

  /** Makes room for row number `rows`. */
  reserve(): void {
    if (this.rows >= this.#capacity) this.#resize(this.#capacity * 2);
  }

  /** Makes room for `times` as much as there is now, so that columns need not be copied as they grow. */
  expect(times: number): void {
    const rows = Math.ceil(this.rows * times);
    if (rows > this.#capacity) this.#resize(rows);
    this.#reservePairs(Math.ceil(this.#pairs * times));
    this.values.expect(times);
  }

  #resize(rows: number): void {
    this.#capacity = rows;
    this.columns = mapColumns(this.columns, resize(rows, !this.#isShared));
  }

  /** As `reserve`, and clears the optional fields of the row. @returns The row. */
  beginRow(): number {
    this.reserve();
    const { columns, rows: row } = this;
    columns.parentIds[row * 2] = 0;
    columns.parentIds[row * 2 + 1] = 0;
    columns.kinds[row] = 0;
    columns.statuses[row] = 0;
    columns.flags[row] = 0;
    columns.names[row] = emptyText;
    return row;
  }

  /** Completes the row. */
  commit(): void {
    this.columns.shapes[this.rows] = this.#shapes.add(this.#keys, this.#pairs - this.#rowStart);
    this.rows += 1;
    this.#rowStart = this.#pairs;
    this.columns.attributeStarts[this.rows] = this.#pairs;
  }

  /** Completes a row to which only values were added (`addValue`), in the order of an earlier row's shape. */
  commitAs(shape: number): void {
    this.columns.shapes[this.rows] = shape;
    this.rows += 1;
    this.#rowStart = this.#pairs;
    this.columns.attributeStarts[this.rows] = this.#pairs;
  }

  /** Discards what was written of the row. */
  abandon(): void {
    this.#pairs = this.#rowStart;
    for (const column of rareColumns) {
      // Do not touch memory pages that were never written.
      if (this.columns[column][this.rows] !== 0) this.columns[column][this.rows] = 0;
    }
  }

  mark(): Mark {
    return { rows: this.rows, pairs: this.#pairs, links: this.#links, farTimes: this.#far };
  }

  /** Removes all rows since the mark and what was written of the next row. Interned values stay. */
  rollBack(mark: Mark): void {
    for (const column of rareColumns) this.columns[column].fill(0, mark.rows, this.rows + 1);
    this.rows = mark.rows;
    this.#pairs = mark.pairs;
    this.#rowStart = mark.pairs;
    this.#links = mark.links;
    this.#far = mark.farTimes;
  }

  /** Adds an attribute to the row; each key at most once. */
  addAttribute(key: number, value: number): void {
    if (this.#pairs === this.#attributeValues.length) this.#reservePairs(this.#pairs + 1);
    const place = this.#pairs - this.#rowStart;
    if (place === this.#keys.length) this.#keys = grown(this.#keys, place + 1);
    this.#keys[place] = key;
    this.#attributeValues[this.#pairs] = value;
    this.#pairs += 1;
  }

  /** Adds the value of the next attribute of the row's shape. */
  addValue(value: number): void {
    if (this.#pairs === this.#attributeValues.length) this.#reservePairs(this.#pairs + 1);
    this.#attributeValues[this.#pairs] = value;
    this.#pairs += 1;
  }

  #reservePairs(pairs: number): void {
    if (pairs <= this.#attributeValues.length) return;
    const values = this.#attributeValues;
    this.#attributeValues = grown(values, pairs);
    if (!this.#isShared) discard(values.buffer);
  }

  /** Adds a link to the row. @param words 4 words of the trace id, then 2 of the span id. */
  addLink(words: ArrayLike<number>, hasShortTraceId: boolean): void {
    const link = this.#links;
    if (link === this.#linkRows.length) {
      this.#linkRows = grown(this.#linkRows, link + 1);
      this.#linkTraceIds = grown(this.#linkTraceIds, link * 4 + 4);
      this.#linkSpanIds = grown(this.#linkSpanIds, link * 2 + 2);
      const longer = new Uint8Array(this.#linkRows.length);
      longer.set(this.#linkShort);
      this.#linkShort = longer;
    }
    this.#linkRows[link] = this.rows;
    this.#linkShort[link] = hasShortTraceId ? 1 : 0;
    for (let word = 0; word < 4; word += 1) this.#linkTraceIds[link * 4 + word] = words[word] ?? 0;
    for (let word = 0; word < 2; word += 1) this.#linkSpanIds[link * 2 + word] = words[word + 4] ?? 0;
    this.#links += 1;
  }

  /** Sets start and end of the row, each as seconds and nanoseconds. */
  setDecimalTimes(startSeconds: number, startNanos: number, endSeconds: number, endNanos: number): void {
    if (this.#origin === null)
      this.#chooseOrigin(ofSeconds(startSeconds, startNanos), ofSeconds(endSeconds, endNanos));
    const start = (startSeconds - this.#seconds) * 1e9 + (startNanos - this.#nanoseconds);
    const end = (endSeconds - this.#seconds) * 1e9 + (endNanos - this.#nanoseconds);
    this.columns.starts[this.rows] = start;
    this.columns.ends[this.rows] = end;
    if (this.#origin === null || isFar(start))
      this.#addFarTime(this.rows * 2, ofSeconds(startSeconds, startNanos));
    if (this.#origin === null || isFar(end))
      this.#addFarTime(this.rows * 2 + 1, ofSeconds(endSeconds, endNanos));
  }

  /** Sets start and end of the row, each as the high and low 32 bits of nanoseconds. */
  setBinaryTimes(startHigh: number, startLow: number, endHigh: number, endLow: number): void {
    if (this.#origin === null) this.#chooseOrigin(ofHalves(startHigh, startLow), ofHalves(endHigh, endLow));
    const start = (startHigh - this.#high) * 2 ** 32 + (startLow - this.#low);
    const end = (endHigh - this.#high) * 2 ** 32 + (endLow - this.#low);
    this.columns.starts[this.rows] = start;
    this.columns.ends[this.rows] = end;
    if (this.#origin === null || isFar(start)) this.#addFarTime(this.rows * 2, ofHalves(startHigh, startLow));
    if (this.#origin === null || isFar(end)) this.#addFarTime(this.rows * 2 + 1, ofHalves(endHigh, endLow));
  }

  /** Equal resources get the same id. */
  addResource(resource: Resource): number {
    const key = encodeList([resource.serviceName ?? false, ...[...resource.attributes].flat()]);
    const known = this.#knownResources.get(key);
    if (known !== undefined) return known;
    this.#knownResources.set(key, this.#resources.length);
    this.#resourceBytes +=
      bytesPerResource +
      resource.attributes.size * bytesPerResourceAttribute +
      key.length * bytesPerResourceCharacter;
    return this.#resources.push(resource) - 1;
  }

  addSpan(span: Span): void {
    this.reserve();
    const { columns, rows: row } = this;
    const { values } = this;
    columns.hasShortTraceId[row] = writeTraceId(span.traceId, columns.traceIds, row * 4) ? 1 : 0;
    writeHex(span.spanId, 2, columns.spanIds, row * 2);
    writeHex(span.parentSpanId ?? noParent, 2, columns.parentIds, row * 2);
    columns.kinds[row] = spanKinds.indexOf(span.kind);
    columns.statuses[row] = statusCodes.indexOf(span.status.code);
    columns.flags[row] = span.flags ?? 0;
    columns.names[row] = values.add(span.name, field.name);
    columns.scopes[row] = values.add(span.scopeName, field.scope);
    columns.traceStates[row] = values.add(span.traceState, field.traceState);
    columns.statusMessages[row] = values.add(span.status.message, field.statusMessage);
    columns.resources[row] = this.#findResource(span);
    const [start, end] = [toUint64(span.startTimeUnixNano), toUint64(span.endTimeUnixNano)];
    this.setBinaryTimes(
      Number(start >> 32n),
      Number(start & lowHalf),
      Number(end >> 32n),
      Number(end & lowHalf),
    );
    for (const [key, value] of keepAttributes(span.attributes)) {
      const id = values.add(key, field.key);
      this.addAttribute(id, values.add(value, attributeField(id)));
    }
    for (const link of span.links) this.#addSpanLink(link);
    this.commit();
  }

  /** The store of all rows so far. It shares memory with the writer, which may add rows but does not change these. */
  finish(): SpanStore {
    this.#isShared = true;
    const tables = { values: this.values, resourceTable: this.#resources, shapeTable: this.#shapes.list() };
    return { ...tables, size: this.rows, ...this.#cut('subarray'), origin: this.#origin ?? 0n };
  }

  /** Takes all rows. The writer is empty afterwards but keeps its interned values and resources. */
  takeBatch(): SpanBatch {
    const { attributeValues, links, farTimes, ...columns } = this.#cut('slice');
    const batch: SpanBatch = {
      ...{ size: this.rows, origin: this.#origin, columns, attributeValues, links, farTimes },
      resources: this.#resources.slice(this.#batchedResources),
      shapes: this.#shapes.takeBatch(),
      values: this.values.takeBatch(),
    };
    this.#batchedResources = this.#resources.length;
    this.rollBack({ rows: 0, pairs: 0, links: 0, farTimes: 0 });
    return batch;
  }

  /**
   * Adds the rows of another writer and frees the batch. @param known One object for all batches of that writer, which must come in order.
   */
  addBatch(batch: SpanBatch, known: KnownIds): void {
    const rawOffset = this.values.addBatch(batch.values, known.values);
    for (const resource of batch.resources) known.resources.push(this.addResource(resource));
    this.#shapes.addBatch(batch.shapes, known.values, rawOffset, known.shapes);
    const base = { row: this.rows, pair: this.#pairs, link: this.#links };
    let capacity = this.#capacity;
    while (this.rows + batch.size >= capacity) capacity *= 2;
    if (capacity > this.#capacity) this.#resize(capacity);
    this.#copyColumns(batch, known, rawOffset);
    this.#copyTimes(batch);
    this.#reservePairs(base.pair + batch.attributeValues.length);
    known.values.copy(batch.attributeValues, this.#attributeValues, base.pair, rawOffset);
    this.#pairs += batch.attributeValues.length;
    this.#rowStart = this.#pairs;
    for (const [link, row] of batch.links.rows.entries()) {
      this.rows = base.row + row;
      const { traceIds, spanIds, hasShortTraceId } = batch.links;
      const words = [
        ...traceIds.subarray(link * 4, link * 4 + 4),
        ...spanIds.subarray(link * 2, link * 2 + 2),
      ];
      this.addLink(words, hasShortTraceId[link] === 1);
    }
    this.rows = base.row + batch.size;
    for (const buffer of listBuffers(batch)) discard(buffer);
  }

  #copyColumns({ columns: from, size }: SpanBatch, known: KnownIds, rawOffset: number): void {
    const { columns: to, rows } = this;
    for (const column of ['names', 'scopes'] as const)
      known.values.copy(from[column], to[column], rows, rawOffset);
    for (const column of ['traceStates', 'statusMessages'] as const)
      if (isWritten(from[column])) known.values.copy(from[column], to[column], rows, rawOffset);
    if (isWritten(from.hasShortTraceId)) to.hasShortTraceId.set(from.hasShortTraceId, rows);
    known.resources.copy(from.resources, to.resources, rows, 0);
    known.shapes.copy(from.shapes, to.shapes, rows, 0);
    const starts = from.attributeStarts;
    for (let at = 0; at < starts.length; at += 1)
      to.attributeStarts[rows + at] = this.#pairs + (starts[at] ?? 0);
    to.traceIds.set(from.traceIds, rows * 4);
    to.spanIds.set(from.spanIds, rows * 2);
    to.parentIds.set(from.parentIds, rows * 2);
    for (const column of ['kinds', 'statuses'] as const) to[column].set(from[column], rows);
    to.flags.set(from.flags.subarray(0, size), rows);
  }

  #copyTimes({ columns, size, origin, farTimes }: SpanBatch): void {
    if (this.#origin === null && origin !== null) this.#setOrigin(origin);
    // Without an origin, all times of the batch are far.
    const shift = Number((origin ?? 0n) - (this.#origin ?? 0n));
    const far = new Map<number, bigint>();
    for (const [index, key] of farTimes.keys.entries()) far.set(key, farTimes.times[index] ?? 0n);
    const copy = (from: Reals, to: Reals, row: number, end: 0 | 1) => {
      const time = (from[row] ?? 0) + shift;
      to[this.rows + row] = time;
      const exact = far.size === 0 ? undefined : far.get(row * 2 + end);
      const isFarNow = exact !== undefined || isFar(time) || isFar(shift);
      if (!isFarNow) return;
      const absolute = exact ?? (origin ?? 0n) + BigInt(from[row] ?? 0);
      const relative = Number(absolute - (this.#origin ?? 0n));
      to[this.rows + row] = relative;
      if (this.#origin === null || isFar(relative)) this.#addFarTime((this.rows + row) * 2 + end, absolute);
    };
    for (let row = 0; row < size; row += 1) {
      copy(columns.starts, this.columns.starts, row, 0);
      copy(columns.ends, this.columns.ends, row, 1);
    }
  }

  #addSpanLink({ traceId, spanId }: SpanLink): void {
    const words = new Uint32Array(6);
    const isShort = writeTraceId(traceId, words, 0);
    writeHex(spanId, 2, words, 4);
    this.addLink(words, isShort);
  }

  #findResource({ serviceName, resource }: Span): number {
    const same = this.#knownObjects.get(resource);
    if (same !== undefined && this.#resources[same]?.serviceName === serviceName) return same;
    const id = this.addResource({ serviceName, attributes: resource });
    this.#knownObjects.set(resource, id);
    return id;
  }

  #chooseOrigin(start: bigint, end: bigint): void {
    if (start !== 0n) this.#setOrigin(start);
    else if (end !== 0n) this.#setOrigin(end);
  }

  #setOrigin(origin: bigint): void {
    this.#origin = origin;
    this.#seconds = Number(origin / 1_000_000_000n);
    this.#nanoseconds = Number(origin % 1_000_000_000n);
    this.#high = Number(origin >> 32n);
    this.#low = Number(origin & lowHalf);
    // Earlier rows may have no times.
    for (const key of this.#farKeys.subarray(0, this.#far)) {
      const times = key % 2 === 0 ? this.columns.starts : this.columns.ends;
      times[Math.floor(key / 2)] = Number(-origin);
    }
  }

  #addFarTime(key: number, time: bigint): void {
    this.#farKeys = grown(this.#farKeys, this.#far + 1);
    if (this.#farTimes.length < this.#farKeys.length) {
      const longer = new BigUint64Array(this.#farKeys.length);
      longer.set(this.#farTimes);
      this.#farTimes = longer;
    }
    this.#farKeys[this.#far] = key;
    this.#farTimes[this.#far] = time;
    this.#far += 1;
  }

  #cut(
    how: 'slice' | 'subarray',
  ): Omit<SpanStore, 'size' | 'origin' | 'resourceTable' | 'shapeTable' | 'values'> {
    const cut = <T extends Cuttable<T>>(array: T, length: number): T => array[how](0, length);
    const rows = this.rows;
    return {
      ...mapColumns(this.columns, {
        words: (array, width) => cut(array, rows * width),
        reals: (array) => cut(array, rows),
        bytes: (array) => cut(array, rows),
      }),
      attributeStarts: cut(this.columns.attributeStarts, rows + 1),
      attributeValues: cut(this.#attributeValues, this.#pairs),
      links: {
        rows: cut(this.#linkRows, this.#links),
        traceIds: cut(this.#linkTraceIds, this.#links * 4),
        hasShortTraceId: cut(this.#linkShort, this.#links),
        spanIds: cut(this.#linkSpanIds, this.#links * 2),
      },
      farTimes: { keys: cut(this.#farKeys, this.#far), times: cut(this.#farTimes, this.#far) },
    };
  }
}

interface Cuttable<T> {
  slice(start: number, end: number): T;
  subarray(start: number, end: number): T;
}

interface ColumnMap {
  words(column: Words, width: number): Words;
  reals(column: Reals): Reals;
  bytes(column: Bytes): Bytes;
}

function mapColumns(columns: SpanColumns, map: ColumnMap): SpanColumns {
  return {
    traceIds: map.words(columns.traceIds, 4),
    hasShortTraceId: map.bytes(columns.hasShortTraceId),
    spanIds: map.words(columns.spanIds, 2),
    parentIds: map.words(columns.parentIds, 2),
    starts: map.reals(columns.starts),
    ends: map.reals(columns.ends),
    kinds: map.bytes(columns.kinds),
    statuses: map.bytes(columns.statuses),
    flags: map.words(columns.flags, 1),
    names: map.words(columns.names, 1),
    scopes: map.words(columns.scopes, 1),
    traceStates: map.words(columns.traceStates, 1),
    statusMessages: map.words(columns.statusMessages, 1),
    resources: map.words(columns.resources, 1),
    shapes: map.words(columns.shapes, 1),
    attributeStarts: map.words(columns.attributeStarts, 1),
  };
}

function noColumns(): SpanColumns {
  const [words, reals, bytes] = [new Uint32Array(0), new Float64Array(0), new Uint8Array(0)];
  const ids = { traceIds: words, hasShortTraceId: bytes, spanIds: words, parentIds: words };
  const texts = { names: words, scopes: words, traceStates: words, statusMessages: words };
  const numbers = { starts: reals, ends: reals, kinds: bytes, statuses: bytes, flags: words };
  return { ...ids, ...numbers, ...texts, resources: words, shapes: words, attributeStarts: words };
}

/** Copies to longer columns. Memory pages that are never written are not allocated. */
function resize(rows: number, isDiscarding: boolean): ColumnMap {
  const extend = <T extends { set(values: T): void; readonly buffer: ArrayBuffer }>(
    longer: T,
    column: T,
  ): T => {
    longer.set(column);
    if (isDiscarding) discard(column.buffer);
    return longer;
  };
  return {
    // One element more: `attributeStarts` has the end of the last row.
    words: (column, width) => extend(new Uint32Array(rows * width + 1), column),
    reals: (column) => extend(new Float64Array(rows), column),
    bytes: (column) => extend(new Uint8Array(rows), column),
  };
}

const lowHalf = 0xffff_ffffn;
const noParent = '0'.repeat(16);

function ofSeconds(seconds: number, nanoseconds: number): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
}

function ofHalves(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

/** Times have 64 bits in every format; hand-made spans may exceed that. */
function toUint64(time: bigint): bigint {
  if (time < 0n) return 0n;
  return time < 2n ** 64n ? time : 2n ** 64n - 1n;
}

function isFar(relative: number): boolean {
  return relative > farthestExact || relative < -farthestExact;
}

/** @returns Whether the id has 64 bits. */
function writeTraceId(id: string, to: Words, start: number): boolean {
  const isShort = id.length === 16;
  writeHex(isShort ? `${'0'.repeat(16)}${id}` : id, 4, to, start);
  return isShort;
}

function writeHex(id: string, words: number, to: Words, start: number): void {
  if (id.length !== words * 8 || !/^[0-9a-f]+$/.test(id))
    throw new RangeError(`"${id}" is not an id of a span`);
  for (let word = 0; word < words; word += 1)
    to[start + word] = Number.parseInt(id.slice(word * 8, word * 8 + 8), 16);
}

/** The buffers of a batch, which can be transferred to another thread without a copy. */
export function listBuffers({
  columns,
  values,
  links,
  farTimes,
  shapes,
  attributeValues,
}: SpanBatch): readonly ArrayBuffer[] {
  const arrays = [columns, values, links, farTimes, shapes].flatMap((group) => Object.values(group));
  return [...arrays, attributeValues].map((array) => array.buffer);
}
