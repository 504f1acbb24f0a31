import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import { DecodeError } from '../decode/decode-error.ts';
import { type Decoded, decodeCompressed } from '../decode/detect-format.ts';
import type { Span } from '../span/span.ts';
import { describeFileError, emptyFile, quotePath, tooLarge } from './file-error.ts';
import { readAtMost } from './read-at-most.ts';
import { largestDocument } from './read-whole-file.ts';
import { isSameTraceId, selectTraces } from './select-spans.ts';
import { type Source, SourceError } from './source.ts';
import { checkTraceId } from './trace-id.ts';

/** Limits of a file. */
export interface FileOptions {
  /** Largest file, also uncompressed. Default: 512,000,000 bytes, about the longest string in Node. */
  readonly maxBytes?: number;
  /** The input that `-` reads. Default `process.stdin`. */
  readonly stdin?: Readable;
}

/** A file with spans, or standard input. It is read once, on the first request. */
export interface FileSource extends Source {
  /** Every span of the file, in its order. @throws {SourceError} as `readTrace`. */
  readAll(signal?: AbortSignal): Promise<readonly Span[]>;
}

/** @param path Path of the file; `-` for standard input. The format is recognised by content. */
export function createFileSource(path: string, options: FileOptions = {}): FileSource {
  const name = `file=${quotePath(path)}`;
  let decoded: Promise<Decoded> | null = null;
  const readOnce = (signal: AbortSignal | undefined) => {
    decoded ??= readSpanFile(path, options, signal);
    return decoded;
  };
  const readAll = async (signal?: AbortSignal) => (await readOnce(signal)).spans;
  return {
    name,
    isInMemory: true,
    readAll,
    readTrace: async (traceId, signal) => {
      const id = checkTraceId(name, traceId);
      return (await readAll(signal)).filter((span) => isSameTraceId(span.traceId, id));
    },
    searchTraces: async (query, signal) => selectTraces(await readAll(signal), query),
    listOtherSignals: async (signal) => (await readOnce(signal)).otherSignals ?? [],
    close: async () => {},
  };
}

/**
 * Reads a file with spans in any known format, also compressed with gzip.
 * @param path `-` for standard input.
 * @throws {SourceError} when the file is missing, a folder, unreadable, empty, too large, or not in a known format; the message has the
 *   path, line or byte offset of the fault.
 */
export async function readSpanFile(
  path: string,
  options: FileOptions = {},
  signal?: AbortSignal,
): Promise<Decoded> {
  const label = path === '-' ? 'standard input' : quotePath(path);
  const maxBytes = options.maxBytes ?? largestDocument;
  const bytes = await readBytes(path, label, maxBytes, options.stdin ?? process.stdin, signal);
  if (bytes.length === 0) throw new SourceError(`${label}: ${emptyFile}`);
  try {
    return await decodeCompressed(bytes, maxBytes);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new SourceError(`${label}: ${error.message}`);
  }
}

async function readBytes(
  path: string,
  label: string,
  maxBytes: number,
  stdin: Readable,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  try {
    if (path !== '-' && (await stat(path)).isDirectory()) {
      throw new SourceError(`${label}: a folder; name a file in it`);
    }
    const input = path === '-' ? stdin : createReadStream(path);
    const chunks = signal === undefined ? input : addAbortSignal(signal, input);
    return await readAtMost(chunks, maxBytes, () => tooLarge(label, maxBytes));
  } catch (error) {
    if (error instanceof SourceError) throw error;
    if (signal?.aborted) throw signal.reason;
    throw new SourceError(`${label}: ${describeFileError(error)}`);
  }
}
