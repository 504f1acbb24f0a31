import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CallVerdict, EdgeCounters } from '../../src/sink/edge-counters.ts';

function makeCall(client: string | null, server: string | null, traceId = 'a'): CallVerdict {
  return { client, server, verdict: 'intact', cause: '', example: { traceId, spanIds: [] } };
}

const listOf = (counters: EdgeCounters) =>
  counters.list().map(({ client, server, calls }) => `${client} → ${server}: ${calls}`);

test('edges beyond the limit are counted as other, and known ones keep their counters', () => {
  const counters = new EdgeCounters(2);
  for (const server of ['b', 'c', 'd', 'e', 'b']) counters.count(makeCall('a', server));
  assert.deepEqual(listOf(counters), ['a → b: 2', 'a → c: 1', 'other → other: 2']);
  assert.equal(counters.edges, 2);
});

test('a missing name is unknown, and a long one is cut', () => {
  const counters = new EdgeCounters(9);
  counters.count(makeCall(null, ''));
  counters.count(makeCall('a', 'x'.repeat(9_999)));
  assert.deepEqual(listOf(counters), ['unknown → unknown: 1', `a → ${'x'.repeat(200)}: 1`]);
});

test('the newest examples are kept, and restored', () => {
  const counters = new EdgeCounters(9);
  for (let trace = 0; trace < 20; trace += 1) counters.count(makeCall('a', 'b', String(trace)), 2);
  const after = new EdgeCounters(9);
  after.restore(counters.list());
  after.count(makeCall('a', 'b', 'new'));
  const [edge] = after.list();
  assert.equal(edge?.calls, 41);
  assert.deepEqual(
    edge.examples.map(({ traceId }) => traceId),
    ['16', '17', '18', '19', 'new'],
  );
});

function makeCallToPeer(number: number): CallVerdict {
  return { ...makeCall('a', `10.0.0.${number}:80`), verdict: 'undecided', cause: 'uninstrumented-peer' };
}

test('addresses of peers without spans leave room for services, also after a restart', () => {
  const counters = new EdgeCounters(8);
  for (let number = 0; number < 9; number += 1) counters.count(makeCallToPeer(number));
  for (const server of ['b', 'c', 'd', 'e', 'f', 'g']) counters.count(makeCall('a', server));
  const expected = [
    ...['a → 10.0.0.0:80: 1', 'a → 10.0.0.1:80: 1', 'a → other: 7'],
    ...['a → b: 1', 'a → c: 1', 'a → d: 1', 'a → e: 1', 'a → f: 1', 'other → other: 1'],
  ];
  assert.deepEqual(listOf(counters), expected);
  const after = new EdgeCounters(8);
  after.restore(counters.list());
  assert.deepEqual(listOf(after), expected);
  assert.equal(after.edges, 8);
});

test('restored peers keep their counters, and use up the share of new ones', () => {
  const counters = new EdgeCounters(24);
  for (let number = 0; number < 6; number += 1) counters.count(makeCallToPeer(number));
  const after = new EdgeCounters(8);
  after.restore(counters.list());
  assert.deepEqual(listOf(after), listOf(counters));
  after.count(makeCallToPeer(5));
  after.count(makeCallToPeer(6));
  assert.deepEqual(listOf(after).slice(5), ['a → 10.0.0.5:80: 2', 'a → other: 1']);
});
