import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { listDrawings, readExplanations, renderExplanation } from './render-explanations.ts';

const fixtures = join(import.meta.dirname, '../../fixtures');

function explain(fixture: string, given = true) {
  const { spans, expectation } = readDrawing(readFileSync(join(fixtures, `${fixture}.txt`), 'utf8'));
  const result = checkTraces(spans, { ...(given ? { expectation } : {}), explain: true });
  return (result.explain ?? []).map(({ service, kind, reasons }) => [
    `${kind} of ${service}`,
    ...reasons.map(({ finding, gate, values }) => `${finding}: ${gate}: ${values}`),
  ]);
}

test('a gate that is closed says its values', () => {
  assert.deepEqual(explain('missing-server/healthy-cached-duration'), [
    [
      'CLIENT of web',
      'missing-server: the answers are not those of a cache: usually 45.0 ms, whole calls 100.0 ms',
      'split-trace: another side is there: no SERVER span began another trace while the call was open (3 at other times)',
    ],
  ]);
});

test('both sides of pairs that are not reported say why', () => {
  const ends = explain('split-trace/healthy-every-call-share');
  const reason =
    'split-trace: nearly every call to the target and every request of the kind pair up, as the edge is whole by another way: ' +
    '4 pairs of 5 calls and 4 requests';
  assert.deepEqual(
    ends.map(([end, first]) => [end, first === reason]),
    [
      ...Array.from({ length: 4 }, () => ['CLIENT of web', true]),
      ['CLIENT of web', false],
      ...Array.from({ length: 4 }, () => ['SERVER of orders', true]),
    ],
  );
});

test('a root of a service with known callers says that it may be called from outside', () => {
  assert.equal(
    explain('client-not-instrumented/healthy-fewest-unique', false).at(-1)?.at(-1),
    'missing-call: another side is there: no expectation names a caller of orders: it may be called from outside',
  );
});

test('an orphan says which calls of its trace have no child', () => {
  assert.deepEqual(explain('missing-client/healthy', false).at(0)?.slice(0, 2), [
    'SERVER of orders',
    'missing-client: another side is there: 0 calls of its trace have no child, and no expectation names a caller of the service',
  ]);
});

const explanations = readExplanations();

for (const drawing of listDrawings()) {
  test(`${drawing} is explained as it was (node scripts/write-explanations.ts writes them)`, () => {
    assert.equal(renderExplanation(drawing), explanations.get(drawing) ?? '');
  });
}

test('every explanation is of a drawing', () => {
  const drawings = new Set(listDrawings());
  assert.deepEqual(
    [...explanations.keys()].filter((drawing) => !drawings.has(drawing)),
    [],
  );
});

test('without the option there is no such field', () => {
  assert.ok(!('explain' in checkTraces([])));
  assert.deepEqual(checkTraces([], { explain: true }).explain, []);
});
