import { Worker } from 'node:worker_threads';
import { createPieceReader } from '../decode/create-piece-reader.ts';
import { PieceError, type PieceFormat, type PieceReader, toDecodeError } from '../decode/piece-reader.ts';
import { KnownIds, type SpanBatch, SpanWriter } from '../span/span-writer.ts';
import { findModule } from './find-code-folder.ts';

export interface PieceTask {
  readonly buffer: ArrayBuffer;
  readonly length: number;
}

export interface PieceAnswer {
  readonly batch: SpanBatch;
  /** See `PieceReader.read`. */
  readonly places: number;
  readonly error: { readonly place: number; readonly message: string } | null;
  /** The task's buffer, to be filled again. */
  readonly buffer: ArrayBuffer;
}

export interface Piece extends PieceTask {
  /** Takes the buffer back, to fill it again. */
  release(buffer: ArrayBuffer): void;
}

/** The number of threads, and after how many bytes the workers start. */
export interface Team {
  readonly threads: number;
  readonly startAfter: number;
}

/** A worker reads one piece while the next waits. */
const tasksPerWorker = 2;
/** The number of answers for each thread that may wait for an earlier answer. */
const answersPerThread = 4;

/** Reads pieces into batches of its own, which are then added to the store. */
interface Reader {
  /** Maps the reader's ids to ids of the store. */
  readonly known: KnownIds;
  read(piece: Piece): Promise<PieceAnswer>;
}

interface Reading {
  readonly reader: Reader;
  readonly piece: Piece;
  readonly answer: Promise<PieceAnswer>;
  isDone: boolean;
}

/**
 * Reads pieces in their order. After `startAfter` bytes, this thread and workers read in parallel.
 * @param onRows Called after each piece with the number of bytes read so far.
 * @throws {DecodeError} for the first faulty piece.
 */
export async function readPieces(
  format: PieceFormat,
  pieces: AsyncIterable<Piece>,
  writer: SpanWriter,
  { threads, startAfter }: Team,
  onRows: (bytes: number) => void = () => {},
): Promise<void> {
  const first = await createPieceReader(format, writer);
  const local = new LocalReader(format);
  const workers: WorkerReader[] = [];
  const readings: Reading[] = [];
  let bytes = 0;
  let places = 0;
  let added = 0;
  const add = async ({ reader, piece, answer }: Reading) => {
    const { batch, error, places: more } = await answer;
    writer.addBatch(batch, reader.known);
    if (error !== null) throw toDecodeError(format, new PieceError(error.place, error.message), places);
    places += more;
    added += piece.length;
    onRows(added);
  };
  const addUntil = async (isEnough: (next: Reading) => boolean) => {
    for (let next = readings[0]; next !== undefined && !isEnough(next); next = readings[0]) {
      await add(next);
      readings.shift();
    }
  };
  try {
    for await (const piece of pieces) {
      bytes += piece.length;
      if (threads < 2 || bytes <= startAfter) {
        const { error, places: more } = await readPiece(first, piece);
        if (error !== null) throw toDecodeError(format, error, places);
        places += more;
        piece.release(piece.buffer);
        added += piece.length;
        onRows(added);
        continue;
      }
      while (workers.length < threads - 1) workers.push(new WorkerReader(format));
      const reader = workers.find(({ tasks }) => tasks < tasksPerWorker) ?? local;
      const reading: Reading = { reader, piece, answer: reader.read(piece), isDone: false };
      const finish = ({ buffer }: PieceAnswer) => {
        piece.release(buffer);
        reading.isDone = true;
      };
      // A failure is thrown where the answer is awaited.
      reading.answer.then(finish).catch(() => {});
      readings.push(reading);
      if (reader === local) await reading.answer;
      await addUntil(({ isDone }) => !isDone && readings.length < threads * answersPerThread);
    }
    await addUntil(() => false);
  } finally {
    await Promise.all(workers.map((worker) => worker.close()));
  }
}

/** @returns The fault of the piece, if there is one; it is not thrown. */
export async function readPiece(
  reader: PieceReader,
  { buffer, length }: PieceTask,
): Promise<{ readonly places: number; readonly error: PieceError | null }> {
  try {
    return { places: await reader.read(new Uint8Array(buffer, 0, length)), error: null };
  } catch (error) {
    if (error instanceof PieceError) return { places: 0, error };
    throw error;
  }
}

/** Reads on this thread, one piece at a time, but returns a batch like a worker, so that batches stay in order. */
class LocalReader implements Reader {
  readonly known = new KnownIds();
  readonly #writer = new SpanWriter();
  readonly #reader: Promise<PieceReader>;

  constructor(format: PieceFormat) {
    this.#reader = createPieceReader(format, this.#writer);
  }

  async read(piece: Piece): Promise<PieceAnswer> {
    const answer = await readPiece(await this.#reader, piece);
    return { ...answer, batch: this.#writer.takeBatch(), buffer: piece.buffer };
  }
}

/** A thread that reads pieces one after the other. */
class WorkerReader implements Reader {
  readonly known = new KnownIds();
  readonly #worker: Worker;
  readonly #waiting: { resolve(answer: PieceAnswer): void; reject(error: unknown): void }[] = [];

  constructor(format: PieceFormat) {
    this.#worker = new Worker(findModule('source/piece-worker'), { workerData: format });
    this.#worker.on('message', (answer: PieceAnswer) => this.#waiting.shift()?.resolve(answer));
    this.#worker.on('error', (error) => {
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
  }

  /** The number of pieces that are not answered yet. */
  get tasks(): number {
    return this.#waiting.length;
  }

  read({ buffer, length }: Piece): Promise<PieceAnswer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      const task: PieceTask = { buffer, length };
      this.#worker.postMessage(task, [buffer]);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
