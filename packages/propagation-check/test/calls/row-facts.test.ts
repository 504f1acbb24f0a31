import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  readCallFacts,
  readFacts,
  readOutcome,
  readRoute,
  readUserAgent,
} from '../../src/calls/call-facts.ts';
import { isOutgoing } from '../../src/calls/edge.ts';
import { RowFacts } from '../../src/calls/row-facts.ts';
import { viewOf } from '../../src/span/span-store.ts';
import { storeOf } from '../../src/span/span-writer.ts';
import { cases } from '../cases.ts';
import { hostileSpans } from '../engine/generate-system.ts';
import { simulateSystem } from '../engine/simulate-system.ts';

const spans = fc.oneof(
  hostileSpans,
  fc.nat(1_000).map((seed) => simulateSystem(seed, { requests: 2 }).spans),
);

test('rows say the same of calls as their spans, in any order of reading', () => {
  fc.assert(
    fc.property(spans, fc.infiniteStream(fc.nat()), (received, order) => {
      const store = storeOf(received);
      const facts = new RowFacts(store);
      for (const number of [...order.take(store.size * 2)]) {
        const row = number % store.size;
        const view = viewOf(store, row);
        assert.deepEqual(facts.factsOf(row), readCallFacts(view));
        assert.equal(facts.outcomeOf(row), readOutcome(view));
        assert.equal(facts.isOutgoing(row), isOutgoing(view));
        assert.equal(facts.userAgentOf(row), readUserAgent(view));
        assert.deepEqual([facts.nameOf(row), facts.scopeOf(row)], [view.name, view.scopeName]);
      }
    }),
    { seed: 20261128, numRuns: cases(300) },
  );
});

test('what is remembered of a row is what is read from it', () => {
  fc.assert(
    fc.property(spans, fc.infiniteStream(fc.nat()), (received, order) => {
      const store = storeOf(received);
      const facts = new RowFacts(store);
      const remembered = facts.remember((row) => [
        row.protocol,
        row.kind,
        row.name,
        row.status,
        readRoute(row),
      ]);
      const factsOf = facts.remember((row) => readFacts(row, row.protocol));
      for (const number of [...order.take(store.size * 2)]) {
        const row = number % store.size;
        const view = viewOf(store, row);
        assert.deepEqual(factsOf(row), readCallFacts(view));
        const { code } = view.status;
        const { protocol } = readCallFacts(view);
        assert.deepEqual(remembered(row), [protocol, view.kind, view.name, { code }, readRoute(view)]);
      }
    }),
    { seed: 20261128, numRuns: cases(300) },
  );
});
