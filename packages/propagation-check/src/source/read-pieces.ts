import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { createPieceReader } from '../decode/create-piece-reader.ts';
import { PieceError, type PieceFormat, toDecodeError } from '../decode/piece-reader.ts';
import type { SpanStore } from '../span/span-store.ts';
import { KnownIds, type SpanBatch, SpanWriter } from '../span/span-writer.ts';

export interface PieceTask {
  readonly buffer: ArrayBuffer;
  readonly length: number;
}

export interface PieceAnswer {
  readonly batch: SpanBatch;
  /** See `PieceReader.read`. */
  readonly places: number;
  readonly error: { readonly place: number; readonly message: string } | null;
  /** Of the task, to be filled again. */
  readonly buffer: ArrayBuffer;
}

export interface Piece extends PieceTask {
  /** Takes the buffer back, to fill it again. */
  release(buffer: ArrayBuffer): void;
}

/** A worker takes about as long to start as one thread to read this much. */
const bytesBeforeWorkers = 16 * 1024 * 1024;
/** One is read while the next waits. */
const tasksPerWorker = 2;

/**
 * Reads pieces into one store, in their order; from some size on with `threads` workers.
 * @param onRows Called after each piece.
 * @throws {DecodeError} of the first piece that is wrong.
 */
export async function readPieces(
  format: PieceFormat,
  pieces: AsyncIterable<Piece>,
  threads: number,
  onRows: (writer: SpanWriter) => void,
): Promise<SpanStore> {
  const writer = new SpanWriter();
  const reader = createPieceReader(format, writer);
  const team: PieceWorker[] = [];
  const pending: {
    readonly answer: Promise<PieceAnswer>;
    readonly worker: PieceWorker;
    readonly piece: Piece;
  }[] = [];
  let bytes = 0;
  let places = 0;
  const add = async () => {
    const next = pending.shift();
    if (next === undefined) return;
    const { batch, error, ...answer } = await next.answer;
    next.piece.release(answer.buffer);
    writer.addBatch(batch, next.worker.known);
    if (error !== null) throw toDecodeError(format, new PieceError(error.place, error.message), places);
    places += answer.places;
    onRows(writer);
  };
  try {
    for await (const piece of pieces) {
      bytes += piece.length;
      if (threads < 2 || bytes <= bytesBeforeWorkers) {
        places += readHere(format, reader, piece, places);
        piece.release(piece.buffer);
        onRows(writer);
        continue;
      }
      while (team.length < threads) team.push(new PieceWorker(format));
      if (pending.length >= threads * tasksPerWorker) await add();
      const worker = team.shift();
      if (worker === undefined) continue;
      team.push(worker);
      const answer = worker.read(piece);
      // It is awaited in its turn.
      answer.catch(() => {});
      pending.push({ answer, worker, piece });
    }
    while (pending.length > 0) await add();
    return writer.finish();
  } finally {
    await Promise.all(team.map((worker) => worker.close()));
  }
}

function readHere(
  format: PieceFormat,
  reader: ReturnType<typeof createPieceReader>,
  { buffer, length }: Piece,
  places: number,
): number {
  try {
    return reader.read(new Uint8Array(buffer, 0, length));
  } catch (error) {
    throw error instanceof PieceError ? toDecodeError(format, error, places) : error;
  }
}

/** A thread that reads pieces one after the other. */
class PieceWorker {
  readonly known = new KnownIds();
  readonly #worker: Worker;
  readonly #waiting: { resolve(answer: PieceAnswer): void; reject(error: unknown): void }[] = [];

  constructor(format: PieceFormat) {
    // The package is compiled: `.js` there, `.ts` here.
    const file = `./piece-worker${extname(import.meta.filename)}`;
    this.#worker = new Worker(new URL(file, import.meta.url), { workerData: format });
    this.#worker.on('message', (answer: PieceAnswer) => this.#waiting.shift()?.resolve(answer));
    this.#worker.on('error', (error) => {
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
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
