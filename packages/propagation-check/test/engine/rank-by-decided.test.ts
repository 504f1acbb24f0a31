import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Draft } from '../../src/rules/draft.ts';
import { rankByDecided } from '../../src/rules/rank-by-decided.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { drawChain, drawClient, drawServer } from '../rules/judge-drawing.ts';
import { readDrawing } from './read-drawing.ts';

/** A split call in two traces, with the headers that each side recorded. */
function drawSplit(call: number, sent = '', received = ''): string {
  const from = call * 200;
  return (
    drawChain(2 * call + 1, drawClient({ from, to: from + 90, extra: `id:call${call} ${sent}` })) +
    drawChain(2 * call + 2, drawServer({ from: from + 10, to: from + 80, extra: received }))
  );
}

function judge(drawing: string): readonly string[] {
  const { spans, expectation } = readDrawing(`expect web -> orders\n${drawing}`);
  return checkTraces(spans, { expectation })
    .findings.filter(({ severity }) => severity === 'error')
    .map(({ id, candidates = [], count, facts = [] }) =>
      [id, count, ...candidates.slice(0, 1), ...facts.filter((fact) => fact.startsWith('headers'))].join(' '),
    );
}

const valid = (call: number): string =>
  `http.request.header.traceparent=00-<${2 * call + 1}>-<call${call}>-01`;
const none = 'http.request.header.traceparent=[]';

test('a cause that headers show for other calls of the edge comes first, and is the first candidate', () => {
  assert.deepEqual(judge(drawSplit(0) + drawSplit(1, valid(1), none) + drawSplit(2, valid(2), none)), [
    'header-stripped 2',
    'split-trace 1 header-stripped headers show header-stripped for 2 other calls of this edge',
  ]);
});

test('two causes of other calls say nothing about the rest', () => {
  assert.deepEqual(judge(drawSplit(0) + drawSplit(1, valid(1), none) + drawSplit(2, valid(2), valid(2))), [
    'header-ignored 1',
    'header-stripped 1',
    'split-trace 1 header-not-sent',
  ]);
});

const split: Draft = {
  id: 'split-trace',
  severity: 'error',
  client: 'web',
  server: 'orders',
  protocol: 'http',
  shown: [{ client: null, server: null, says: '' }],
};
const open: Draft = { ...split, candidates: ['header-not-sent', 'header-stripped', 'header-ignored'] };
const decided: Draft = { ...split, id: 'header-stripped', symptom: 'split-trace' };

test('the other candidates keep their order', () => {
  assert.deepEqual(rankByDecided([open, decided]), [
    decided,
    {
      ...open,
      candidates: ['header-stripped', 'header-not-sent', 'header-ignored'],
      facts: ['headers show header-stripped for 1 other call of this edge'],
    },
  ]);
});

test('a cause of another edge or symptom, a warning, and a finding without candidates change nothing', () => {
  for (const drafts of [
    [open, { ...decided, client: 'other' }],
    [open, { ...decided, symptom: 'missing-call' as const }],
    [open, { ...decided, severity: 'warning' as const }],
    [split, decided],
    [open, { ...split, client: 'other', candidates: [] }, { ...decided, client: 'third' }],
  ])
    assert.deepEqual(rankByDecided(drafts), drafts);
});
