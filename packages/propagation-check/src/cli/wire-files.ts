import { stat } from 'node:fs/promises';
import type { WireRecord } from '../headers/evidence.ts';
import type { SpanStore } from '../span/span-store.ts';
import { describeForeignRecords, measureExtent } from './describe-foreign-records.ts';
import type { WireFile } from './read-wire.ts';
import { UsageError } from './usage-error.ts';

interface Read {
  readonly version: string;
  readonly file: Promise<WireFile>;
}

/** The files of `--wire`. Taps and tcpdump write to them, so each check reads them again; a file that has not changed is not read again. */
export class WireFiles {
  readonly #paths: readonly string[];
  readonly #read = new Map<string, Read>();

  constructor(paths: readonly string[] = []) {
    this.#paths = paths;
  }

  /** The records in the order of the requests. @throws {UsageError} when a file is missing or wrong. */
  async read(): Promise<readonly WireRecord[]> {
    const files = await this.#readAll();
    return files
      .flatMap(({ records }) => records)
      .sort((left, right) => Date.parse(left.time) - Date.parse(right.time));
  }

  /** For commands that read finished files. @throws {UsageError} where a capture of packets holds no request. */
  async refuseEmptyCaptures(): Promise<void> {
    for (const { isCapture, records, gaps } of await this.#readAll())
      if (isCapture && records.length === 0) throw new UsageError(gaps.join('; '));
  }

  /** Notes missing parts of the files, and files whose records are of other traces. @param store Null where the spans are not in memory. */
  async describeGaps(store: SpanStore | null): Promise<readonly string[]> {
    const files = await this.#readAll();
    const extent = store === null || files.length === 0 ? null : measureExtent(store);
    return files.flatMap(({ label, gaps, records }) => [
      ...gaps,
      ...(extent === null ? [] : describeForeignRecords(records, extent).map((note) => `${label}: ${note}`)),
    ]);
  }

  async #readAll(): Promise<readonly WireFile[]> {
    return Promise.all(this.#paths.map((path) => this.#readOne(path)));
  }

  async #readOne(path: string): Promise<WireFile> {
    // Reading the file reports why it cannot be found.
    const found = await stat(path).catch(() => null);
    const version = `${found?.size} ${found?.mtimeMs}`;
    const known = this.#read.get(path);
    // The size of a pipe or a device does not change with its content.
    if (known?.version === version && found?.isFile() === true) return known.file;
    const { readWireFile } = await import('./read-wire.ts');
    const file = readWireFile(path);
    this.#read.set(path, { version, file });
    return file;
  }
}
