/** A worker thread that reads pieces. */
import { on } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { createPieceReader } from '../decode/create-piece-reader.ts';
import { listBuffers, SpanWriter } from '../span/span-writer.ts';
import { type PieceAnswer, type PieceTask, readPiece } from './read-pieces.ts';

const port = parentPort;
if (port === null) throw new Error('piece-worker runs as a worker');
const writer = new SpanWriter();
const reader = await createPieceReader(workerData, writer);

const tasks: AsyncIterable<PieceTask[]> = on(port, 'message');
for await (const [task] of tasks) {
  if (task === undefined) continue;
  const { places, error } = await readPiece(reader, task);
  const answer: PieceAnswer = {
    ...{ places, batch: writer.takeBatch(), buffer: task.buffer },
    // `postMessage` does not clone an error's own fields.
    error: error === null ? null : { place: error.place, message: error.message },
  };
  port.postMessage(answer, [...listBuffers(answer.batch), task.buffer]);
}
