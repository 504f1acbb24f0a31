import assert from 'node:assert/strict';
import { test } from 'node:test';
import { skipRepeats } from '../../src/cli/skip-repeats.ts';

test('a Ctrl-C that arrives twice is one signal; a held key is one for each period', () => {
  let nowMs = 0;
  const taken: string[] = [];
  const take = skipRepeats(
    200,
    (signal) => taken.push(`${signal} at ${nowMs}`),
    () => nowMs,
  );
  for (nowMs of [0, 3, 150, 200, 399, 400]) take('SIGINT');
  assert.deepEqual(taken, ['SIGINT at 0', 'SIGINT at 200', 'SIGINT at 400']);
});

test('another signal is not a repeat', () => {
  const taken: string[] = [];
  const take = skipRepeats(
    200,
    (signal) => taken.push(signal),
    () => 0,
  );
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGINT'] as const) take(signal);
  assert.deepEqual(taken, ['SIGINT', 'SIGTERM']);
});
