import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { indexIntervals } from '../../src/util/interval-index.ts';

const interval = fc.tuple(fc.integer({ min: -20, max: 20 }), fc.integer({ min: -20, max: 20 }));
/** Several look-ups on one index, because each search begins where the one before ended. */
const looks = fc.array(interval, { minLength: 1, maxLength: 5 });

test('a look-up finds the same intervals as a linear search, latest start first, without removed ones', () => {
  fc.assert(
    fc.property(fc.array(interval), looks, fc.array(fc.nat(40)), (intervals, times, removed) => {
      const index = indexIntervals(
        Float64Array.from(intervals, ([start]) => start),
        Float64Array.from(intervals, ([, end]) => end),
      );
      const gone = removed.filter((position) => position < intervals.length);
      for (const position of gone) index.remove(position);
      for (const [since, until] of times) {
        const expected = intervals
          .map(([start, end], position) => ({ start, end, position }))
          .filter(({ start, end, position }) => start <= until && end >= since && !gone.includes(position))
          .sort((left, right) => right.start - left.start || right.position - left.position)
          .map(({ position }) => position);
        assert.deepEqual([...index.openBetween(since, until)], expected);
        if (since > until) continue;
        const isEven = (position: number): boolean => position % 2 === 0;
        const [middle, tolerance] = [(since + until) / 2, (until - since) / 2];
        assert.equal(
          index.someOpenAt(Float64Array.of(middle), 0, tolerance, (_, position) => isEven(position)),
          expected.some(isEven),
        );
      }
    }),
    { seed: 20261128, numRuns: 2_000 },
  );
});
