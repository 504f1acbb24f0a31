import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readCallFacts, readFacts } from '../../src/calls/call-facts.ts';
import { isOutgoing } from '../../src/calls/edge.ts';
import { readPath, readRoute, readStatusCode, readUserAgent } from '../../src/calls/http-facts.ts';
import { readOutcome } from '../../src/calls/outcome.ts';
import { RowFacts } from '../../src/calls/row-facts.ts';
import { trimSlash } from '../../src/pairing/compare-requests.ts';
import { viewOf } from '../../src/span/span-store.ts';
import { storeOf } from '../../src/span/span-writer.ts';
import { cases } from '../cases.ts';
import { drawTrace } from '../draw-trace.ts';
import { hostileSpans } from '../engine/generate-system.ts';
import { simulateSystem } from '../engine/simulate-system.ts';

const spans = fc.oneof(
  hostileSpans,
  fc.nat(1_000).map((seed) => simulateSystem(seed, { requests: 2 }).spans),
);

const spansOfOneCall = drawTrace(`
  CLIENT gateway GET    a1   0..90 http.request.method=GET url.full=http://orders/7 http.response.status_code=200
    SERVER orders GET   b2  10..80 http.request.method=GET url.path=/7 http.response.status_code=200
`);

test('rows and their spans give the same facts, in any order of reading', () => {
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
        assert.equal(facts.statusCodeOf(row), readStatusCode(view));
        assert.deepEqual([facts.nameOf(row), facts.scopeOf(row)], [view.name, view.scopeName]);
      }
    }),
    { seed: 20261128, numRuns: cases(300) },
  );
});

test('a remembered fact of a row equals the fact that is read', () => {
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

test('maySome holds for every condition that some row meets, and not for one that no row can meet', () => {
  fc.assert(
    fc.property(spans, (received) => {
      const store = storeOf(received);
      const facts = new RowFacts(store);
      const views = Array.from({ length: store.size }, (_, row) => viewOf(store, row));
      for (const kind of new Set(views.map((view) => view.kind)))
        assert.ok(facts.maySome((row) => row.kind === kind));
      for (const path of new Set(views.map((view) => readCallFacts(view).path)))
        assert.ok(facts.maySome((row) => readPath(row) === path));
    }),
    { seed: 20261129, numRuns: cases(300) },
  );
  const facts = new RowFacts(storeOf(spansOfOneCall));
  assert.ok(facts.maySome((row) => row.protocol === 'http' && readStatusCode(row) === 200));
  assert.ok(!facts.maySome((row) => row.protocol === 'rpc' || readStatusCode(row) === 302));
});

test('with more classes than 16 bits can number, the last rows are read one by one', () => {
  const values = 256;
  const [call] = spansOfOneCall;
  assert.ok(call !== undefined);
  const row = (at: number) =>
    new Map<string, string | number>([
      ['http.request.method', `M${at % values}`],
      ['http.route', `/${Math.floor(at / values) % values}`],
      ['http.response.status_code', at < values ** 2 ? 200 : 201],
    ]);
  const size = values ** 2 + 9;
  const facts = new RowFacts(
    storeOf(Array.from({ length: size }, (_, at) => ({ ...call, attributes: row(at) }))),
  );
  for (const at of [0, 1, values ** 2 - 2, values ** 2 - 1, values ** 2, size - 1]) {
    const { method, route, statusCode } = facts.factsOf(at);
    assert.deepEqual([method, route, statusCode], [...row(at).values()]);
  }
  assert.ok(facts.maySome((of) => readStatusCode(of) === 201));
});

test('a path whose bytes show another end has another end', () => {
  // Long values are not interned.
  const long = `/${'a'.repeat(600)}`;
  const texts = [
    ...[
      long,
      `${long}/`,
      `${long}?q=1`,
      `${long}#top`,
      `${long}/1`,
      `${long}1`,
      `${long}\u00e9`,
      `${long}\ud800`,
    ],
    ...[`http://host${long}`, `/b${long}`, `/\u00e9${long}`, '/', '', '/short'],
  ];
  for (const text of texts) {
    const facts = new RowFacts(
      storeOf(
        spansOfOneCall.slice(0, 1).map((span) => ({ ...span, attributes: new Map([['url.path', text]]) })),
      ),
    );
    const id = facts.targetIdOf(0) ?? assert.fail(text);
    for (const path of texts.map(trimSlash).filter((each) => each.startsWith('/') || each === ''))
      if (facts.hasOtherEnd(id, path)) assert.ok(!trimSlash(facts.pathOf(0) ?? '').endsWith(path), path);
    const isTold = text.startsWith('/') && text.length >= long.length && text.isWellFormed();
    assert.equal(facts.hasOtherEnd(id, '/other'), isTold);
  }
});
