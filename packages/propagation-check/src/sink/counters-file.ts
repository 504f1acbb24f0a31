import { realpath, rm } from 'node:fs/promises';
import { lockFile } from './lock-file.ts';
import { readSnapshot, type Snapshot, writeSnapshot } from './snapshot.ts';

/** The file with the counters of one sink. It is locked until it is closed. */
export class CountersFile {
  readonly #path: string;
  readonly #unlock: () => Promise<void>;
  /** The snapshot of an earlier process, or null. */
  readonly before: Snapshot | null;
  /** Milliseconds since the epoch. */
  savedAt = 0;
  failures = 0;

  private constructor(path: string, before: Snapshot | null, unlock: () => Promise<void>) {
    this.#path = path;
    this.before = before;
    this.#unlock = unlock;
  }

  /** @throws {SourceError} when another process uses the file, or it is damaged. */
  static async open(path: string): Promise<CountersFile> {
    const unlock = await lockFile(path);
    try {
      return new CountersFile(path, await readSnapshot(path), unlock);
    } catch (error) {
      await unlock();
      throw error;
    }
  }

  /** @throws {SourceError} when the file cannot be written. */
  async write(snapshot: Snapshot): Promise<void> {
    try {
      await writeSnapshot(this.#path, snapshot);
      this.savedAt = Date.now();
    } catch (error) {
      this.failures += 1;
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#unlock();
  }

  /** Closes the file after a failed start, and removes it if this process has created it. */
  async giveUp(): Promise<void> {
    const isOwn = this.before === null && this.savedAt > 0;
    if (isOwn) await rm(await realpath(this.#path), { force: true }).catch(() => undefined);
    await this.close();
  }
}
