import type { FileHandle } from 'node:fs/promises';
import { getHeapStatistics } from 'node:v8';
import { countOpenCalls } from '../calls/count-open-calls.ts';
import { toMiB } from '../decode/check-memory.ts';
import { DecodeError } from '../decode/decode-error.ts';
import { gunzipChunks } from '../decode/gunzip.ts';
import type { PieceFormat } from '../decode/piece-reader.ts';
import type { SpanStore } from '../span/span-store.ts';
import { SpanWriter } from '../span/span-writer.ts';
import { cutPieces, endFinders, type Fill, fillFrom } from './cut-pieces.ts';
import { fillFromFile } from './fill-from-file.ts';
import { type Piece, readPieces } from './read-pieces.ts';
import { SourceError } from './source.ts';

/**
 * Memory for the spans of a file and for their check, for each byte of the file. Measured with `npm run bench -- engine`, with 5 % of the
 * calls broken: a span takes 860 bytes as JSON, 380 as protobuf, and up to 290 while it is checked. Spans with fewer attributes take more
 * memory for each byte.
 */
const memoryPerByte: Readonly<Record<PieceFormat, number>> = { 'json-lines': 0.5, 'otlp-protobuf': 1.1 };
/** Measured: heap for a span of a capture in which every call is broken, for each byte of the file. */
const heapPerByte: Readonly<Record<PieceFormat, number>> = { 'json-lines': 1.2, 'otlp-protobuf': 2.7 };
/** Measured: heap for a call that nobody continued, with the SERVER span that may belong to it. */
const heapPerOpenCall = 3_000;
/** Large enough that the exporters of both sides have delivered most calls. */
const sampleBytes = 128 * 1024 * 1024;
/** A call whose other side is delivered later looks open in a sample. */
const sureExcess = 1.25;
/** The highest compression ratio of deflate. Source: zlib, "Technical Details". */
const mostGzipRatio = 1_032;
/** Compressed bytes that are read to estimate the ratio. Spans are similar, so the beginning has the ratio of the whole file. */
const ratioSampleBytes = 2 * 1024 * 1024;
const ratioChunkBytes = 64 * 1024;

/** An input that is to be read, and the memory for it. */
export interface Plan {
  readonly label: string;
  readonly format: PieceFormat;
  /** Whether it is compressed with gzip. */
  readonly isPacked: boolean;
  /** Memory for the spans. Default: the free memory of the system. */
  readonly maxMemoryBytes: number | undefined;
  /** Heap for the objects that represent the ends of broken calls. Default: the free heap of Node. */
  readonly maxHeapBytes: number | undefined;
  readonly signal: AbortSignal | undefined;
}

interface Room {
  readonly memory: number;
  readonly heap: number;
}

function findRoom({ maxMemoryBytes, maxHeapBytes }: Plan): Room {
  return {
    memory: maxMemoryBytes ?? process.availableMemory(),
    heap: maxHeapBytes ?? freeHeapBytes(),
  };
}

/**
 * Refuses a file for which memory does not suffice, before it is read. The ends of broken calls are objects on Node's heap, which may be
 * smaller than the free memory; a sample of the file shows how many there are.
 * @param size The size of the file as stored.
 * @throws {SourceError}
 */
export async function refuseLargeFile(file: FileHandle, size: number, plan: Plan): Promise<void> {
  const { label, format, isPacked, signal } = plan;
  const room = findRoom(plan);
  const most = isPacked ? size * mostGzipRatio : size;
  if (most * memoryPerByte[format] <= room.memory && most * heapPerByte[format] <= room.heap) return;
  try {
    const bytes = isPacked ? size * (await sampleRatio(file, signal)) : size;
    refuseMemory(label, bytes * memoryPerByte[format], room.memory);
    if (bytes * heapPerByte[format] <= room.heap) return;
    const sample = await readSample(file, plan);
    refuseOpenCalls(label, countOpenCalls(sample.store) * Math.max(1, bytes / sample.bytes), room.heap);
  } catch (error) {
    // The same fault occurs when the file is read, and is reported then.
    if (!(error instanceof DecodeError)) throw error;
  }
}

/**
 * Watches an input of unknown length, so that reading ends with an error before memory runs out.
 * @returns A function that takes the number of uncompressed bytes read so far. It throws a SourceError when memory does not suffice.
 */
export function watchStream(plan: Plan, readStore: () => SpanStore): (bytes: number) => void {
  const { format } = plan;
  const label = `${plan.label}: what came so far`;
  const room = findRoom(plan);
  // Counting takes time, so it is repeated only when the size has doubled.
  let countAt = room.heap / heapPerByte[format];
  return (bytes) => {
    refuseMemory(label, bytes * memoryPerByte[format], room.memory);
    if (bytes < countAt) return;
    countAt = bytes * 2;
    refuseOpenCalls(label, countOpenCalls(readStore()), room.heap);
  };
}

function refuseMemory(label: string, needed: number, room: number): void {
  if (needed <= room) return;
  throw new SourceError(
    `${label}: needs about ${toMiB(needed)} MiB of memory, and ${toMiB(room)} MiB are free; ` +
      'split it by time or keep only the traces in question, or check it where there is more memory',
  );
}

function refuseOpenCalls(label: string, openCalls: number, room: number): void {
  const needed = openCalls * heapPerOpenCall;
  if (needed <= room * sureExcess) return;
  throw new SourceError(
    `${label}: some ${Math.round(openCalls)} calls are broken, which take about ${toMiB(needed)} MiB, and Node may take ${toMiB(room)} MiB more; ` +
      `split it by time, or set NODE_OPTIONS=--max-old-space-size=${toMiB(needed * sureExcess)}`,
  );
}

/** The number of uncompressed bytes for each compressed byte. */
async function sampleRatio(file: FileHandle, signal: AbortSignal | undefined): Promise<number> {
  const packed = { bytes: 0 };
  let unpacked = 0;
  for await (const chunk of gunzipChunks(readFrom(file, packed, signal))) {
    unpacked += chunk.length;
    if (packed.bytes >= ratioSampleBytes) break;
  }
  return unpacked / packed.bytes;
}

async function readSample(
  file: FileHandle,
  { format, isPacked, signal }: Plan,
): Promise<{ readonly store: SpanStore; readonly bytes: number }> {
  const position = { bytes: 0 };
  const fill: Fill = isPacked
    ? fillFrom(gunzipChunks(readFrom(file, position, signal)))
    : fillFromFile(file, position, signal);
  const writer = new SpanWriter();
  const pieces = takeBytes(cutPieces(fill, endFinders[format]), sampleBytes);
  let bytes = 0;
  await readPieces(format, pieces, writer, { threads: 1, startAfter: 0 }, (read) => {
    bytes = read;
  });
  return { store: writer.finish(), bytes };
}

/** Yields the bytes of a file from its beginning. */
async function* readFrom(
  file: FileHandle,
  position: { bytes: number },
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const fill = fillFromFile(file, position, signal);
  const buffer = new Uint8Array(ratioChunkBytes);
  for (let length = await fill(buffer); length > 0; length = await fill(buffer))
    yield buffer.subarray(0, length);
}

function freeHeapBytes(): number {
  const { heap_size_limit: limit, used_heap_size: used } = getHeapStatistics();
  return limit - used;
}

/** Yields pieces until they have at least this many bytes. */
async function* takeBytes(pieces: AsyncIterable<Piece>, bytes: number): AsyncGenerator<Piece> {
  let taken = 0;
  for await (const piece of pieces) {
    taken += piece.length;
    yield piece;
    if (taken >= bytes) return;
  }
}
