import { type ByteSource, grown, sourceOf } from './byte-source.ts';
import type { AttributeValue } from './span.ts';
import { Arena, align, encodeList, headerBytes, typeBits, valueType, writeNumber } from './value-arena.ts';
import { type IdMap, isRaw, rawBit } from './value-id.ts';

/**
 * The texts and attribute values of a span store, as numeric ids.
 *
 * A value that recurs in its field is interned: ids of interned values are dense (0, 1, 2 …), so that side tables can be arrays. A field
 * with more distinct values than `mostPerField`, such as URLs with ids in them, keeps further values raw: their ids have `rawBit`, and each
 * occurrence has its own id. Equal ids mean equal values; different ids mean different values only if neither `isRaw`.
 */
export interface Values {
  /** The number of interned values. */
  readonly size: number;
  decode(id: number): AttributeValue;
  /** The id of an interned text; null if no span has the text or it is not interned. */
  find(text: string): number | null;
  /**
   * Whether a raw value is certainly a path that does not end with `end`. Ignores a query, a fragment and one trailing slash. Decodes
   * nothing.
   */
  hasOtherEnd(id: number, end: string): boolean;
  /** How many distinct values a field added; values that another field added first are not counted. */
  countOf(field: number): number;
}

/** Routes, methods, hosts and statuses of a large system fit; paths with ids do not. */
const mostPerField = 4_096;
/** Hostile data may have any number of fields. */
const mostInterned = 262_144;
/** If values that are not interned outnumber interned ones by this much, values of the field are no longer looked up. */
const mostStrays = 1_024;
/** Longer values rarely recur and are expensive to hash. */
const longestInterned = 512;

/** Small, because most checks are of a few spans; tables grow. */
const firstValues = 256;

/** The values added since the last batch, as `Arena` encodes them. */
export interface ValueBatch {
  readonly interned: Uint8Array<ArrayBuffer>;
  /** The field of each interned value. */
  readonly fields: Uint32Array<ArrayBuffer>;
  readonly raw: Uint8Array<ArrayBuffer>;
}

export class ValueTable implements Values {
  readonly #interned = new Arena();
  readonly #raw = new Arena();
  /** By interned id: the offset, the hash, and the field that added the value. */
  #places = new Uint32Array(firstValues);
  #hashes = new Uint32Array(firstValues);
  #fields = new Uint32Array(firstValues);
  #size = 0;
  /** Hash table with open addressing: the id plus one; 0 where the slot is free. */
  #slots = new Uint32Array(firstValues * 4);
  /** By field: how many values it added. */
  #distinct = new Uint32Array(firstValues);
  /** By field: how far values that are not interned outnumber interned ones since the field's budget was used up. */
  #strays = new Uint32Array(firstValues);
  readonly #decoded: AttributeValue[] = [];
  /** Interned texts that were added as strings, so that each is encoded once. */
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

  /** The memory of the encoded values. */
  get bytes(): number {
    return this.#interned.length + this.#raw.length;
  }

  /** See `SpanWriter.expect`. Interned values hardly grow. */
  expect(times: number): void {
    this.#raw.reserve(Math.ceil(this.#raw.length * times));
  }

  /** @param field A small number; each field has a budget of interned values. */
  add(value: AttributeValue, field: number): number {
    const known = typeof value === 'string' ? this.#texts.get(value) : undefined;
    if (known !== undefined) return known;
    const { type, bytes } = this.#encode(value);
    const id = this.addBytes(sourceOf(bytes), 0, bytes.length, type, field);
    if (typeof value === 'string' && !isRaw(id)) this.#texts.set(value, id);
    return id;
  }

  /** Adds the bytes of `source` from `start` to `end`, encoded as `type`. Decodes nothing. */
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

  /** Adds a non-negative integer. */
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

  /** As `addBytes`, but only looks the value up. */
  findBytes(source: ByteSource, start: number, end: number, type: number): number | null {
    const header = ((end - start) << typeBits) | type;
    const slot = this.#probe(source, start, end, header, hashBytes(source, start, end, header));
    const entry = this.#slots[slot] ?? 0;
    return entry === 0 ? null : entry - 1;
  }

  /** The offset after the value in `source` if its bytes at `start` equal the interned value; otherwise -1. */
  matchInterned(id: number, source: ByteSource, start: number): number {
    return this.#interned.match(this.#places[id] ?? 0, source, start);
  }

  /** Takes what was added since the last batch. Interned values stay; raw values are removed. */
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
   * Adds the values of a batch from another table.
   * @param ids Maps interned ids of that table to ids here; extended by the new values.
   * @returns The offset to add to ids of its raw values.
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

  /** The slot of the value, or the free slot where it belongs. */
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

/** Mixes as Murmur3 does, four bytes at a time. */
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
