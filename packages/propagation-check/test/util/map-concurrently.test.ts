import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mapConcurrently } from '../../src/util/map-concurrently.ts';

test('results are in the order of the items', async () => {
  const later = Promise.withResolvers<number>();
  const mapped = mapConcurrently([1, 2], 2, async (item) => (item === 1 ? later.promise : item));
  later.resolve(1);
  assert.deepEqual(await mapped, [1, 2]);
});

test('no further item starts after a failure', async () => {
  const begun: number[] = [];
  const under = Promise.withResolvers<void>();
  const mapped = mapConcurrently([1, 2, 3, 4], 2, async (item) => {
    begun.push(item);
    if (item === 1) throw new Error('the first');
    await under.promise;
  });
  await assert.rejects(mapped, /the first/);
  under.resolve();
  await new Promise(setImmediate);
  assert.deepEqual(begun, [1, 2]);
});
