import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { indexCalls } from '../../src/rules/index-calls.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { drawChain, drawClient } from './judge-drawing.ts';

suite('calls of a service', () => {
  const { spans } = readDrawing(
    [
      drawClient({ from: 0, to: 10 }, 'orders'),
      drawClient({ from: 20, to: 30 }, 'stock'),
      drawClient({ from: 40, to: 50 }, 'orders'),
      drawClient({ from: 60, to: 70 }, 'mail'),
      drawClient({ from: 80, to: 90, service: 'shop' }, 'orders'),
    ]
      .map((line, at) => drawChain(at + 1, line))
      .join(''),
  );
  const calls = indexCalls(spans, ({ attributes }) =>
    String(attributes.get('url.full')).slice('http://'.length),
  );
  const [first, second, third] = spans;

  test('are found by their target', () => {
    assert.deepEqual(calls.callsTo('web', new Set(['orders'])), [first, third]);
    assert.deepEqual(calls.callsTo('web', new Set(['stock'])), [second]);
    assert.deepEqual(calls.callsTo('web', new Set(['partner'])), []);
    assert.deepEqual([...calls.targetsOf('web')], ['orders', 'stock', 'mail']);
  });

  test('keep their order if they went to several addresses of one service', () => {
    assert.deepEqual(calls.callsTo('web', new Set(['stock', 'orders'])), [first, second, third]);
  });

  test('are none for a service without calls, and none without a target', () => {
    assert.deepEqual(calls.callsTo('audit', new Set(['orders'])), []);
    assert.deepEqual(calls.callsTo('audit', new Set(['orders', 'stock'])), []);
    assert.deepEqual(calls.callsTo('web', new Set()), []);
    assert.equal(calls.targetsOf('audit').size, 0);
  });
});
