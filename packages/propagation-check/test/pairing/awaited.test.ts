import assert from 'node:assert/strict';
import { test } from 'node:test';
import { areAwaited, areEndedByCalls, isEndedBy, measureFill } from '../../src/pairing/awaited.ts';
import { thresholds } from '../../src/rules/thresholds.ts';
import { drawTrace } from '../draw-trace.ts';

/** Requests of 1,000 ms, each with a call between the given times. */
function isAwaited(...calls: readonly (readonly [from: number, to: number])[]): boolean {
  const pairs = calls.flatMap(([from, to]) => {
    const [request, call] = drawTrace(`SERVER web GET  a1  0..1000\nCLIENT web GET  b1  ${from}..${to}`);
    return request === undefined || call === undefined ? [] : [{ client: request, server: call }];
  });
  return areAwaited(pairs, thresholds);
}

test('a call is awaited if it fills a quarter of the request, or ends in its last fifth', () => {
  assert.ok(isAwaited([400, 650]));
  assert.ok(!isAwaited([400, 649]));
  assert.ok(isAwaited([750, 800]));
  assert.ok(!isAwaited([749, 799]));
});

test('calls are prompt within a tenth of the request at the median, and within a quarter always', () => {
  assert.ok(isAwaited([100, 101], [250, 251], [50, 51]));
  assert.ok(!isAwaited([101, 102], [101, 102], [50, 51]));
  assert.ok(!isAwaited([100, 101], [251, 252], [50, 51]));
  assert.ok(!isAwaited([100, 101]));
});

test('the median call decides, in whatever order the calls come', () => {
  assert.ok(isAwaited([400, 401], [400, 700], [400, 650]));
  assert.ok(!isAwaited([400, 401], [400, 700], [400, 402]));
  assert.ok(!isAwaited([400, 700], [400, 401], [400, 402]));
  assert.ok(!isAwaited([400, 401], [400, 402], [400, 700]));
});

test('no calls are not awaited, and a request without duration is filled', () => {
  assert.ok(!areAwaited([], thresholds));
  const [request, call] = drawTrace('SERVER web GET  a1  5..5\nCLIENT web GET  b1  5..5');
  assert.ok(request !== undefined && call !== undefined);
  assert.equal(measureFill(request, call), 1);
});

test('a request ends with its call if at most a fifth of it is left', () => {
  const [request, call, earlier] = drawTrace(
    'SERVER web GET  a1  0..1000\nCLIENT web GET  b1  0..800\nCLIENT web GET  b2  0..799',
  );
  assert.ok(request !== undefined && call !== undefined && earlier !== undefined);
  const areEnded = (server: typeof call): boolean =>
    areEndedByCalls([{ client: request, server }], thresholds);
  assert.deepEqual([areEnded(call), areEnded(earlier)], [true, false]);
  assert.deepEqual(
    [isEndedBy(request, call, thresholds), isEndedBy(request, earlier, thresholds)],
    [true, false],
  );
});
