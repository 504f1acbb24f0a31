import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';

test('a peer that answers with its span is said to take part', () => {
  const drawing = new URL('../../fixtures/uninstrumented-peer/shown-answered.txt', import.meta.url);
  const { spans } = readDrawing(readFileSync(drawing, 'utf8'));
  assert.deepEqual(
    checkTraces(spans).findings.map(({ evidence }) => evidence[0]?.says.replace(/^.*; /, '')),
    [
      'the peer answered with its span 00f067aa0ba902b7 of this trace, whose sampled flag is 0',
      'the peer answered with its span 00f067aa0ba902b8 of this trace, which is nowhere in the data',
    ],
  );
});
