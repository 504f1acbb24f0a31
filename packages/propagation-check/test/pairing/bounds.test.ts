import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bounds } from '../../src/pairing/bounds.ts';
import { limitComparisons, shareComparisons, takeFitting } from '../../src/pairing/limit-work.ts';
import { pairSpans } from '../../src/pairing/pair-spans.ts';
import { thresholds } from '../../src/rules/thresholds.ts';
import type { Span } from '../../src/span/span.ts';
import { drawTrace } from '../draw-trace.ts';

test('a pairing makes no more comparisons than its bound, however many servers share it', () => {
  for (const servers of [1, 7, 1_000, 40_000]) {
    assert.ok(shareComparisons(servers) * servers <= bounds.comparisons, String(servers));
    assert.ok((shareComparisons(servers) + 1) * servers > bounds.comparisons, String(servers));
  }
});

test('each server is compared with a fair number of clients, however many servers there are', () => {
  assert.equal(shareComparisons(10_000_000), bounds.fewestComparisons);
});

test('a server in a crowd examines no more than its candidates', () => {
  const clients = makeSpans('CLIENT', bounds.candidates * 3);
  let comparisons = 0;
  const pairs = pairSpans(
    clients,
    makeSpans('SERVER', 1),
    () => {
      comparisons += 1;
      return true;
    },
    thresholds,
  );
  assert.equal(pairs.length, 1);
  assert.equal(comparisons, bounds.candidates);
});

test('each server in a crowd finds a client, although it keeps only some candidates', () => {
  const count = bounds.candidates * 2;
  const pairs = pairSpans(makeSpans('CLIENT', count), makeSpans('SERVER', count), () => true, thresholds);
  assert.equal(pairs.length, count);
  assert.equal(new Set(pairs.map((pair) => pair.client)).size, count);
});

test('a server in a crowd gets none if all clients are taken', () => {
  const count = bounds.candidates;
  const pairs = pairSpans(makeSpans('CLIENT', count), makeSpans('SERVER', count + 1), () => true, thresholds);
  assert.equal(pairs.length, count);
  assert.ok(pairs.every(({ client }) => client !== undefined));
});

test('a server in a crowd in which it fits none examines no more than its share', () => {
  const [server, ...others] = makeSpans('SERVER', 40_000);
  assert.ok(server !== undefined);
  const later = others.map((span) => ({
    ...span,
    startTimeUnixNano: span.startTimeUnixNano + 1_000_000_000n,
  }));
  let comparisons = 0;
  pairSpans(
    makeSpans('CLIENT', 1_000),
    [server, ...later],
    () => {
      comparisons += 1;
      return false;
    },
    thresholds,
  );
  assert.equal(comparisons, shareComparisons(40_000));
});

test('a search ends at its bound of looks, and at its bound of results', () => {
  const spans = makeSpans('CLIENT', 20);
  let looks = 0;
  const none = takeFitting(spans, 7, 3, () => {
    looks += 1;
    return false;
  });
  assert.deepEqual([none.length, looks], [0, 7]);
  assert.deepEqual(
    takeFitting(spans, 7, 3, () => true),
    spans.slice(0, 3),
  );
});

test('comparisons that times do not limit are divided among the clients', () => {
  const servers = makeSpans('SERVER', 500);
  const clients = makeSpans('CLIENT', 10_000);
  assert.equal(limitComparisons(clients, servers).length, bounds.plainComparisons / clients.length);
  assert.equal(limitComparisons(makeSpans('CLIENT', 100_000), servers).length, bounds.fewestPlainComparisons);
});

/** Spans that are all open at the same time. */
function makeSpans(kind: 'CLIENT' | 'SERVER', count: number): readonly Span[] {
  const [span] = drawTrace(kind === 'CLIENT' ? 'CLIENT web GET  a1  0..30' : 'SERVER orders GET  b1  5..25');
  if (span === undefined) throw new Error('the drawing holds one span');
  return Array.from({ length: count }, (_, at) => ({ ...span, spanId: at.toString(16).padStart(16, '0') }));
}
