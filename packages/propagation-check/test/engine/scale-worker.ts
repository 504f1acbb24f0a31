import { parentPort, workerData } from 'node:worker_threads';
import { expectPath, noExpectation } from '../../src/expect/expectation.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { scenes } from './scale-scenes.ts';

/** Checks the scene named in `workerData` and posts the result and the seconds that it took. */
for (const [name, draw] of Object.entries(scenes)) {
  if (name !== workerData) continue;
  const spans = draw();
  const expectation = { ...noExpectation, edges: expectPath(['web', 'orders']) };
  const start = performance.now();
  const result = checkTraces(spans, { expectation });
  parentPort?.postMessage({ result, seconds: (performance.now() - start) / 1000 });
}
