import { open, stat } from 'node:fs/promises';
import { DecodeError } from '../../decode/decode-error.ts';
import { decodeBytes } from '../../decode/detect-format.ts';
import { readSpanFile } from '../../source/file.ts';
import { describeFileError, quotePath } from '../../source/file-error.ts';
import { SourceError } from '../../source/source.ts';
import type { Span } from '../../span/span.ts';

/** What a file has shown so far. */
interface Followed {
  /** Of its lines, up to here they were read. */
  offset: number;
  inode: number;
  /** A document is no list of lines: it is read anew when it changes. */
  version: string;
}

/** Read at one time. */
const mostBytes = 64 * 1024 * 1024;
const lineFeed = 0x0a;

/**
 * Reads what was added to files since the last time: whole lines of a file that grows, such as that of the Collector's file exporter; any
 * other document as a whole when it has changed. A file that was replaced or cut is read from its beginning.
 */
export function followFiles(paths: readonly string[]): () => Promise<readonly Span[]> {
  const followed = new Map<string, Followed>();
  return async () => {
    const spans: Span[] = [];
    for (const path of paths) {
      const known = followed.get(path) ?? { offset: 0, inode: 0, version: '' };
      followed.set(path, known);
      spans.push(...(await readAdded(path, known)));
    }
    return spans;
  };
}

async function readAdded(path: string, known: Followed): Promise<readonly Span[]> {
  const label = quotePath(path);
  try {
    const { size, ino, mtimeMs } = await stat(path);
    if (ino !== known.inode || size < known.offset)
      Object.assign(known, { offset: 0, inode: ino, version: '' });
    const version = `${size} ${mtimeMs}`;
    if (version === known.version && known.offset >= size) return [];
    const lines = await readLines(path, known.offset);
    const spans = lines === null ? null : tryDecode(lines);
    if (lines !== null && spans !== null) {
      known.offset += lines.length;
      return spans;
    }
    if (version === known.version) return [];
    const document = known.offset > 0 ? [] : (await readSpanFile(path)).spans;
    known.version = version;
    return document;
  } catch (error) {
    if (error instanceof SourceError) throw error;
    throw new SourceError(`${label}: ${describeFileError(error)}`);
  }
}

/** From an offset to the end of the last whole line; null where there is none. */
async function readLines(path: string, offset: number): Promise<Uint8Array | null> {
  const file = await open(path);
  try {
    const buffer = Buffer.allocUnsafe(Math.min(mostBytes, Math.max(0, (await file.stat()).size - offset)));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
    const end = buffer.subarray(0, bytesRead).lastIndexOf(lineFeed);
    return end < 0 ? null : buffer.subarray(0, end + 1);
  } finally {
    await file.close();
  }
}

/** Null where this is no list of lines. */
function tryDecode(lines: Uint8Array): readonly Span[] | null {
  try {
    return decodeBytes(lines).spans;
  } catch (error) {
    if (error instanceof DecodeError) return null;
    throw error;
  }
}
