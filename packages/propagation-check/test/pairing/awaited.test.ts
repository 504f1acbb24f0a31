import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  areAwaited,
  areEndedByCalls,
  compareEnds,
  doEndsFollow,
  isEndedBy,
  measureFill,
} from '../../src/pairing/awaited.ts';
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

/** Requests that begin at 0, each with the end of its call. */
function drawEnds(...ends: readonly (readonly [request: number, call: number])[]) {
  return ends.flatMap(([to, end]) => {
    const [client, server] = drawTrace(`SERVER web GET  a1  0..${to}\nCLIENT web GET  b1  0..${end}`);
    return client === undefined || server === undefined ? [] : [{ client, server }];
  });
}

test('the ends of most requests follow their calls, even if one request goes on for long', () => {
  const usual = [
    [100, 95],
    [200, 195],
    [300, 295],
    [400, 395],
  ] as const;
  assert.ok(doEndsFollow(drawEnds(...usual, [1000, 100]), thresholds));
  assert.ok(!doEndsFollow(drawEnds([100, 95], [200, 95], [300, 95], [400, 95], [1000, 95]), thresholds));
});

test('steady requests waited for their calls only if one slow call also made its request slow', () => {
  const usual = [
    [1000, 900],
    [1000, 900],
    [1000, 900],
    [1000, 900],
  ] as const;
  assert.equal(compareEnds(drawEnds(...usual, [600, 500]), thresholds), 'steady');
  assert.equal(compareEnds(drawEnds(...usual, [1000, 500]), thresholds), 'differ');
});
