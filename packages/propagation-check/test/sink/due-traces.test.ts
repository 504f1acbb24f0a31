import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DueTraces } from '../../src/sink/due-traces.ts';
import type { HeldTrace } from '../../src/sink/held-traces.ts';

for (const [name, take] of [
  ['those that are due, though the tick is late', (due: DueTraces) => due.takeDue(6_000)],
  ['those that are taken to free memory', (due: DueTraces) => due.takeRested(0, 100, () => 10)],
] as const) {
  test(`${name}, are taken in the order of their ends, although late spans moved one`, () => {
    const due = new DueTraces();
    const [moved, other] = [makeTrace('moved', 1_000), makeTrace('other', 3_000)];
    due.add(moved);
    due.add(other);
    moved.dueAt = 5_000;
    assert.deepEqual(
      take(due).map(({ id }) => id),
      ['other', 'moved'],
    );
  });
}

function makeTrace(id: string, dueAt: number): HeldTrace {
  return {
    ...{ id, rows: [], openedAt: 0, arrivedAt: 0, dueAt, state: 'open', closedAt: 0, isEarly: false },
    ...{ judgedRows: 0, isRest: false, counted: null, pending: [] },
  };
}
