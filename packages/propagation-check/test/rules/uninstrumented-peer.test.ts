import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkFixtureDrawing } from '../engine/read-fixture-drawing.ts';

test('a peer that answers with its span is said to take part', () => {
  assert.deepEqual(
    checkFixtureDrawing('uninstrumented-peer/shown-answered.txt').findings.map(({ evidence }) =>
      evidence[0]?.says.replace(/^.*; /, ''),
    ),
    [
      'the peer answered with its span 00f067aa0ba902b7 of this trace, whose sampled flag is 0',
      'the peer answered with its span 00f067aa0ba902b8 of this trace, which is nowhere in the data',
    ],
  );
});
