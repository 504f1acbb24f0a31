import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMoreThanChance } from '../../src/pairing/chance.ts';
import { thresholds } from '../../src/rules/thresholds.ts';
import type { Span } from '../../src/span/span.ts';
import { drawTrace } from '../draw-trace.ts';

/** The times of the spans at each rotation, in milliseconds after the first span. */
function rotate(spans: readonly Span[]): readonly (readonly (readonly [from: number, to: number])[])[] {
  const origin = Math.min(...spans.map(({ startTimeUnixNano }) => toMilliseconds(startTimeUnixNano)));
  const seen: (readonly [number, number])[][] = [];
  isMoreThanChance(
    spans,
    1,
    (moved) => {
      seen.push(
        moved.map(({ startTimeUnixNano: from, endTimeUnixNano: to }) => [
          toMilliseconds(from) - origin,
          toMilliseconds(to) - origin,
        ]),
      );
      return 0;
    },
    thresholds,
  );
  return seen;
}

function toMilliseconds(nanoseconds: bigint): number {
  return Number(nanoseconds - 1_700_000_000_000_000_000n) / 1_000_000;
}

test('rotated spans keep their duration and stay within their common range, in any order', () => {
  const rotations = rotate(
    drawTrace(`
      SERVER orders GET  a1  600..640
      SERVER orders GET  a2  0..1600
      SERVER orders GET  a3  900..1000
    `),
  );
  assert.deepEqual(rotations[0], [
    [900, 940],
    [300, 1900],
    [1200, 1300],
  ]);
  assert.deepEqual(rotations.at(-1), [
    [300, 340],
    [1300, 2900],
    [600, 700],
  ]);
  assert.equal(rotations.length, 5);
});

test('spans at a single moment are not rotated', () => {
  const moment = [[0, 0]];
  assert.deepEqual(rotate(drawTrace('SERVER orders GET  a1  600..600')), Array(5).fill(moment));
});
