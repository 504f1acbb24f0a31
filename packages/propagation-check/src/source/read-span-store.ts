import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { addAbortSignal, type Readable } from 'node:stream';
import {
  DecodeError,
  ForeignContentError,
  OtherDocumentError,
  SpanlessContentError,
} from '../decode/decode-error.ts';
import {
  type DecodedInto,
  decodeCompressedInto,
  decodeInto,
  listOtherSignals,
} from '../decode/decode-into.ts';
import { detectPieceFormat } from '../decode/detect-piece-format.ts';
import { gunzipChunks, isGzip } from '../decode/gunzip.ts';
import { isZstd } from '../decode/unzstd.ts';
import { isZip } from '../decode/zip.ts';
import type { SpanStore } from '../span/span-store.ts';
import { type Mark, SpanWriter } from '../span/span-writer.ts';
import { cutPieces, endFinders, fillFrom } from './cut-pieces.ts';
import { describeFileError, emptyFile, quotePath, tooLarge } from './file-error.ts';
import { fillFromFile } from './fill-from-file.ts';
import { readAtMost } from './read-at-most.ts';
import { readPieces } from './read-pieces.ts';
import { largestDocument } from './read-whole-file.ts';
import { refuseLargeFile, watchStream } from './refuse-large.ts';
import { ForeignFileError, SourceError } from './source.ts';

export interface StoreOptions {
  /** The input that `-` reads. Default `process.stdin`. */
  readonly stdin?: Readable;
  /** Threads for a large file. Default: one for each processor. */
  readonly threads?: number;
  /** Memory for the spans. Default: the free memory of the system. */
  readonly maxMemoryBytes?: number;
  /** Heap for the objects that represent the ends of broken calls. Default: the free heap of Node. */
  readonly maxHeapBytes?: number;
  /** Largest document that is not read piece by piece. Default: 512,000,000 bytes, about the longest string in Node. */
  readonly maxDocumentBytes?: number;
  /** Called while the file is read. */
  readonly onProgress?: (progress: ReadProgress) => void;
  readonly signal?: AbortSignal;
}

export interface ReadProgress {
  /** Bytes of the file as stored. */
  readonly bytes: number;
  /** Null where it is not known. */
  readonly size: number | null;
  readonly spans: number;
}

/** Measured on two cores: a worker takes half a second until its code is compiled, which pays off beyond about 500,000 spans. */
const bytesBeforeWorkers = 256 * 1024 * 1024;
/** A file of this size has workers from its beginning. */
const bytesForWorkers = 512 * 1024 * 1024;
/** Used instead if the caller sets the number of threads. */
const bytesBeforeNamedWorkers = 16 * 1024 * 1024;

/** As `readSpansInto`, for one file. */
export async function readSpanStore(
  path: string,
  options: StoreOptions = {},
): Promise<DecodedInto & { readonly store: SpanStore }> {
  const writer = new SpanWriter();
  const read = await readSpansInto(writer, path, options);
  return { ...read, store: writer.finish() };
}

/**
 * Reads the spans of a file in any known format into columns, also compressed with gzip. JSON Lines and length-prefixed protobuf are read
 * piece by piece, large files on several threads; other formats are read as a whole.
 * @param path `-` for standard input.
 * @throws {SourceError} as `readSpanFile`, and before reading if memory does not suffice.
 */
export async function readSpansInto(
  writer: SpanWriter,
  path: string,
  options: StoreOptions = {},
): Promise<DecodedInto> {
  const label = path === '-' ? 'standard input' : quotePath(path);
  try {
    return await read(writer, path, label, options);
  } catch (error) {
    if (error instanceof SourceError) throw error;
    if (options.signal?.aborted) throw options.signal.reason;
    if (error instanceof ForeignContentError)
      throw new ForeignFileError(`${label}: ${error.message}`, nameForeign(error));
    if (error instanceof DecodeError) throw new SourceError(`${label}: ${error.message}`);
    if (error instanceof Error && 'code' in error)
      throw new SourceError(`${label}: ${describeFileError(error)}`);
    throw error;
  }
}

function nameForeign(error: ForeignContentError): ForeignFileError['content'] {
  if (error instanceof SpanlessContentError) return 'known';
  return error instanceof OtherDocumentError ? 'document' : 'unknown';
}

async function read(
  writer: SpanWriter,
  path: string,
  label: string,
  options: StoreOptions,
): Promise<DecodedInto> {
  if (path === '-') {
    const { stdin = process.stdin, signal } = options;
    const input = readChunks(signal === undefined ? stdin : addAbortSignal(signal, stdin));
    return readStream(writer, input, { label, size: null, file: null }, options);
  }
  const found = await stat(path);
  if (found.isDirectory())
    throw new SourceError(
      `${label}: a folder; name a file in it, or read it whole with propagation-check audit`,
    );
  const file = await open(path);
  const before = writer.mark();
  try {
    const size = found.isFile() ? found.size : null;
    const chunks = readFileChunks(file, options.signal);
    return await readStream(writer, chunks, { label, size, file }, options);
  } catch (error) {
    const maxBytes = options.maxDocumentBytes ?? largestDocument;
    if (!(error instanceof DecodeError) || !found.isFile() || found.size > maxBytes) throw error;
    // Lines of other formats or of a log may be mixed with OTLP lines. The whole file is decoded again: it is then read, or refused with
    // the proper reason.
    writer.rollBack(before);
    return await decodeCompressedInto(writer, await readFile(path), maxBytes);
  } finally {
    await file.close();
  }
}

