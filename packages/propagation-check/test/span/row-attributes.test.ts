import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keptAttributes } from '../../src/span/kept-attributes.ts';
import { AttributeIndex, RowAttributes } from '../../src/span/row-attributes.ts';
import { storeOf } from '../../src/span/span-writer.ts';
import { cases } from '../cases.ts';
import { anySpans } from './any-span.ts';
import { viewsOf } from './views-of.ts';

test('the attributes of a row behave as a map', () => {
  fc.assert(
    fc.property(anySpans, (spans) => {
      const store = storeOf(spans);
      const index = new AttributeIndex(store);
      for (const [row, { attributes }] of viewsOf(store).entries()) {
        const found = new RowAttributes(index, row);
        assert.deepEqual(new Map(found), attributes);
        assert.equal(found.size, attributes.size);
        assert.deepEqual([...found.keys()], [...attributes.keys()]);
        assert.deepEqual([...found.values()], [...attributes.values()]);
        const visited: unknown[] = [];
        found.forEach((value, name) => {
          visited.push([name, value]);
        });
        assert.deepEqual(visited, [...attributes]);
        for (const name of [...keptAttributes, ...attributes.keys(), 'none']) {
          assert.deepEqual(found.get(name), attributes.get(name));
          assert.equal(found.has(name), attributes.has(name));
        }
      }
    }),
    { seed: 20261128, numRuns: cases(200) },
  );
});
