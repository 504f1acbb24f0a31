import { endTimeOf, farthestExact, keysOf, type SpanStore, startTimeOf } from './span-store.ts';
import { attributeField, field, type SpanWriter } from './span-writer.ts';
import { isRaw } from './value-id.ts';

const nanosPerSecond = 1_000_000_000;

/** Copies rows of a store to a writer without span objects. Use one copier for each pair, because it remembers the writer's ids. */
export class RowCopier {
  readonly #from: SpanStore;
  readonly #to: SpanWriter;
  /** By id of the store: the id of the writer plus one; 0 if not copied yet. */
  readonly #values: Uint32Array;
  readonly #shapes: Uint32Array;
  readonly #resources: Uint32Array;
  readonly #originSeconds: number;
  readonly #originNanos: number;
  readonly #linkStarts = new Map<number, number>();

  constructor(from: SpanStore, to: SpanWriter) {
    this.#from = from;
    this.#to = to;
    this.#values = new Uint32Array(from.values.size);
    this.#shapes = new Uint32Array(from.shapeTable.starts.length);
    this.#resources = new Uint32Array(from.resourceTable.length);
    this.#originSeconds = Number(from.origin / BigInt(nanosPerSecond));
    this.#originNanos = Number(from.origin % BigInt(nanosPerSecond));
    for (const [link, row] of from.links.rows.entries())
      if (!this.#linkStarts.has(row)) this.#linkStarts.set(row, link);
  }

  copy(row: number): void {
    const [from, to] = [this.#from, this.#to];
    const at = to.beginRow();
    const { columns } = to;
    for (let word = 0; word < 4; word += 1)
      columns.traceIds[at * 4 + word] = from.traceIds[row * 4 + word] ?? 0;
    for (let word = 0; word < 2; word += 1) {
      columns.spanIds[at * 2 + word] = from.spanIds[row * 2 + word] ?? 0;
      columns.parentIds[at * 2 + word] = from.parentIds[row * 2 + word] ?? 0;
    }
    if (from.hasShortTraceId[row] === 1) columns.hasShortTraceId[at] = 1;
    columns.kinds[at] = from.kinds[row] ?? 0;
    columns.statuses[at] = from.statuses[row] ?? 0;
    columns.flags[at] = from.flags[row] ?? 0;
    columns.names[at] = this.#value(from.names[row] ?? 0, field.name);
    columns.scopes[at] = this.#value(from.scopes[row] ?? 0, field.scope);
    const [state, message] = [from.traceStates[row] ?? 0, from.statusMessages[row] ?? 0];
    if (state !== 0) columns.traceStates[at] = this.#value(state, field.traceState);
    if (message !== 0) columns.statusMessages[at] = this.#value(message, field.statusMessage);
    columns.resources[at] = this.#resource(from.resources[row] ?? 0);
    this.#copyTimes(row);
    this.#copyLinks(row);
    this.#copyAttributes(row, at);
  }

  #copyTimes(row: number): void {
    const { starts, ends } = this.#from;
    const [start, end] = [starts[row] ?? 0, ends[row] ?? 0];
    const isExact = Math.abs(start) <= farthestExact && Math.abs(end) <= farthestExact;
    const [startSeconds, startNanos] = isExact
      ? this.#split(start)
      : splitExact(startTimeOf(this.#from, row));
    const [endSeconds, endNanos] = isExact ? this.#split(end) : splitExact(endTimeOf(this.#from, row));
    this.#to.setDecimalTimes(startSeconds, startNanos, endSeconds, endNanos);
  }

  #split(relative: number): readonly [number, number] {
    const seconds = Math.floor(relative / nanosPerSecond);
    const nanos = relative - seconds * nanosPerSecond + this.#originNanos;
    return nanos < nanosPerSecond
      ? [this.#originSeconds + seconds, nanos]
      : [this.#originSeconds + seconds + 1, nanos - nanosPerSecond];
  }

  #copyLinks(row: number): void {
    const { links } = this.#from;
    const first = this.#linkStarts.get(row);
    if (first === undefined) return;
    for (let link = first; links.rows[link] === row; link += 1) {
      const words = [
        ...links.traceIds.subarray(link * 4, link * 4 + 4),
        ...links.spanIds.subarray(link * 2, link * 2 + 2),
      ];
      this.#to.addLink(words, links.hasShortTraceId[link] === 1);
    }
  }

  #copyAttributes(row: number, at: number): void {
    const [from, to] = [this.#from, this.#to];
    const shape = from.shapes[row] ?? 0;
    const known = this.#shapes[shape] ?? 0;
    const start = from.attributeStarts[row] ?? 0;
    const keys = keysOf(from, row);
    for (let place = 0; place < keys.length; place += 1) {
      const key = this.#value(keys[place] ?? 0, field.key);
      const value = this.#value(from.attributeValues[start + place] ?? 0, attributeField(key));
      if (known === 0) to.addAttribute(key, value);
      else to.addValue(value);
    }
    if (known === 0) {
      to.commit();
      this.#shapes[shape] = (to.columns.shapes[at] ?? 0) + 1;
    } else to.commitAs(known - 1);
  }

  #value(id: number, ofField: number): number {
    if (isRaw(id)) return this.#to.values.add(this.#from.values.decode(id), ofField);
    const known = this.#values[id] ?? 0;
    if (known !== 0) return known - 1;
    const copied = this.#to.values.add(this.#from.values.decode(id), ofField);
    // A value that the writer does not intern has an id for each occurrence.
    if (!isRaw(copied)) this.#values[id] = copied + 1;
    return copied;
  }

  #resource(id: number): number {
    const known = this.#resources[id] ?? 0;
    if (known !== 0) return known - 1;
    const resource = this.#from.resourceTable[id];
    if (resource === undefined) return 0;
    const copied = this.#to.addResource(resource);
    this.#resources[id] = copied + 1;
    return copied;
  }
}

function splitExact(time: bigint): readonly [number, number] {
  const second = BigInt(nanosPerSecond);
  return [Number(time / second), Number(time % second)];
}
