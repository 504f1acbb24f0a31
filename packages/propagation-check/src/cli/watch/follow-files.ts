import { open, stat } from 'node:fs/promises';
import { DecodeError } from '../../decode/decode-error.ts';
import { type Decoded, decodeBytes } from '../../decode/detect-format.ts';
import type { OtherSignal } from '../../decode/other-signals.ts';
import { readSpanFile } from '../../source/file.ts';
import { describeFileError, quotePath } from '../../source/file-error.ts';
import { SourceError } from '../../source/source.ts';
import type { Span } from '../../span/span.ts';

/** How far a file has been read. */
interface Followed {
  /** The offset up to which whole lines were read. */
  offset: number;
  inode: number;
  /** The version of a document that was read. A document is no list of lines, and is read as a whole when it changes. */
  version: string;
}

/** Some of the files cannot be read, and none of these was ever read before. */
export class PartlyReadError extends SourceError {
  readonly spans: readonly Span[];

  constructor(message: string, spans: readonly Span[]) {
    super(message);
    this.spans = spans;
  }
}

export interface FollowedFiles {
  /** Reads what was added since the last call. @throws {SourceError} */
  readonly look: () => Promise<readonly Span[]>;
  /** Other signals of OTLP in the files; null where the files hold spans, or nothing yet. */
  readonly listOtherSignals: () => ReadonlySet<OtherSignal> | null;
}

/** The most bytes that are read at once. */
const mostBytes = 64 * 1024 * 1024;
const lineFeed = 0x0a;

/**
 * Reads what was added to files since the last time: the new whole lines of a file that grows, such as that of the Collector's file
 * exporter, and any other document as a whole when it has changed. A file that was replaced or truncated is read from its beginning.
 * While a file that was read before is missing, the spans of the others are held back: traces without a part of their spans look broken.
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
      // If the first lines cannot be decoded, the file is a document, and is read as a whole below.
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

/** Reads from an offset to the end of the last whole line; null where there is none. */
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
