import type { SpanStore, Words } from '../span/span-store.ts';
import { attributeField, field } from '../span/span-writer.ts';
import { isRaw } from '../span/value-id.ts';

/** No class: the row shares its values with no other row, or there are too many classes. */
export const noClass = 0;

/** A field with more distinct values is not part of the class: ports of callers, paths with ids. */
const mostValues = 256;
/** Hostile data may have any number of combinations. With `noClass`, classes fill 16 bits. */
const mostClasses = 65_535;
const fewestSlots = 1_024;

/**
 * Groups rows into classes. Rows of a class have equal kinds, statuses, attribute names and values of every field that has few distinct
 * values. A fact that depends on these alone is read once for each class. One pass over the columns finds the classes, so that many facts
 * of a row cost one look-up.
 */
export class RowClasses {
  /** The class of each row. */
  readonly of: Uint16Array;
  /** The greatest class number plus one. */
  readonly count: number;
  /** Whether every row has a class. */
  readonly isComplete: boolean;
  readonly #store: SpanStore;
  readonly #always: ReadonlySet<number | null>;
  /** Whether the rows of a class have the same span name. */
  readonly hasNames: boolean;
  /** By shape, filled on first use: the positions of the values that are part of the class. */
  readonly #places: (Words | undefined)[] = [];
  readonly #firstRows: number[] = [];
  /** By shape: the class of the latest row. */
  readonly #latest: number[] = [];
  /** Hash table with open addressing: the class, or 0 where the slot is free. */
  #slots = new Uint32Array(fewestSlots);

  /**
   * @param always Attributes that are part of a class however many values they have. If a row has one of them, span names are part of the
   * classes too.
   */
  constructor(store: SpanStore, always: readonly string[]) {
    this.#store = store;
    this.#always = new Set(always.map((name) => store.values.find(name)));
    this.hasNames =
      store.values.countOf(field.name) <= mostValues ||
      store.shapeTable.keys.some((key) => this.#always.has(key));
    this.of = new Uint16Array(store.size);
    let isComplete = true;
    for (let row = 0; row < store.size; row += 1) {
      const found = this.#find(row);
      this.of[row] = found;
      if (found === noClass) isComplete = false;
    }
    this.count = this.#firstRows.length + 1;
    this.isComplete = isComplete;
  }

  /** The first row of each class. */
  get firstRows(): readonly number[] {
    return this.#firstRows;
  }

  /** Whether all rows of the row's class have the same value of an attribute, or none has it. */
  has(row: number, key: number): boolean {
    const { shapes, shapeTable } = this.#store;
    const shape = shapes[row] ?? 0;
    const start = shapeTable.starts[shape] ?? 0;
    const place = shapeTable.keys.subarray(start, shapeTable.starts[shape + 1]).indexOf(key);
    return place < 0 || this.#placesOf(shape).includes(place);
  }

  #find(row: number): number {
    // Most rows equal the previous row of their shape.
    const shape = this.#store.shapes[row] ?? 0;
    const last = this.#latest[shape] ?? noClass;
    if (last !== noClass && this.#isAlike(row, this.#firstRows[last - 1] ?? 0)) return last;
    const found = this.#look(row);
    this.#latest[shape] = found;
    return found;
  }

  #look(row: number): number {
    const hash = this.#hash(row);
    if (hash === null) return noClass;
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let known = this.#slots[slot] ?? 0; known !== 0; known = this.#slots[slot] ?? 0) {
      if (this.#isAlike(row, this.#firstRows[known - 1] ?? 0)) return known;
      slot = (slot + 1) & mask;
    }
    if (this.#firstRows.length >= mostClasses) return noClass;
    const found = this.#firstRows.push(row);
    this.#slots[slot] = found;
    if (found * 2 > this.#slots.length) this.#grow();
    return found;
  }

  /** Null where a value that is part of the class is not interned. */
  #hash(row: number): number | null {
    const { shapes, kinds, statuses, names, attributeStarts, attributeValues } = this.#store;
    const shape = shapes[row] ?? 0;
    let hash = mix(shape, (kinds[row] ?? 0) * 4 + (statuses[row] ?? 0));
    if (this.hasNames) {
      const name = names[row] ?? 0;
      if (isRaw(name)) return null;
      hash = mix(hash, name);
    }
    const start = attributeStarts[row] ?? 0;
    const places = this.#placesOf(shape);
    for (let at = 0; at < places.length; at += 1) {
      const value = attributeValues[start + (places[at] ?? 0)] ?? 0;
      if (isRaw(value)) return null;
      hash = mix(hash, value);
    }
    return hash ^ (hash >>> 15);
  }

  #isAlike(row: number, other: number): boolean {
    const { shapes, kinds, statuses, names, attributeStarts, attributeValues } = this.#store;
    const shape = shapes[row] ?? 0;
    if (shape !== shapes[other] || kinds[row] !== kinds[other] || statuses[row] !== statuses[other])
      return false;
    if (this.hasNames && names[row] !== names[other]) return false;
    const start = attributeStarts[row] ?? 0;
    const otherStart = attributeStarts[other] ?? 0;
    const places = this.#placesOf(shape);
    for (let at = 0; at < places.length; at += 1) {
      const place = places[at] ?? 0;
      if (attributeValues[start + place] !== attributeValues[otherStart + place]) return false;
    }
    return true;
  }

  #grow(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    const mask = this.#slots.length - 1;
    for (const [at, row] of this.#firstRows.entries()) {
      let slot = (this.#hash(row) ?? 0) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = at + 1;
    }
  }

  #placesOf(shape: number): Words {
    const known = this.#places[shape];
    if (known !== undefined) return known;
    const { shapeTable, values } = this.#store;
    const keys = shapeTable.keys.subarray(shapeTable.starts[shape], shapeTable.starts[shape + 1]);
    const places = Uint32Array.from(
      [...keys.entries()]
        .filter(([, key]) => this.#always.has(key) || values.countOf(attributeField(key)) <= mostValues)
        .map(([place]) => place),
    );
    this.#places[shape] = places;
    return places;
  }
}

function mix(hash: number, value: number): number {
  const mixed = Math.imul(hash ^ value, 0x85eb_ca6b);
  return mixed ^ (mixed >>> 13);
}
