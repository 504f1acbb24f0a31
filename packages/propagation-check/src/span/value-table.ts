import type { AttributeValue } from './span.ts';

/**
 * The texts and attribute values of a span store, as numbers.
 *
 * A value that is frequent in its field is interned: its id is dense (0, 1, 2 …), so that side tables are arrays, and equal interned ids
 * mean equal values. A field with more distinct values than `mostPerField`, for instance URLs with ids in them, keeps the others
 * raw: their ids have `rawBit`, and every occurrence has an id of its own.
 * So: equal ids are equal values; two different ids are different values only where neither `isRaw`.
 */
export interface Values {
  /** How many are interned. */
  readonly size: number;
  decode(id: number): AttributeValue;
  /** The id of an interned text; null where no span has it, or where it was not interned. */
  find(text: string): number | null;
  /** Whether a raw value is certainly a path that does not end so. Ignores a query, a fragment and one slash behind it. Decodes nothing. */
  hasOtherEnd(id: number, end: string): boolean;
  /** How many values a field brought: those that another field had before are not counted. */
  countOf(field: number): number;
}

/** Id of the empty text: columns of texts are zero where nothing was written. */
export const emptyText = 0;

/** Set in raw ids. In columns they are unsigned; the writer handles them signed, because V8 allocates memory for larger numbers. */
const rawBit = 0x8000_0000;

export function isRaw(id: number): boolean {
  return (id | 0) < 0;
}

/** Routes, methods, hosts, statuses of a large system fit; paths with ids do not. */
const mostPerField = 4_096;
/** Hostile data may have any number of fields. */
const mostInterned = 262_144;
/** With so many more values that are not interned than ones that are, a field is no longer looked up. */
const mostStrays = 1_024;
/** Longer values hardly repeat, and are expensive to hash. */
const longestInterned = 512;

/** Tables grow; most checks are of a few spans. */
const firstValues = 256;

/** How a value is written as bytes. */
export const valueType = {
  /** UTF-8. */
  text: 0,
  /** UTF-16, for a text that is not well-formed Unicode. */
  wideText: 1,
  /** As JavaScript writes it. */
  number: 2,
  /** `true` or `false`. */
  boolean: 3,
  /** JSON; see `encodeList`. */
  list: 4,
} as const;
const typeBits = 3;
/** Characters up to here are one byte of UTF-8. */
const lastAscii = 0x7f;
const slash = 0x2f;
const questionMark = 0x3f;
const numberSign = 0x23;
const headerBytes = 4;

/** Bytes to read from, with a view of the same bytes for reading words. */
export interface ByteSource {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** The values that were added since the last batch, as `Arena` writes them. */
export interface ValueBatch {
  readonly interned: Uint8Array<ArrayBuffer>;
  /** Of the interned values. */
  readonly fields: Uint32Array<ArrayBuffer>;
  readonly raw: Uint8Array<ArrayBuffer>;
}

export class ValueTable implements Values {
  readonly #interned = new Arena();
  readonly #raw = new Arena();
  /** By interned id: where it is, its hash, and the field that it was first seen in. */
  #places = new Uint32Array(firstValues);
  #hashes = new Uint32Array(firstValues);
  #fields = new Uint32Array(firstValues);
  #size = 0;
  /** Open addressing: id + 1, and 0 where free. */
  #slots = new Uint32Array(firstValues * 4);
  /** By field: how many values it brought. */
  #distinct = new Uint32Array(firstValues);
  /** By field: by how much values that are not interned outnumber those that are, since the budget is used up. */
  #strays = new Uint32Array(firstValues);
  readonly #decoded: AttributeValue[] = [];
  /** Interned texts that were added as such, so that each is encoded once. */
  readonly #texts = new Map<string, number>();
  readonly #encoder = new TextEncoder();
  readonly #digits = sourceOf(new Uint8Array(20));
  #batchedValues = 0;
  #batchedBytes = 0;

  constructor() {
    this.add('', 0);
  }

  get size(): number {
    return this.#size;
  }

  /** Memory for the values, as they are written. */
  get bytes(): number {
    return this.#interned.length + this.#raw.length;
  }

  /** See `SpanWriter.expect`. Interned values hardly grow. */
  expect(times: number): void {
    this.#raw.reserve(Math.ceil(this.#raw.length * times));
  }

