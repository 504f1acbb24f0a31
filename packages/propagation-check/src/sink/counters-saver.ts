import { messageOf } from '../util/message-of.ts';
import type { CountersFile } from './counters-file.ts';
import type { SinkBooks } from './sink-books.ts';

/** Saves the counters of a sink by the clock and for each scrape. Without a file there is nothing to save, and that succeeds. */
export class CountersSaver {
  readonly #file: CountersFile | null;
  readonly #books: SinkBooks;
  readonly #say: (message: string) => void;
  #saving: NodeJS.Timeout | undefined;
  #hasFailed = false;

  /** @param say Told when saves begin to fail. */
  constructor(file: CountersFile | null, books: SinkBooks, say: (message: string) => void) {
    this.#file = file;
    this.#books = books;
    this.#say = say;
  }

  /** Milliseconds since the epoch; 0 before the first. */
  get savedAt(): number {
    return this.#file?.savedAt ?? 0;
  }

  get failures(): number {
    return this.#file?.failures ?? 0;
  }

  /** @param everyMs Milliseconds between two saves. */
  start(everyMs: number): void {
    this.#saving = setInterval(() => void this.trySave(), everyMs);
  }

  stop(): void {
    clearInterval(this.#saving);
  }

  /** @throws {SourceError} when it cannot be written. */
  async save(): Promise<void> {
    await this.#file?.save(() => this.#books.takeSnapshot());
    this.#hasFailed = false;
  }

  /** @returns Whether it is saved. */
  async trySave(): Promise<boolean> {
    try {
      await this.save();
      return true;
    } catch (error) {
      if (!this.#hasFailed) this.#say(messageOf(error));
      this.#hasFailed = true;
      return false;
    }
  }
}
