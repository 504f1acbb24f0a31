/** Reads pieces on a thread of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import { createPieceReader } from '../decode/create-piece-reader.ts';
import { PieceError } from '../decode/piece-reader.ts';
import { listBuffers, SpanWriter } from '../span/span-writer.ts';
import type { PieceAnswer, PieceTask } from './read-pieces.ts';

const port = parentPort;
if (port === null) throw new Error('piece-worker runs as a worker');
const writer = new SpanWriter();
const reader = createPieceReader(workerData, writer);

port.on('message', ({ buffer, length }: PieceTask) => {
  const answer = answerPiece(buffer, length);
  port.postMessage(answer, [...listBuffers(answer.batch), buffer]);
});

function answerPiece(buffer: ArrayBuffer, length: number): PieceAnswer {
  let places = 0;
  let error: PieceAnswer['error'] = null;
  try {
    places = reader.read(new Uint8Array(buffer, 0, length));
  } catch (thrown) {
    if (!(thrown instanceof PieceError)) throw thrown;
    error = { place: thrown.place, message: thrown.message };
  }
  return { batch: writer.takeBatch(), places, error, buffer };
}
