import { open, stat } from 'node:fs/promises';
import { DecodeError } from '../../decode/decode-error.ts';
import { type Decoded, decodeBytes } from '../../decode/detect-format.ts';
import type { OtherSignal } from '../../decode/other-signals.ts';
import { readSpanFile } from '../../source/file.ts';
import { describeFileError, quotePath } from '../../source/file-error.ts';
import { SourceError } from '../../source/source.ts';
import type { Span } from '../../span/span.ts';

/** The content of a file so far. */
interface Followed {
  /** Of its lines, up to here they were read. */
  offset: number;
  inode: number;
  /** A document is no list of lines: it is read anew when it changes. */
  version: string;
}

/** Some of the files could be read, and none of the others has been read before. */
export class PartlyReadError extends SourceError {
  readonly spans: readonly Span[];

  constructor(message: string, spans: readonly Span[]) {
    super(message);
    this.spans = spans;
  }
}

export interface FollowedFiles {
  /** What was added since the last time. @throws {SourceError} */
  readonly look: () => Promise<readonly Span[]>;
  /** Other signals of OTLP that the files hold; null where they hold spans, or nothing yet. */
  readonly listOtherSignals: () => ReadonlySet<OtherSignal> | null;
}

/** Read at one time. */
const mostBytes = 64 * 1024 * 1024;
const lineFeed = 0x0a;

/**
 * Reads what was added to files since the last time: whole lines of a file that grows, such as that of the Collector's file exporter; any
 * other document as a whole when it has changed. A file that was replaced or cut is read from its beginning. While one that was read
 * before is away, the spans of the others wait for it: traces without the part that it has look broken.
 */
export function followFiles(paths: readonly string[]): FollowedFiles {
  const followed = paths.map((path) => ({
    ...{ path, wasRead: false },
    known: { offset: 0, inode: 0, version: '' },
  }));
  const signals = new Set<OtherSignal>();
  let hasSpans = false;
  let read: Span[] = [];
  const look = async () => {
    const failed: { readonly message: string; readonly wasRead: boolean }[] = [];
    for (const file of followed) {
      try {
        const { spans, otherSignals = [] } = await readAdded(file.path, file.known);
        for (const span of spans) read.push(span);
        for (const signal of otherSignals) signals.add(signal);
        file.wasRead = true;
      } catch (error) {
        if (!(error instanceof SourceError)) throw error;
        failed.push({ message: error.message, wasRead: file.wasRead });
      }
    }
    const message = failed.map((one) => one.message).join('; ');
    if (failed.length === followed.length || failed.some(({ wasRead }) => wasRead))
      throw new SourceError(message);
    const spans = read;
    read = [];
    hasSpans ||= spans.length > 0;
    if (failed.length > 0) throw new PartlyReadError(message, spans);
    return spans;
  };
  return { look, listOtherSignals: () => (hasSpans || signals.size === 0 ? null : signals) };
}

type Read = Pick<Decoded, 'spans' | 'otherSignals'>;

const nothing: Read = { spans: [] };

async function readAdded(path: string, known: Followed): Promise<Read> {
  const label = quotePath(path);
  try {
    const { size, ino, mtimeMs } = await stat(path);
    if (ino !== known.inode || size < known.offset)
      Object.assign(known, { offset: 0, inode: ino, version: '' });
    const version = `${size} ${mtimeMs}`;
    if (version === known.version && known.offset >= size) return nothing;
    const lines = await readLines(path, known.offset);
    if (lines !== null) {
      const isFirst = known.offset === 0;
      const decoded = tryDecode(lines);
      const isUnreadable = decoded instanceof DecodeError;
      // A file that is no list of lines is read as a document below.
      if (!isUnreadable || !isFirst) known.offset += lines.length;
      if (!isUnreadable) return decoded;
      if (!isFirst)
        throw new SourceError(
          `${label}: ${lines.length} bytes that were added are left out: ${decoded.message}`,
        );
    }
    if (version === known.version || known.offset > 0) return nothing;
    const decoded = await readSpanFile(path);
    known.version = version;
    return decoded;
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

function tryDecode(lines: Uint8Array): Decoded | DecodeError {
  try {
    return decodeBytes(lines);
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
}
