import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpanIndex } from '../../src/graph/span-index.ts';
import { storeOf } from '../../src/span/span-writer.ts';
import { simulateSystem } from '../engine/simulate-system.ts';

test('an index that freed its slots finds the same traces, spans and preferred rows again', () => {
  const { spans } = simulateSystem(1, { requests: 50 });
  const [repeated] = spans;
  assert.ok(repeated);
  const store = storeOf([...spans, repeated]);
  const index = new SpanIndex(store);
  index.prefer(spans.length);
  const findAll = () =>
    Array.from(store.starts, (_, row) => index.findSpan(index.traces[row] ?? 0, store.spanIds, row));
  const found = findAll();
  const findTraces = () => Array.from(store.starts, (_, row) => index.findTrace(store, row));
  assert.deepEqual(findTraces(), [...index.traces]);
  assert.deepEqual(index.repeated, [spans.length]);
  assert.deepEqual(found, [spans.length, ...Array.from(spans.slice(1), (_, at) => at + 1), spans.length]);
  index.rest();
  assert.deepEqual(findAll(), found);
  assert.deepEqual(findTraces(), [...index.traces]);
});
