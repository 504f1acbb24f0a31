import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareRates, estimateRate, type Rate } from '../../src/audit/estimate-rate.ts';

/** A fixed seed, so that every run tries the same inputs. A failure prints a seed and a path, which are to be added here. */
const seed = 20261124;

const counts = fc
  .integer({ min: 1, max: 1_000_000 })
  .chain((of) => fc.tuple(fc.integer({ min: 0, max: of }), fc.constant(of)));

function estimate([intact, of]: readonly [number, number]): Rate {
  const rate = estimateRate(intact, of);
  assert.ok(rate !== null);
  return rate;
}

test('the interval matches published values', () => {
  // Source of the numbers: Newcombe, Statistics in Medicine 17 (1998), 857–872, table I, method 3.
  for (const [intact, of, low, high] of [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ] as const) {
    const rate = estimate([intact, of]);
    assert.ok(Math.abs(rate.low - low) < 0.0001, `${intact} of ${of}: low ${rate.low}`);
    assert.ok(Math.abs(rate.high - high) < 0.0001, `${intact} of ${of}: high ${rate.high}`);
  }
});

test('without calls there is no rate', () => {
  assert.equal(estimateRate(0, 0), null);
});

test('the bounds are in order, within 0 and 1, and include the rate', () => {
  fc.assert(
    fc.property(counts, (pair) => {
      const { low, value, high } = estimate(pair);
      assert.ok(0 <= low && low <= value && value <= high && high <= 1);
      assert.ok(low < high);
    }),
    { seed },
  );
});

test('ten times as many calls give a narrower interval', () => {
  fc.assert(
    fc.property(counts, ([intact, of]) => {
      const few = estimate([intact, of]);
      const many = estimate([intact * 10, of * 10]);
      assert.ok(many.high - many.low < few.high - few.low);
    }),
    { seed },
  );
});

test('the rate of broken calls mirrors that of intact ones', () => {
  fc.assert(
    fc.property(counts, ([intact, of]) => {
      const rate = estimate([intact, of]);
      const mirrored = estimate([of - intact, of]);
      assert.ok(Math.abs(rate.low - (1 - mirrored.high)) < 1e-9);
    }),
    { seed },
  );
});

test('a change is proven where the intervals do not overlap, and has a direction', () => {
  fc.assert(
    fc.property(counts, counts, (one, other) => {
      const [before, now] = [estimate(one), estimate(other)];
      const change = compareRates(before, now);
      assert.equal(change === 'better', now.low > before.high);
      assert.equal(change === 'worse', compareRates(now, before) === 'better');
      if (change !== 'unproven') assert.equal(change === 'better', now.value > before.value);
    }),
    { seed },
  );
});

test('one more broken call in ten proves nothing, a thousand more in ten thousand do', () => {
  assert.equal(compareRates(estimate([10, 10]), estimate([9, 10])), 'unproven');
  assert.equal(compareRates(estimate([10_000, 10_000]), estimate([9_000, 10_000])), 'worse');
  assert.equal(compareRates(estimate([9_000, 10_000]), estimate([10_000, 10_000])), 'better');
});
