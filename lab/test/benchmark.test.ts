import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { UsageError } from 'propagation-check/kit';
import { type EdgeAnswer, readAnswers } from '../benchmark/answer.ts';
import { type Grade, gradeAnswer } from '../benchmark/grade.ts';
import { gradeAnswers, renderTable } from '../benchmark/table.ts';
import { corpusFolders, readCorpus } from '../read-corpus.ts';
import type { Label } from '../score-capture.ts';

const healthy: Label = { verdict: 'healthy', truth: null, symptoms: [], brokenEdges: [] };
const stripped: Label = {
  verdict: 'broken',
  truth: 'header-stripped',
  symptoms: ['split-trace'],
  brokenEdges: [{ client: 'web', server: 'orders', broken: 3, total: 3 }],
};
const within: Label = { ...stripped, truth: 'context-lost-in-process', brokenEdges: [] };
const broken = { client: 'web', server: 'orders', verdict: 'broken' } as const;
const causes = ['header-not-sent', 'header-stripped'];

const gradings: readonly [string, readonly EdgeAnswer[], Label, Grade][] = [
  ['nothing of a healthy capture', [], healthy, 'quiet'],
  ['an intact edge of a healthy capture', [{ ...broken, verdict: 'intact' }], healthy, 'quiet'],
  ['a broken edge of a healthy capture', [broken], healthy, 'false alarm'],
  ['nothing', [], stripped, 'missed'],
  ['the edge as intact', [{ ...broken, verdict: 'intact' }], stripped, 'missed'],
  ['the edge without a cause', [broken], stripped, 'found'],
  ['only the called service', [{ ...broken, client: null }], stripped, 'found'],
  ['no service', [{ ...broken, client: null, server: null }], stripped, 'wrong'],
  ['another edge', [{ ...broken, server: 'stock', cause: 'header-stripped' }], stripped, 'wrong'],
  ['the edge in the other direction', [{ ...broken, client: 'orders', server: 'web' }], stripped, 'wrong'],
  ['the cause', [{ ...broken, cause: 'header-stripped' }], stripped, 'named'],
  ['another cause', [{ ...broken, cause: 'header-not-sent' }], stripped, 'wrong'],
  ['the cause among others', [{ ...broken, candidates: causes }], stripped, 'among candidates'],
  ['other causes', [{ ...broken, candidates: ['header-not-sent'] }], stripped, 'wrong'],
  ['the best of several', [broken, { ...broken, cause: 'header-stripped' }], stripped, 'named'],
  [
    'any edge of a fault within a service',
    [{ ...broken, cause: 'context-lost-in-process' }],
    within,
    'named',
  ],
];

for (const [what, answer, label, grade] of gradings) {
  test(`an answer with ${what} is ${grade}`, () => assert.equal(gradeAnswer(answer, label), grade));
}

test('answers of another tool are read, and a capture without an answer counts as one without errors', () => {
  const captures = corpusFolders.flatMap(readCorpus);
  const name = 'go-proxy-strips-header';
  const [edge] = captures.find((capture) => capture.name === name)?.label.brokenEdges ?? [];
  assert.ok(edge);
  const path = writeAnswers({
    tool: 'mine 1.0',
    captures: {
      [name]: {
        edges: [{ client: edge.client, server: edge.server, verdict: 'broken', cause: 'header-stripped' }],
      },
    },
  });
  const row = gradeAnswers(readAnswers(path), captures);
  const isBroken = captures.filter(({ label }) => label.verdict === 'broken');
  assert.match(
    renderTable([row], captures),
    new RegExp(`^\\| mine 1\\.0 \\| 0 \\| 1 \\| 0 \\| 0 \\| 0 \\| ${isBroken.length - 1} \\|$`, 'm'),
  );
});

for (const [what, content] of [
  ['an edge without verdict', { tool: 'mine', captures: { one: { edges: [{ client: 'a', server: 'b' }] } } }],
  ['no tool', { captures: {} }],
  ['a list', []],
] as const) {
  test(`a file with ${what} is refused`, () => {
    const path = writeAnswers(content);
    assert.throws(
      () => readAnswers(path),
      (error) =>
        error instanceof UsageError && /^--score .*corpus\/README\.md shows the format$/s.test(error.message),
    );
  });
}

function writeAnswers(content: unknown): string {
  const path = join(mkdtempSync(join(tmpdir(), 'benchmark-')), 'results.json');
  writeFileSync(path, JSON.stringify(content));
  return path;
}