  /** @param field Numbers of fields are small and dense; the budget of interned values is by field. */
  add(value: AttributeValue, field: number): number {
    const known = typeof value === 'string' ? this.#texts.get(value) : undefined;
    if (known !== undefined) return known;
    const { type, bytes } = this.#encode(value);
    const id = this.addBytes(sourceOf(bytes), 0, bytes.length, type, field);
    if (typeof value === 'string' && !isRaw(id)) this.#texts.set(value, id);
    return id;
  }

  /** Adds the value that `source` has from `start` to `end` in the encoding that `type` says. Nothing is decoded. */
  addBytes(source: ByteSource, start: number, end: number, type: number, field: number): number {
    const header = ((end - start) << typeBits) | type;
    if (end - start > longestInterned || (this.#strays[field] ?? 0) > mostStrays)
      return this.#addRaw(source, start, end, header);
    const hash = hashBytes(source, start, end, header);
    const slot = this.#probe(source, start, end, header, hash);
    const entry = this.#slots[slot] ?? 0;
    if (field >= this.#distinct.length) {
      this.#distinct = grown(this.#distinct, field + 1);
      this.#strays = grown(this.#strays, field + 1);
    }
    const distinct = this.#distinct[field] ?? 0;
    const strays = this.#strays[field] ?? 0;
    if (entry !== 0) {
      if (strays > 0) this.#strays[field] = strays - 1;
      return entry - 1;
    }
    if (distinct >= mostPerField || this.#size >= mostInterned) {
      this.#strays[field] = strays + 1;
      return this.#addRaw(source, start, end, header);
    }
    this.#distinct[field] = distinct + 1;
    this.#slots[slot] = this.#size + 1;
    return this.#intern(source, start, end, header, hash, field);
  }

  /** Adds an integer that is not negative. */
  addNatural(value: number, field: number): number {
    const digits = this.#digits;
    let at = digits.bytes.length;
    let rest = value;
    do {
      at -= 1;
      digits.bytes[at] = 0x30 + (rest % 10);
      rest = Math.floor(rest / 10);
    } while (rest > 0);
    return this.addBytes(digits, at, digits.bytes.length, valueType.number, field);
  }

  decode(id: number): AttributeValue {
    if (isRaw(id)) return this.#raw.decode((id & ~rawBit) * headerBytes);
    const known = this.#decoded[id];
    if (known !== undefined) return known;
    const value = this.#interned.decode(this.#places[id] ?? 0);
    this.#decoded[id] = value;
    return value;
  }

  hasOtherEnd(id: number, end: string): boolean {
    return isRaw(id) && this.#raw.hasOtherEnd((id & ~rawBit) * headerBytes, end);
  }

  find(text: string): number | null {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const { type, bytes } = this.#encode(text);
    return this.findBytes(sourceOf(bytes), 0, bytes.length, type);
  }

  countOf(field: number): number {
    return this.#distinct[field] ?? 0;
  }

  /** As `addBytes`, but adds nothing. */
  findBytes(source: ByteSource, start: number, end: number, type: number): number | null {
    const header = ((end - start) << typeBits) | type;
    const slot = this.#probe(source, start, end, header, hashBytes(source, start, end, header));
    const entry = this.#slots[slot] ?? 0;
    return entry === 0 ? null : entry - 1;
  }

  /** The offset behind the bytes of an interned value, where `source` has them at `start`; -1 where it has others. */
  matchInterned(id: number, source: ByteSource, start: number): number {
    return this.#interned.match(this.#places[id] ?? 0, source, start);
  }

  /** Takes what was added since the last batch; the interned values stay, the raw ones are gone from here. */
  takeBatch(): ValueBatch {
    const batch = {
      interned: this.#interned.bytes.slice(this.#batchedBytes, this.#interned.length),
      fields: this.#fields.slice(this.#batchedValues, this.#size),
      raw: this.#raw.bytes.slice(0, this.#raw.length),
    };
    this.#batchedValues = this.#size;
    this.#batchedBytes = this.#interned.length;
    this.#raw.length = 0;
    return batch;
  }

  /**
   * Adds the values of another table's batch.
   * @param ids Of the interned values of that table by their ids there; the new ones are added to it.
   * @returns To be added to the ids of its raw values.
   */
  addBatch(batch: ValueBatch, ids: IdMap): number {
    const source = sourceOf(batch.interned);
    let at = 0;
    for (const field of batch.fields) {
      const header = source.view.getUint32(at, true);
      const length = header >>> typeBits;
      ids.push(this.addBytes(source, at + headerBytes, at + headerBytes + length, header & 7, field));
      at = align(at + headerBytes + length);
    }
    return this.#raw.appendAll(batch.raw) / headerBytes;
  }

  /** The slot of the value, or the free one where it belongs. */
  #probe(source: ByteSource, start: number, end: number, header: number, hash: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let entry = this.#slots[slot] ?? 0; entry !== 0; entry = this.#slots[slot] ?? 0) {
      const id = entry - 1;
      if (
        this.#hashes[id] === hash &&
        this.#interned.equals(this.#places[id] ?? 0, header, source, start, end)
      )
        break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #addRaw(source: ByteSource, start: number, end: number, header: number): number {
    return rawBit | (this.#raw.append(source, start, end, header) / headerBytes);
  }

  #intern(
    source: ByteSource,
    start: number,
    end: number,
    header: number,
    hash: number,
    field: number,
  ): number {
    const id = this.#size;
    if (id >= this.#places.length) {
      this.#places = grown(this.#places, id + 1);
      this.#hashes = grown(this.#hashes, id + 1);
      this.#fields = grown(this.#fields, id + 1);
    }
    this.#places[id] = this.#interned.append(source, start, end, header);
    this.#hashes[id] = hash;
    this.#fields[id] = field;
    this.#size += 1;
    if (this.#size * 2 > this.#slots.length) this.#rehash();
    return id;
  }

  #rehash(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let id = 0; id < this.#size; id += 1) {
      let slot = (this.#hashes[id] ?? 0) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = id + 1;
    }
    this.#slots = slots;
  }

  #encode(value: AttributeValue): { readonly type: number; readonly bytes: Uint8Array } {
    if (typeof value === 'string') {
      return value.isWellFormed()
        ? { type: valueType.text, bytes: this.#encoder.encode(value) }
        : { type: valueType.wideText, bytes: Buffer.from(value, 'utf16le') };
    }
    if (typeof value === 'number')
      return { type: valueType.number, bytes: this.#encoder.encode(writeNumber(value)) };
    if (typeof value === 'boolean')
      return { type: valueType.boolean, bytes: this.#encoder.encode(String(value)) };
    return { type: valueType.list, bytes: this.#encoder.encode(encodeList(value)) };
  }
}

/** The ids of one table by those of another one, in the order in which that made them. */
export class IdMap {
  #ids = new Uint32Array(1_024);
  #size = 0;

  push(id: number): void {
    this.#ids = grown(this.#ids, this.#size + 1);
    this.#ids[this.#size] = id;
    this.#size += 1;
  }

  /** Translates a column. @param rawOffset Is added to raw ids. */
  copy(from: Uint32Array, to: Uint32Array, start: number, rawOffset: number): void {
    const ids = this.#ids;
    for (let index = 0; index < from.length; index += 1) {
      const id = from[index] ?? 0;
      to[start + index] = isRaw(id) ? id + rawOffset : (ids[id] ?? 0);
    }
  }
}

/** Values one after the other: length and type in four bytes, the bytes, and zeros up to the next multiple of four. */
class Arena {
  bytes = new Uint8Array(4_096);
  view = new DataView(this.bytes.buffer);
  /** The same bytes, to decode texts without a view of each. */
  #texts = Buffer.from(this.bytes.buffer);
  length = 0;

  append({ bytes: source, view: from }: ByteSource, start: number, end: number, header: number): number {
    const at = this.length;
    this.reserve(at + headerBytes + end - start + headerBytes);
    const { bytes, view } = this;
    view.setInt32(at, header, true);
    let to = at + headerBytes;
    let next = start;
    for (const words = end - 3; next < words; next += 4, to += 4)
      view.setInt32(to, from.getInt32(next, true), true);
    this.length = align(to + end - next);
    for (; next < end; next += 1, to += 1) bytes[to] = source[next] ?? 0;
    // Bytes of a batch that was taken may stand there.
    for (; to < this.length; to += 1) bytes[to] = 0;
    return at;
  }

  appendAll(values: Uint8Array): number {
    const at = this.length;
    this.reserve(at + values.length);
    this.bytes.set(values, at);
    this.length += values.length;
    return at;
  }

  equals(at: number, header: number, source: ByteSource, start: number, end: number): boolean {
    return this.view.getUint32(at, true) === header && this.match(at, source, start) === end;
  }

  /** See `ValueTable.matchInterned`. */
  match(at: number, source: ByteSource, start: number): number {
    const end = start + (this.view.getUint32(at, true) >>> typeBits);
    if (end > source.bytes.length) return -1;
    const words = end - 3;
    let own = at + headerBytes;
    let other = start;
    for (; other < words; own += 4, other += 4)
      if (this.view.getInt32(own, true) !== source.view.getInt32(other, true)) return -1;
    for (; other < end; own += 1, other += 1) if (this.bytes[own] !== source.bytes[other]) return -1;
    return end;
  }

  /** See `Values.hasOtherEnd`. */
  hasOtherEnd(at: number, end: string): boolean {
    const header = this.view.getUint32(at, true);
    const start = at + headerBytes;
    if ((header & 7) !== valueType.text || this.bytes[start] !== slash) return false;
    let last = start + 1;
    for (const { bytes } = this, behind = start + (header >>> typeBits); last < behind; last += 1)
      if (bytes[last] === questionMark || bytes[last] === numberSign) break;
    if (this.bytes[last - 1] === slash) last -= 1;
    for (let place = 1; place <= end.length; place += 1) {
      const code = end.charCodeAt(end.length - place);
      if (code > lastAscii) return false;
      if (last - place < start || this.bytes[last - place] !== code) return true;
    }
    return false;
  }

  reserve(length: number): void {
    if (length <= this.bytes.length) return;
    const bytes = new Uint8Array(Math.max(length, this.bytes.length * 2));
    bytes.set(this.bytes.subarray(0, this.length));
    discard(this.bytes.buffer);
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
    this.#texts = Buffer.from(bytes.buffer);
  }

  decode(at: number): AttributeValue {
    const header = this.view.getUint32(at, true);
    const start = at + headerBytes;
    const end = start + (header >>> typeBits);
    switch (header & 7) {
      case valueType.text:
        return this.#texts.toString('utf8', start, end);
      case valueType.wideText:
        return this.#texts.toString('utf16le', start, end);
      case valueType.number:
        return Number(this.#texts.toString('latin1', start, end));
      case valueType.boolean:
        return end - start === 'true'.length;
      default:
        return decodeList(this.#texts.toString('utf8', start, end));
    }
  }
}

/** Not a `Buffer`, even where one is given: code that meets objects of one class alone is faster. */
export function sourceOf({ buffer, byteOffset, length }: Uint8Array): ByteSource {
  return {
    bytes: new Uint8Array(buffer, byteOffset, length),
    view: new DataView(buffer, byteOffset, length),
  };
}

/** The array, or one at least twice as long with the same beginning, when it has to hold `length`. */
export function grown(array: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  if (length <= array.length) return array;
  const longer = new Uint32Array(Math.max(length, array.length * 2));
  longer.set(array);
  return longer;
}

/**
 * Gives memory back at once that nobody reads again; the garbage collector sees no hurry where arrays are few and large.
 * Node 20 leaves it to the collector.
 */
export function discard(buffer: ArrayBuffer): void {
  if ('transfer' in ArrayBuffer.prototype && buffer.byteLength > 0) buffer.transfer(0);
}

function align(offset: number): number {
  const rest = offset % headerBytes;
  return rest === 0 ? offset : offset + headerBytes - rest;
}

/** Murmur3's mixing, four bytes at a time. */
function hashBytes({ bytes, view }: ByteSource, start: number, end: number, seed: number): number {
  let hash = seed | 0;
  let at = start;
  for (const words = end - 3; at < words; at += 4) {
    const word = Math.imul(view.getInt32(at, true), 0xcc9e2d51 | 0);
    hash ^= Math.imul((word << 15) | (word >>> 17), 0x1b873593);
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + (0xe6546b64 | 0)) | 0;
  }
  for (; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b | 0);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35 | 0);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Unlike `String`, tells -0 from 0. */
function writeNumber(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** JSON; a number that JSON cannot write is an object, which no list of attribute values contains. */
export function encodeList(list: readonly AttributeValue[]): string {
  return JSON.stringify(list, (_key, value: unknown) =>
    typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
      ? { number: writeNumber(value) }
      : value,
  );
}

function decodeList(json: string): AttributeValue {
  return JSON.parse(json, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && 'number' in value ? Number(value.number) : value,
  );
}
