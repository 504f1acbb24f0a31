import { keptAttributes } from './kept-attributes.ts';
import type { Attributes, AttributeValue } from './span.ts';
import { attributesOf, keysOf, type Shapes, type SpanStore, textOf } from './span-store.ts';

/** The kept attribute names are interned first and have smaller ids. */
const placedKeys = 128;
/** Hostile data may have any number of shapes, and of names in a shape. */
const placedShapes = 4_096;
const mostPlaces = 255;

function placeKeys({ starts, keys }: Shapes): Uint8Array {
  const places = new Uint8Array(Math.min(starts.length - 1, placedShapes) * placedKeys);
  for (let shape = 0; shape * placedKeys < places.length; shape += 1) {
    const start = starts[shape] ?? 0;
    const end = Math.min(starts[shape + 1] ?? 0, start + mostPlaces);
    for (let at = start; at < end; at += 1) {
      const key = keys[at] ?? 0;
      if (key < placedKeys) places[shape * placedKeys + key] = at - start + 1;
    }
  }
  return places;
}

/** Finds attributes of rows by their names. */
export class AttributeIndex {
  readonly store: SpanStore;
  readonly #keys = new Map<string, number | null>();
  /** By shape and name id: the position of the name in the shape plus one; 0 if the shape lacks it. */
  readonly #places: Uint8Array;

  constructor(store: SpanStore) {
    this.store = store;
    for (const name of keptAttributes) this.#keys.set(name, store.values.find(name));
    this.#places = placeKeys(store.shapeTable);
  }

  /** The id of a name; null if it is not one of `keptAttributes`. */
  keyOf(name: string): number | null {
    return this.#keys.get(name) ?? null;
  }

  /** The id of the value; null if the row lacks the attribute. */
  find(row: number, name: string): number | null {
    const key = this.keyOf(name);
    // A kept prefix may have more names than a store interns.
    return key === null ? this.#findByText(row, name) : this.findKey(row, key);
  }

  /** As `find`, for one name and many rows. */
  finderOf(name: string): (row: number) => number | null {
    const key = this.keyOf(name);
    return key === null ? (row) => this.#findByText(row, name) : (row) => this.findKey(row, key);
  }

  /** As `find`, by the id of the name. Signed, because V8 allocates the larger numbers of raw ids on the heap. */
  findKey(row: number, key: number): number | null {
    const { shapes, attributeStarts, attributeValues } = this.store;
    const shape = shapes[row] ?? 0;
    const place = this.#places[shape * placedKeys + key];
    const at = place === undefined || key >= placedKeys ? this.#searchKey(shape, key) : place - 1;
    return at < 0 ? null : (attributeValues[(attributeStarts[row] ?? 0) + at] ?? 0) | 0;
  }

  #searchKey(shape: number, key: number): number {
    const { starts, keys } = this.store.shapeTable;
    const start = starts[shape] ?? 0;
    const end = starts[shape + 1] ?? 0;
    for (let at = start; at < end; at += 1) if (keys[at] === key) return at - start;
    return -1;
  }

  #findByText(row: number, name: string): number | null {
    const key = keysOf(this.store, row).find((id) => textOf(this.store, id) === name);
    return key === undefined ? null : this.findKey(row, key);
  }
}

/** The attributes of a row, read on demand: a map for each row would take ten times the memory. */
export class RowAttributes implements Attributes {
  readonly #index: AttributeIndex;
  readonly #row: number;

  constructor(index: AttributeIndex, row: number) {
    this.#index = index;
    this.#row = row;
  }

  get(name: string): AttributeValue | undefined {
    const value = this.#index.find(this.#row, name);
    return value === null ? undefined : this.#index.store.values.decode(value);
  }

  has(name: string): boolean {
    return this.#index.find(this.#row, name) !== null;
  }

  get size(): number {
    return keysOf(this.#index.store, this.#row).length;
  }

  forEach(...parameters: Parameters<Attributes['forEach']>): void {
    this.#copy().forEach(...parameters);
  }

  entries(): ReturnType<Attributes['entries']> {
    return this.#copy().entries();
  }

  keys(): ReturnType<Attributes['keys']> {
    const { store } = this.#index;
    return Array.from(keysOf(store, this.#row), (key) => textOf(store, key)).values();
  }

  values(): ReturnType<Attributes['values']> {
    return this.#copy().values();
  }

  [Symbol.iterator](): ReturnType<Attributes['entries']> {
    return this.entries();
  }

  #copy(): Attributes {
    return attributesOf(this.#index.store, this.#row);
  }
}
