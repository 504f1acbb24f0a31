import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CallTracker } from '../../../src/cli/watch/call-tracker.ts';
import type { SpanStore } from '../../../src/span/span-store.ts';
import { checkStore } from '../../../src/verdict/check-traces.ts';
import { makeCall, makeSplitCall } from './make-calls.ts';

const start = 1_800_000_000_000;
const stepMs = 10_000;
const callsEach = 20;
/** Steps of ten seconds: two hours. */
const steps = 720;
/** Only the id of a forgotten trace stays, and 100,000 ids at most; its spans take about 2,000 bytes. */
const mostBytesEach = 300;

test('hours of traces need no more memory than minutes, except for ids', (t) => {
  setFlagsFromString('--expose_gc');
  const collect: () => void = runInNewContext('gc');
  const check = (store: SpanStore) => checkStore(store, { mostEvidence: Number.POSITIVE_INFINITY });
  const tracker = new CallTracker({ settleMs: 2_000 });
  const heaps: number[] = [];
  for (let step = 0; step < steps; step += 1) {
    const now = start + step * stepMs;
    for (let call = 0; call < callsEach; call += 1)
      tracker.add((call === 0 ? makeSplitCall : makeCall)(`${step} ${call}`, now + call * 100), now);
    tracker.judge(now + stepMs / 2, check);
    if (step !== steps / 4 && step !== steps - 1) continue;
    collect();
    heaps.push(process.memoryUsage().heapUsed);
  }
  const [early = 0, late = 0] = heaps;
  const traces = ((callsEach + 1) * steps * 3) / 4;
  const each = (late - early) / traces;
  t.diagnostic(`${each.toFixed(0)} bytes more a trace`);
  assert.ok(each < mostBytesEach, `${each} bytes`);
  const [edge] = tracker.edges(start + steps * stepMs);
  assert.deepEqual([edge?.calls, edge?.broken], [steps * callsEach, steps]);
});
