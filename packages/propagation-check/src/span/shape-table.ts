import { grown } from './byte-source.ts';
import type { Shapes, Words } from './span-store.ts';
import { type IdMap, isRaw } from './value-id.ts';

/**
 * Numbers the lists of attribute names of spans ("shapes"): spans of one instrumentation have the same names in the same order. A list with
 * a name that is not interned gets a new number each time.
 */
export class ShapeTable {
  #starts: Words = new Uint32Array(64);
  #keys: Words = new Uint32Array(512);
  #size = 0;
  /** Hash table with open addressing: the shape plus one; 0 where the slot is free. */
  #slots: Words = new Uint32Array(256);
  #batched = 0;

  /** The shape of the first `count` names. */
  add(names: Words, count: number): number {
    const hash = hashNames(names, 0, count);
    if (hash === null) return this.#append(names, count);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let entry = this.#slots[slot] ?? 0; entry !== 0; entry = this.#slots[slot] ?? 0) {
      if (this.#isAt(entry - 1, names, count)) return entry - 1;
      slot = (slot + 1) & mask;
    }
    const shape = this.#append(names, count);
    this.#slots[slot] = shape + 1;
    if (this.#size * 2 > this.#slots.length) this.#rehash();
    return shape;
  }

  /**
   * Adds the shapes of a batch from another table. @param names Maps its name ids to ids here. @param ids Maps its shapes to shapes here;
   * extended by the new ones.
   */
  addBatch({ starts, keys }: Shapes, names: IdMap, rawOffset: number, ids: IdMap): void {
    const translated = new Uint32Array(keys.length);
    names.copy(keys, translated, 0, rawOffset);
    const first = starts[0] ?? 0;
    for (let shape = 0; shape + 1 < starts.length; shape += 1) {
      const [from = 0, to = 0] = [starts[shape], starts[shape + 1]];
      ids.push(this.add(translated.subarray(from - first, to - first), to - from));
    }
  }

  /** All shapes. The arrays stay valid while shapes are added. */
  list(): Shapes {
    const end = this.#starts[this.#size] ?? 0;
    return { starts: this.#starts.subarray(0, this.#size + 1), keys: this.#keys.subarray(0, end) };
  }

  /** The shapes added since the last batch; `keys` begins with the names of the first of them. */
  takeBatch(): Shapes {
    const { starts, keys } = this.list();
    const batch = { starts: starts.slice(this.#batched), keys: keys.slice(starts[this.#batched]) };
    this.#batched = this.#size;
    return batch;
  }

  #append(names: Words, count: number): number {
    const shape = this.#size;
    const start = this.#starts[shape] ?? 0;
    this.#starts = grown(this.#starts, shape + 2);
    this.#keys = grown(this.#keys, start + count);
    this.#keys.set(names.subarray(0, count), start);
    this.#starts[shape + 1] = start + count;
    this.#size += 1;
    return shape;
  }

  #isAt(shape: number, names: Words, count: number): boolean {
    const start = this.#starts[shape] ?? 0;
    if ((this.#starts[shape + 1] ?? 0) - start !== count) return false;
    for (let at = 0; at < count; at += 1) if (this.#keys[start + at] !== names[at]) return false;
    return true;
  }

  #rehash(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let shape = 0; shape < this.#size; shape += 1) {
      const hash = hashNames(this.#keys, this.#starts[shape] ?? 0, this.#starts[shape + 1] ?? 0);
      if (hash === null) continue;
      let slot = hash & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = shape + 1;
    }
    this.#slots = slots;
  }
}

/** Null if a name is not interned. */
function hashNames(names: Words, start: number, end: number): number | null {
  let hash = 0;
  for (let at = start; at < end; at += 1) {
    const name = names[at] ?? 0;
    if (isRaw(name)) return null;
    hash = Math.imul(hash ^ (name + 1), 0x85eb_ca6b);
    hash ^= hash >>> 15;
  }
  return hash;
}