interface Input {
  readonly label: string;
  /** Null where it is not known. */
  readonly size: number | null;
  readonly file: FileHandle | null;
}

async function readStream(
  writer: SpanWriter,
  input: AsyncGenerator<Uint8Array>,
  { label, size, file }: Input,
  options: StoreOptions,
): Promise<DecodedInto> {
  const maxDocumentBytes = options.maxDocumentBytes ?? largestDocument;
  const progress = { bytes: 0, size };
  const [start, all] = await peek(countBytes(input, progress), maxDocumentBytes, ({ length }) => length >= 2);
  if (start.length === 0) throw new SourceError(`${label}: ${emptyFile}`);
  const isPacked = isGzip(start);
  // A pipe cannot be read twice, so its beginning is kept.
  const [kept, unpacked] = await peek(
    isPacked ? gunzipChunks(all) : all,
    size === null ? mostKept : 0,
    () => size !== null,
  );
  const [head, chunks] = await peek(
    unpacked,
    maxDocumentBytes,
    (bytes) => detectPieceFormat(bytes, false) !== undefined,
  );
  const format = detectPieceFormat(head, true) ?? null;
  if (format === null) {
    const bytes = await readAtMost(chunks, maxDocumentBytes, () => tooLarge(label, maxDocumentBytes));
    if (isPacked && bytes.length === 0) throw new SourceError(`${label}: gzip: ${emptyFile}`);
    if (isZip(bytes) || isZstd(bytes)) return decodeCompressedInto(writer, bytes, maxDocumentBytes);
    return decodeInto(writer, bytes);
  }
  const { maxMemoryBytes, maxHeapBytes, signal } = options;
  const plan = { label, format, isPacked, maxMemoryBytes, maxHeapBytes, signal };
  if (file !== null && size !== null) await refuseLargeFile(file, size, plan);
  const watch = size === null ? watchStream(plan, () => writer.finish()) : () => {};
  const isPlainFile = file !== null && size !== null && !isPacked;
  const isLarge = size !== null && size >= bytesForWorkers;
  const team =
    options.threads === undefined
      ? { threads: availableParallelism(), startAfter: isLarge ? 0 : bytesBeforeWorkers }
      : { threads: options.threads, startAfter: bytesBeforeNamedWorkers };
  const before = writer.mark();
  try {
    const whole = size === null || isPacked ? 0 : size;
    let isExpected = whole < bytesBeforeExpecting;
    const fill = isPlainFile ? fillFromFile(file, progress, options.signal) : fillFrom(chunks);
    const pieces = cutPieces(fill, endFinders[format], { isReadAhead: isPlainFile });
    await readPieces(format, pieces, writer, team, (bytes) => {
      if (!isExpected) expectRest(writer, before, (whole / bytes) * moreThanExpected);
      isExpected = true;
      watch(bytes);
      options.onProgress?.({ ...progress, spans: writer.rows });
    });
    const otherSignals = writer.rows === before.rows ? await listOtherSignals(head) : [];
    return { format, notes: [], otherSignals };
  } catch (error) {
    if (!(error instanceof DecodeError) || size !== null || kept.length > mostKept) throw error;
    writer.rollBack(before);
    return decodeInto(writer, kept);
  }
}

/** Reserves room for `times` as many rows as were read since the mark. Rows of other files stand before the mark. */
function expectRest(writer: SpanWriter, since: Mark, times: number): void {
  const share = (writer.rows - since.rows) / Math.max(1, writer.rows);
  writer.expect(1 + Math.max(0, times - 1) * share);
}

/** The columns of a smaller file are small. */
const bytesBeforeExpecting = 16 * 1024 * 1024;
/** Later spans may be shorter than the first ones. Room that stays unused takes no memory. */
const moreThanExpected = 1.25;

const mostKept = 64 * 1024 * 1024;

async function* countBytes(
  input: AsyncIterable<Uint8Array>,
  progress: { bytes: number },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of input) {
    progress.bytes += chunk.length;
    yield chunk;
  }
}

/**
 * Reads a stream until `isEnough` or until `most` bytes. `isEnough` is called again each time the length has doubled.
 * @returns The beginning, and the whole stream.
 */
async function peek(
  chunks: AsyncGenerator<Uint8Array>,
  most: number,
  isEnough: (head: Uint8Array) => boolean,
): Promise<readonly [Uint8Array, AsyncGenerator<Uint8Array>]> {
  const parts: Uint8Array[] = [];
  let length = 0;
  let asked = 0;
  while (length <= most) {
    const { value, done } = await chunks.next();
    if (done === true) break;
    parts.push(Buffer.from(value));
    length += value.length;
    if (length < asked * 2) continue;
    asked = length;
    parts.splice(0, parts.length, Buffer.concat(parts));
    if (parts[0] === undefined || isEnough(parts[0])) break;
  }
  const head = Buffer.concat(parts);
  return [head, prepend(head, chunks)];
}

/** Enough bytes to recognise most formats. */
const headBytes = 64 * 1024;
const chunkBytes = 4 * 1024 * 1024;

/** A chunk stays valid until the next one is requested: the buffer is reused, to spare the garbage collector. */
async function* readFileChunks(
  file: FileHandle,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let buffer = Buffer.allocUnsafe(headBytes);
  for (;;) {
    signal?.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, buffer.length);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    if (buffer.length < chunkBytes) buffer = Buffer.allocUnsafe(chunkBytes);
  }
}

async function* readChunks(input: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const chunk of input) yield chunk instanceof Uint8Array ? chunk : Buffer.from(String(chunk));
}

async function* prepend(head: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  yield* rest;
}
