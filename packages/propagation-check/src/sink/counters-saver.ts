import { createTurns } from '../source/request-body.ts';
import { messageOf } from '../util/message-of.ts';
import type { CountersFile } from './counters-file.ts';
import type { Snapshot } from './snapshot.ts';

/** Saves the counters of a sink at intervals and for each scrape. Without a file it does nothing. */
export class CountersSaver {
  readonly #file: CountersFile | null;
  readonly #takeSnapshot: () => Snapshot;
  readonly #say: (message: string) => void;
  #saving: NodeJS.Timeout | undefined;
  readonly #inTurn = createTurns();
  /** A save that is scheduled and has not begun; all callers until then share it. */
  #next: Promise<void> | null = null;
  #hasFailed = false;

  /**
   * @param takeSnapshot Called when a save begins.
   * @param say Called once when saves begin to fail.
   */
  constructor(file: CountersFile | null, takeSnapshot: () => Snapshot, say: (message: string) => void) {
    this.#file = file;
    this.#takeSnapshot = takeSnapshot;
    this.#say = say;
  }

  /** Milliseconds since the epoch; 0 before the first save. */
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

  /** @throws {SourceError} when the counters cannot be saved. */
  async save(): Promise<void> {
    this.#next ??= this.#inTurn(async () => {
      this.#next = null;
      await this.#file?.write(this.#takeSnapshot());
    });
    await this.#next;
    this.#hasFailed = false;
  }

  /** @returns Whether the counters are saved. */
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
