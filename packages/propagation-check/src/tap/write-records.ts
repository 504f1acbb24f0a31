import { closeSync, createWriteStream, openSync } from 'node:fs';
import type { WireRecord } from '../headers/evidence.ts';
import { describeFileError } from '../source/file-error.ts';
import { escapeJson } from '../util/escape-json.ts';
import { TapOptionError } from './tap-option-error.ts';

export interface RecordWriter {
  /** Queues a record and returns at once. When the queue is full, the record is dropped and counted: traffic does not wait. */
  write(record: WireRecord): void;
  /** Writes the queue and closes; waits at most `timeoutMs`. */
  close(timeoutMs: number): Promise<RecordLoss>;
}

export interface RecordLoss {
  /** How many records were not written. */
  readonly lost: number;
  /** Why writing failed, or null. */
  readonly error: Error | null;
}

const standardOutput = 1;
const maxQueuedBytes = 16 * 1024 * 1024;

/**
 * Writes records as JSON Lines in UTF-8, to a file (appended, mode 0600 when new) or to standard output. It does not use `process.stdout`,
 * which blocks the process while the reader of a pipe is slow.
 * @param onFirstLoss Called when the first record is lost, with the reason, or null when the queue is full.
 * @throws {TapOptionError} when the file cannot be opened.
 */
export function openRecordWriter(
  path: string | null,
  onFirstLoss: (error: Error | null) => void,
): RecordWriter {
  const fd = path === null ? standardOutput : openForAppend(path);
  const stream = createWriteStream('', { fd, autoClose: false });
  let lost = 0;
  let queued = 0;
  let error: Error | null = null;
  let isSaid = false;
  const sayOnce = () => {
    if (!isSaid) onFirstLoss(error);
    isSaid = true;
  };
  stream.on('error', (reason) => {
    error ??= reason;
    sayOnce();
  });

  return {
    write(record) {
      if (error !== null || stream.writableLength > maxQueuedBytes) {
        lost += 1;
        sayOnce();
        return;
      }
      queued += 1;
      stream.write(encodeRecord(record), (failure) => {
        queued -= 1;
        if (failure) lost += 1;
      });
    },
    async close(timeoutMs) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        const done = () => {
          clearTimeout(timer);
          resolve();
        };
        stream.once('error', done);
        stream.end(done);
      });
      if (path !== null && queued === 0) closeSync(fd);
      return { lost: lost + queued, error };
    },
  };
}

function encodeRecord(record: WireRecord): string {
  return `${escapeJson(JSON.stringify(record))}\n`;
}

function openForAppend(path: string): number {
  try {
    return openSync(path, 'a', 0o600);
  } catch (error) {
    const why = describeFileError(error);
    // Most reasons already end with what to do.
    const advice = why.includes(';') ? '' : '; give a file that can be written';
    throw new TapOptionError(`--out ${JSON.stringify(path)}: ${why}${advice}`);
  }
}
