import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RowCopier } from '../../src/span/row-copier.ts';
import { SpanWriter, storeOf } from '../../src/span/span-writer.ts';
import { cases } from '../cases.ts';
import { anySpans } from './any-span.ts';
import { kept, viewsOf } from './views-of.ts';

const seed = 20261128;

test('rows of several stores are copied in any order, as often as asked', () => {
  fc.assert(
    fc.property(anySpans, anySpans, fc.array(fc.nat()), (one, other, picks) => {
      const writer = new SpanWriter();
      const all = [one, other].map((spans) => ({ spans, copier: new RowCopier(storeOf(spans), writer) }));
      const copied = picks.flatMap((pick) => {
        const { spans, copier } = all[pick % 2] ?? { spans: [], copier: null };
        const row = spans.length === 0 ? 0 : Math.floor(pick / 2) % spans.length;
        const span = spans[row];
        if (span === undefined || copier === null) return [];
        copier.copy(row);
        return [span];
      });
      assert.deepEqual(viewsOf(writer.finish()), kept(copied));
    }),
    { seed, numRuns: cases(500) },
  );
});
