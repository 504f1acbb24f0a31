import { type Batch, sizeOf } from './batch.ts';

/** Batches that wait to be sent, oldest first, bounded in bytes. */
export class Backlog {
  readonly #maxBytes: number;
  readonly #batches = new Set<Batch>();
  #bytes = 0;
  #spans = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get spans(): number {
    return this.#spans;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#batches.size === 0;
  }

  /** Whether a batch of this size fits. The first batch always does. */
  hasRoom(bytes: number): boolean {
    return this.isEmpty || this.#bytes + bytes <= this.#maxBytes;
  }

  /** Adds a batch without checking the bound: call `hasRoom` before. */
  add(batch: Batch): void {
    this.#batches.add(batch);
    this.#bytes += sizeOf(batch);
    this.#spans += batch.spans;
  }

  remove(batch: Batch): void {
    if (!this.#batches.delete(batch)) return;
    this.#bytes -= sizeOf(batch);
    this.#spans -= batch.spans;
  }

  moveToBack(batch: Batch): void {
    if (this.#batches.delete(batch)) this.#batches.add(batch);
  }

  [Symbol.iterator](): IterableIterator<Batch> {
    return this.#batches.values();
  }
}
