import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SegmentOrder } from '../../src/packets/order-segments.ts';

const empty = Buffer.alloc(0);
const opening = {
  time: 0,
  from: 'a',
  to: 'b',
  sequence: 0,
  acknowledged: 0,
  isSyn: true,
  isEnd: false,
  payload: empty,
};

test('the number of segments that wait for a missing byte is bounded', () => {
  const order = new SegmentOrder();
  order.add(opening);
  const [payload, count] = [Buffer.from('x'), 10_000];
  const given = Array.from({ length: count }, (_, at) =>
    order.add({ ...opening, isSyn: false, sequence: 2 + count - at, payload }),
  );
  const first = given.findIndex((ordered) => ordered.length > 0);
  assert.equal(first, 8_192);
  // Ordered by sequence number, each byte once.
  const numbers = given[first]?.map(({ sequence }) => sequence) ?? [];
  assert.deepEqual(
    numbers,
    Array.from({ length: 8_193 }, (_, at) => 2 + count - 8_192 + at),
  );
  assert.equal(given[first]?.[0]?.isAfterGap, true);
});
