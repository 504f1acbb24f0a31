import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeldTrace } from '../../src/sink/held-traces.ts';
import type { JudgedCall } from '../../src/sink/judge-batch.ts';
import { noRoom, TraceWindow } from '../../src/sink/trace-window.ts';

const minute = 60_000;

function makeTrace(id: string): HeldTrace {
  return {
    ...{
      id,
      rows: [1, 2],
      openedAt: 0,
      arrivedAt: 0,
      dueAt: 0,
      state: 'judged',
      closedAt: 0,
      isEarly: false,
    },
    ...{ judgedRows: 2, isRest: false, counted: null, pending: [] },
  };
}

/** Two traces with the sides of a call that is broken unless more spans arrive, and an unrelated trace. */
function makeWindow() {
  const [caller, called, other] = [makeTrace('caller'), makeTrace('called'), makeTrace('other')];
  const example = { traceId: '', spanIds: [] };
  const verdict = 'broken';
  const call: JudgedCall = { client: 'a', server: 'b', verdict, cause: 'not-sampled', rows: [0, 1], example };
  called.pending = [{ call, places: [called, caller].map((trace) => ({ trace, index: 0 })) }];
  const window = new TraceWindow();
  window.settle([caller, called, other]);
  return { window, caller, called, other };
}

const idsOf = (traces: Iterable<HeldTrace>) => Array.from(traces, ({ id }) => id);

test('the traces of a broken call leave together after a minute, others after five', () => {
  const { window } = makeWindow();
  assert.deepEqual(idsOf(window.takeLeaving(minute - 1).keys()), []);
  assert.deepEqual(idsOf(window.takeLeaving(minute).keys()), ['caller', 'called']);
  assert.deepEqual(idsOf(window.traces), ['other']);
  assert.deepEqual(idsOf(window.takeLeaving(5 * minute).keys()), ['other']);
});

test('both stay until new spans of one of them are judged', () => {
  const { window, caller, called } = makeWindow();
  window.grow(caller);
  assert.deepEqual(idsOf(window.takeLeaving(minute).keys()), []);
  window.settle(window.traces);
  window.grow(called);
  assert.deepEqual(idsOf(window.takeLeaving(minute).keys()), []);
  window.settle(window.traces);
  assert.deepEqual(idsOf(window.takeLeaving(minute).keys()), ['caller', 'called']);
});

test('a dropped trace does not leave again with its partner', () => {
  const { window, caller, called, other } = makeWindow();
  caller.state = 'dropped';
  window.settle([called, other]);
  assert.deepEqual(idsOf(window.takeLeaving(minute).keys()), ['called']);
});

test('the oldest leave first where there is no room', () => {
  const { window } = makeWindow();
  const leaving = window.takeLeaving(0, noRoom);
  assert.deepEqual([...leaving.values()], [false, false, false]);
  assert.deepEqual(window.traces, []);
});
