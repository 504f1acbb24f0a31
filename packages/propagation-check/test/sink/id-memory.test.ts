import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { IdMemory, readWords } from '../../src/sink/id-memory.ts';

const seed = 20261128;
/** Ids from a small range, so that many of them share a slot of the table. */
const id = fc.nat(400).map((number) => number.toString(16).padStart(32, '0'));

test('the latest ids are known, at least as many as the limit and at most twice as many', () => {
  const most = 50;
  fc.assert(
    fc.property(fc.array(id, { maxLength: 2_000 }), (ids) => {
      const memory = new IdMemory(most);
      const seen: string[] = [];
      for (const one of ids) {
        memory.add(...readWords(one));
        const again = seen.indexOf(one);
        if (again >= 0) seen.splice(again, 1);
        seen.push(one);
      }
      const known = [...new Set(ids)].filter((one) => memory.has(...readWords(one)) && !/^0*$/.test(one));
      assert.ok(known.length <= most * 2);
      const last = [...new Set(ids.slice(-most))].filter((one) => !/^0*$/.test(one));
      for (const one of last) assert.ok(memory.has(...readWords(one)), one);
    }),
    { seed, numRuns: 200 },
  );
});

test('an id that was not added is not known', () => {
  const memory = new IdMemory(100_000);
  for (let number = 1; number < 10_000; number += 1) memory.add(0, number);
  for (let number = 10_000; number < 20_000; number += 1) assert.equal(memory.has(0, number), false);
});
