import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  areAtEvenIntervals,
  areMostlyUnique,
  mayTimersKeepStep,
  pairDisplaced,
  pairWithMessages,
} from '../../src/pairing/displaced.ts';
import { thresholds } from '../../src/rules/thresholds.ts';
import type { Span } from '../../src/span/span.ts';
import { drawTrace } from '../draw-trace.ts';

type Time = readonly [from: number, to: number];

function draw(kind: Span['kind'], times: readonly Time[]): readonly Span[] {
  return times.flatMap(([from, to], at) =>
    drawTrace(`${kind} web work  ${(at + 10).toString(16)}  ${from}..${to}`),
  );
}

const drawRequests = (times: readonly Time[]): readonly Span[] => draw('SERVER', times);
const drawCalls = (times: readonly Time[]): readonly Span[] => draw('CLIENT', times);

/** Starts of ten requests of 100 ms with which no timer can stay in step. */
const irregular = [0, 137, 450, 610, 1000, 1320, 1500, 1910, 2200, 2450];
const requests = drawRequests(irregular.map((start) => [start, start + 100]));
const callAfter = (delay: number) => (start: number) => [start + delay, start + delay + 50] as const;
/** Delays of which none is usual. */
const callAnywhere = (start: number, at: number) => callAfter(at % 2 === 0 ? 10 : 45)(start);

function countDisplaced(calls: readonly Time[], own = 0, withoutCall = requests): number {
  return pairDisplaced(withoutCall, drawCalls(calls), own, thresholds).length;
}

suite('requests that lack a call', () => {
  test('are paired if nearly all of them waited for a call', () => {
    assert.equal(countDisplaced(irregular.map(callAfter(10))), 10);
    assert.equal(countDisplaced(irregular.slice(1).map(callAnywhere)), 9);
    const later = irregular.slice(0, 5).map((start) => [start + 3000, start + 3050] as const);
    assert.equal(countDisplaced([...irregular.slice(5).map(callAfter(10)), ...later], 5), 0);
  });
});

suite('requests most of which a cache answers', () => {
  /** Requests that last 40 to 130 ms. */
  const places = Array.from(
    { length: 30 },
    (_, at): Time => [at * 300 + ((at * 37) % 150), at * 300 + ((at * 37) % 150) + 40 + ((at * 53) % 90)],
  );
  const many = drawRequests(places);
  const within = (count: number): readonly Time[] =>
    places
      .filter((_, at) => at % 2 === 0)
      .slice(0, count)
      .map(([from, to]) => [from + 5, to - 2]);
  const outside: readonly Time[] = [
    [20_000, 20_010],
    [20_100, 20_110],
    [20_200, 20_210],
  ];

  test('are paired with the calls with which they end, if there are several', () => {
    assert.equal(countDisplaced(within(12), 0, many), 12);
    assert.equal(countDisplaced(within(4), 0, many), 0);
    const [from, to] = places[29] ?? [0, 0];
    assert.equal(countDisplaced([...within(12), [from + 2, to - 25]], 0, many), 12);
  });

  test('are not paired while other misplaced calls are left over', () => {
    assert.equal(countDisplaced([...within(12), ...outside], 0, many), 0);
    assert.equal(countDisplaced([...within(12), ...outside], 3, many), 12);
  });

  test('may not be paired with calls that they cannot make', () => {
    assert.deepEqual(
      pairDisplaced(many, drawCalls(within(12)), 0, thresholds, () => false),
      [],
    );
  });

  test('are one to one if they overlap and are many', () => {
    const twice = drawRequests(
      places.slice(0, 20).flatMap(([from, to]): readonly Time[] => [
        [from, to],
        [from + 1, to],
      ]),
    );
    const calls = (count: number): readonly Time[] =>
      places.slice(0, count).map(([from, to]) => [from + 5, to - 2]);
    assert.equal(countDisplaced(calls(15), 0, twice), 15);
    assert.equal(countDisplaced(calls(14), 0, twice), 0);
  });
});

suite('messages that lack a call', () => {
  const count = (calls: readonly Time[], messages = requests): number =>
    pairWithMessages(messages, drawCalls(calls), thresholds).length;

  test('are paired if nearly all have a call that fills a good part of them', () => {
    assert.equal(count(irregular.slice(1).map(callAnywhere)), 9);
    assert.equal(count(irregular.map((start) => [start + 10, start + 35])), 10);
    assert.equal(count(irregular.map((start) => [start + 10, start + 34])), 0);
    assert.equal(count(irregular.map((start) => [start, start + 50])), 0);
  });

  test('may have one exception if calls begin with them', () => {
    const seven = requests.slice(0, 7);
    assert.equal(count(irregular.slice(0, 6).map(callAfter(10)), seven), 6);
    assert.equal(count(irregular.slice(0, 6).map(callAnywhere), seven), 0);
    const six = requests.slice(0, 6);
    assert.equal(count(irregular.slice(0, 7).map(callAfter(10)), six), 6);
    assert.equal(count(irregular.slice(0, 7).map(callAnywhere), six), 0);
  });

  test('are not paired if any call fits two', () => {
    const overlapping = [...requests, ...drawRequests([[2460, 2560]])];
    assert.equal(count([...irregular.map(callAfter(20)), [2480, 2540]], overlapping), 0);
  });
});

test('a timer may keep step with requests at nearly even intervals that are longer than they last', () => {
  const every = (...starts: readonly number[]): readonly Span[] =>
    drawRequests(starts.map((start) => [start, start + 10]));
  assert.ok(mayTimersKeepStep(every(0, 100, 210, 330)));
  assert.ok(!mayTimersKeepStep(every(0, 100, 211, 333)));
  assert.ok(!mayTimersKeepStep(every(0, 10, 20, 30)));
  assert.ok(areAtEvenIntervals(every(0, 1010, 2020), thresholds));
  assert.ok(!areAtEvenIntervals(every(0, 1011, 2022), thresholds));
  assert.ok(areAtEvenIntervals(every(2000, 0, 1000, 3000), thresholds));
  assert.ok(!areAtEvenIntervals(every(0, 1000), thresholds));
});

test('half of the pairs being unique is enough for most', () => {
  const [client, server] = requests;
  assert.ok(client !== undefined && server !== undefined);
  const pairs = [true, false].map((unique) => ({ client, server, unique }));
  assert.ok(areMostlyUnique(pairs, thresholds));
});
