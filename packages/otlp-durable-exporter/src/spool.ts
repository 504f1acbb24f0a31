import { createHash, randomBytes } from 'node:crypto';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Batch } from './batch.ts';

/**
 * Files of spans that outlive their process: one for each stop. A file is deleted when its spans are delivered.
 *
 * A file begins with the SHA-256 of the rest. Then come a line of JSON, `[{"spans":n,"bytes":n},…]`, and the bodies of these batches.
 * `tail -n +3 FILE | zcat` prints them as OTLP JSON Lines.
 *
 * Instances may share a folder and its bound. An instance renames a file before it reads it: the rename succeeds for only one of them. It
 * updates the modification time of the file while it delivers the spans. A taken or unfinished file whose modification time is older than
 * the lease belongs to an instance that has ended, and another instance takes it.
 */
export class Spool {
  readonly #directory: string;
  readonly #maxBytes: number;
  readonly #owner = randomBytes(4).toString('hex');
  /** How many batches of each taken file are not settled yet, by its path; 0 while the file is being deleted. */
  readonly #taken = new Map<string, number>();
  readonly #renewal: NodeJS.Timeout;

  /**
   * @param maxBytes The bound of all files of spans in the folder, including damaged ones.
   * @throws {SpoolError} where the folder cannot be created or written.
   */
  constructor(directory: string, maxBytes: number) {
    try {
      mkdirSync(directory, { recursive: true });
      accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch (error) {
      throw new SpoolError(directory, error);
    }
    this.#directory = directory;
    this.#maxBytes = maxBytes;
    this.#renewal = setInterval(() => void this.#renew(), leaseMillis / 6);
    this.#renewal.unref();
  }

  /** Takes the oldest free file that fits; null where there is none. */
  async take(hasRoom: (bytes: number) => boolean): Promise<Taken | null> {
    for (const name of (await readdir(this.#directory)).filter((name) => spoolName.test(name)).toSorted()) {
      const path = join(this.#directory, name);
      const { size, mtimeMs } = await stat(path).catch(() => ({ size: 0, mtimeMs: Date.now() }));
      const isFree = name.endsWith('.spool');
      if (!isFree && (this.#taken.has(path) || Date.now() - mtimeMs < leaseMillis)) continue;
      if (!hasRoom(size)) return null;
      const taken = `${this.#freePath(path)}.${this.#owner}.taken`;
      if (await this.#rename(path, taken)) return this.#read(taken);
    }
    return null;
  }

  /** Releases a file of which no batch is settled. */
  async giveBack(path: string): Promise<void> {
    this.#taken.delete(path);
    await this.#rename(path, this.#freePath(path));
  }

  /** Settles one batch of a file. After the last one the file is deleted. */
  async settle(path: string): Promise<void> {
    const left = (this.#taken.get(path) ?? 1) - 1;
    this.#taken.set(path, left);
    if (left > 0) return;
    await rm(path, { force: true });
    this.#taken.delete(path);
  }

  /**
   * Writes the batches to the disk, all or none. Then it deletes the taken files, because their batches are delivered or written.
   * @throws {Error} where the batches cannot be written; then the taken files are released.
   */
  async save(batches: readonly Batch[]): Promise<void> {
    clearInterval(this.#renewal);
    const held = [...this.#taken];
    const release = (isSaved: boolean) =>
      held.map(([path, left]) =>
        isSaved || left === 0 ? rm(path, { force: true }) : this.#rename(path, this.#freePath(path)),
      );
    try {
      if (batches.length > 0) await this.#write(encode(batches), held);
    } catch (error) {
      await Promise.allSettled(release(false));
      throw error;
    }
    // A file that cannot be deleted is delivered again, so no span is lost.
    await Promise.allSettled(release(true));
  }

  /** @param held Files that are deleted after the new one is written, so that they do not count towards the bound. */
  async #write(content: Buffer, held: readonly (readonly [path: string, left: number])[]): Promise<void> {
    await this.#checkRoom(content.byteLength, new Set(held.map(([path]) => path)));
    const name = `spans-${Date.now()}-${this.#owner}.spool`;
    const path = join(this.#directory, name);
    const unfinished = `${path}.unfinished`;
    const file = await open(unfinished, 'w', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
      await file.close();
      await rename(unfinished, path);
    } catch (error) {
      await file.close().catch(() => undefined);
      // On a full disk an unfinished file would take the room of the next one.
      await rm(unfinished, { force: true }).catch(() => undefined);
      throw error;
    }
    await syncDirectory(this.#directory);
  }

  async #checkRoom(bytes: number, leaving: ReadonlySet<string>): Promise<void> {
    const staying = (await readdir(this.#directory))
      .filter((name) => name.startsWith('spans-'))
      .map((name) => join(this.#directory, name))
      .filter((path) => !leaving.has(path));
    const sizes = await Promise.all(
      staying.map((path) =>
        stat(path).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
    );
    const present = sizes.reduce((sum, size) => sum + size, 0);
    if (present + bytes > this.#maxBytes) {
      throw new Error(
        `${this.#directory} holds ${present} bytes in ${staying.length} files, and ${bytes} more would exceed ${this.#maxBytes} ` +
          '(spool.maxBytes)',
      );
    }
  }

  /** Reads a taken file. A damaged file is set aside for a person to examine. */
  async #read(path: string): Promise<Taken | null> {
    const bytes = await readFile(path);
    const batches = decode(bytes, path);
    if (batches === null) {
      const aside = `${this.#freePath(path)}.damaged`;
      await rename(path, aside);
      return { path: aside, batches: [], isDamaged: true };
    }
    if (batches.length === 0) await rm(path);
    else this.#taken.set(path, batches.length);
    return { path, batches, isDamaged: false };
  }

  #freePath(path: string): string {
    return join(this.#directory, originalName(basename(path)));
  }

  /** @returns false where another instance has taken the file before. A taken file needs a current modification time from the start. */
  async #rename(from: string, to: string): Promise<boolean> {
    try {
      await utimes(from, new Date(), new Date());
      await rename(from, to);
      return true;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
      throw error;
    }
  }

  async #renew(): Promise<void> {
    for (const path of this.#taken.keys()) await utimes(path, new Date(), new Date()).catch(() => undefined);
  }
}

/** The spool folder cannot be used. */
export class SpoolError extends Error {
  override readonly name = 'SpoolError';

  constructor(directory: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`${JSON.stringify(directory)} is no folder to which spans can be written (${why})`, { cause });
  }
}

/** A file that this instance has taken; `batches` is empty where it is damaged. */
export interface Taken {
  readonly path: string;
  readonly batches: readonly Batch[];
  readonly isDamaged: boolean;
}

/** A taken file is free again after this time without an update. */
const leaseMillis = 60_000;

const spoolName = /^spans-\d+-[0-9a-f]{8}\.spool(\.[0-9a-f]{8}\.taken|\.unfinished)?$/;

function originalName(name: string): string {
  return name.replace(/(?<=\.spool)\..*$/, '');
}

function encode(batches: readonly Batch[]): Buffer {
  const table: Table = batches.map(({ spans, body }) => ({ spans, bytes: body.byteLength }));
  const content = Buffer.concat([
    Buffer.from(`${JSON.stringify(table)}\n`),
    ...batches.map(({ body }) => body),
  ]);
  return Buffer.concat([Buffer.from(`${hash(content)}\n`), content]);
}

/** Null where the file is incomplete or has another format. The hash covers the table, so its shape needs no check. */
function decode(file: Buffer, path: string): readonly Batch[] | null {
  const content = file.subarray(file.indexOf('\n') + 1);
  if (file.toString('latin1', 0, file.length - content.length) !== `${hash(content)}\n`) return null;
  let start = content.indexOf('\n') + 1;
  const table: Table = JSON.parse(content.toString('utf8', 0, start));
  return table.map(({ spans, bytes }) => {
    const body = new Uint8Array(content.subarray(start, start + bytes));
    start += bytes;
    return { spans, body, spoolFile: path };
  });
}

type Table = readonly { readonly spans: number; readonly bytes: number }[];

function hash(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** A rename is durable only after the folder is synchronised. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
