import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WatchedEdge } from '../../../src/cli/watch/call-tracker.ts';
import { createChangeDescriber } from '../../../src/cli/watch/describe-changes.ts';
import type { WatchState } from '../../../src/cli/watch/render-edges.ts';

const start = Date.UTC(2026, 10, 28);
const secondMs = 1_000;

function stateAt(seconds: number, edges: readonly WatchedEdge[], more: Partial<WatchState> = {}): WatchState {
  const counts = { traces: 0, open: 0, spans: 0, leftOut: 0, period: null };
  const now = start + seconds * secondMs;
  return { ...{ name: 'file', startedAt: start, now, edges, counts, away: null, notes: [] }, ...more };
}

function edgeWith(calls: number, broken: number): WatchedEdge {
  return {
    ...{ client: 'web', server: 'orders', protocol: 'http', calls, broken },
    ...{ slices: [], newest: null, sample: [] },
  };
}

test('each change is reported once, in one line with its time', () => {
  const tell = createChangeDescriber();
  assert.deepEqual(tell(stateAt(0, [])), []);
  assert.deepEqual(tell(stateAt(1, [edgeWith(1, 0)])), [
    '2026-11-28T00:00:01.000Z ✓ web → orders  seen, 1 call',
  ]);
  assert.deepEqual(tell(stateAt(2, [edgeWith(5, 0)])), []);
  assert.deepEqual(tell(stateAt(3, [edgeWith(9, 2)])), [
    '2026-11-28T00:00:03.000Z ✗ web → orders  2 calls broken, 2 of 9 so far',
  ]);
  assert.deepEqual(tell(stateAt(4, [edgeWith(10, 2)])), []);
  // No break for a minute, and a new call.
  assert.deepEqual(tell(stateAt(63, [edgeWith(10, 2)])), []);
  assert.deepEqual(tell(stateAt(64, [edgeWith(11, 2)])), [
    '2026-11-28T00:01:04.000Z ✓ web → orders  intact again',
  ]);
  assert.deepEqual(tell(stateAt(130, [edgeWith(20, 2)])), []);
});

test('an edge without a judged call is not broken, and is reported again when it has one', () => {
  const tell = createChangeDescriber();
  const open = { ...edgeWith(0, 0), unjudged: 12 };
  assert.deepEqual(tell(stateAt(1, [open])), [
    '2026-11-28T00:00:01.000Z ! web → orders  none of 12 calls judged',
  ]);
  assert.deepEqual(tell(stateAt(2, [open])), []);
  assert.deepEqual(tell(stateAt(3, [edgeWith(4, 0)])), [
    '2026-11-28T00:00:03.000Z ✓ web → orders  seen, 4 calls',
  ]);
});

test('doubtful calls are reported with the edge', () => {
  const tell = createChangeDescriber();
  assert.deepEqual(tell(stateAt(1, [{ ...edgeWith(10, 0), doubtful: 10 }])), [
    '2026-11-28T00:00:01.000Z ! web → orders  10 calls, 10 doubtful',
  ]);
});

test('a source that is away, and notes', () => {
  const tell = createChangeDescriber();
  const away = { since: start, wasThere: true, why: 'connection \u001b[31mrefused' };
  assert.deepEqual(tell(stateAt(1, [], { away })), [
    '2026-11-28T00:00:01.000Z ! source away: connection \\x1b[31mrefused; tried again until it is back',
  ]);
  assert.deepEqual(tell(stateAt(2, [], { away, notes: ['one'] })), ['2026-11-28T00:00:02.000Z ! one']);
  assert.deepEqual(tell(stateAt(5, [], { notes: ['one'] })), [
    '2026-11-28T00:00:05.000Z ✓ source back after 5 s',
  ]);
});

test('a source that has never answered', () => {
  const tell = createChangeDescriber();
  const away = { since: start, wasThere: false, why: 'spans.jsonl: no such file' };
  assert.deepEqual(tell(stateAt(0, [], { away })), [
    '2026-11-28T00:00:00.000Z ! source not there yet: spans.jsonl: no such file; tried again until it is there',
  ]);
  assert.deepEqual(tell(stateAt(5, [])), ['2026-11-28T00:00:05.000Z ✓ source there after 5 s']);
});
