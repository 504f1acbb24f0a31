import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { suite, test } from 'node:test';
import { noHeaderEvidence } from '../../src/headers/wire.ts';
import { findingIds } from '../../src/rules/finding.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import type { Finding, Result } from '../../src/verdict/result.ts';
import { readDrawing } from './read-drawing.ts';
import { type Outcome, readExpected } from './read-expected.ts';

const fixtures = join(import.meta.dirname, '../../fixtures');

for (const id of findingIds) {
  suite(id, () => {
    const folder = join(fixtures, id);

    test('has a drawing that shows it, and a healthy twin', () => {
      const files = globSync('*', { cwd: folder });
      assert.ok(
        files.includes('broken.txt') || files.includes('shown.txt'),
        `fixtures/${id} needs broken.txt or shown.txt`,
      );
      assert.ok(files.includes('healthy.txt'), `fixtures/${id} needs healthy.txt`);
    });

    for (const file of globSync('{broken,shown}*.txt', { cwd: folder }).sort()) {
      test(`${file} gives just this`, () => {
        const text = readFileSync(join(folder, file), 'utf8');
        const { spans, expectation, headers } = readDrawing(text);
        const { all, spansAlone } = readExpected(text);
        assert.deepEqual(summarise(checkTraces(spans, { expectation, headers })), all);
        assert.ok(
          all.findings.some((one) => one.id === id),
          `${id} is not among the expected findings`,
        );
        const alone = checkTraces(spans, { expectation, headers: noHeaderEvidence });
        assert.deepEqual(summarise(alone), spansAlone);
      });
    }

    for (const file of globSync('healthy*.txt', { cwd: folder }).sort()) {
      const draw = () => readDrawing(readFileSync(join(folder, file), 'utf8'));
      test(`${file} raises no false alarm`, () => {
        const { spans, expectation, headers } = draw();
        assertHealthy(id, checkTraces(spans, { expectation, headers }));
      });
      test(`${file} raises none without expectation`, () => {
        const { spans, headers } = draw();
        assertHealthy(id, checkTraces(spans, { headers }));
      });
      test(`${file} raises none from spans alone`, () => {
        const { spans, expectation } = draw();
        assertHealthy(id, checkTraces(spans, { expectation }));
        assertHealthy(id, checkTraces(spans));
      });
    }
  });
}

test('every fixture folder has the name of a finding', () => {
  const known: ReadonlySet<string> = new Set(findingIds);
  const folders = globSync('*/', { cwd: fixtures }).map((folder) => basename(folder));
  assert.deepEqual(
    folders.filter((folder) => !known.has(folder)),
    [],
  );
});

function assertHealthy(id: Finding['id'], result: Result): void {
  const alarms = result.findings.filter((one) => one.severity === 'error' || one.id === id);
  assert.deepEqual(alarms, []);
  // Without an edge there is nothing to judge, and expected baggage that nobody recorded stays undecided.
  const isJudged = result.edges.length > 0 && result.undecided === undefined;
  assert.equal(result.verdict, isJudged ? 'intact' : 'unknown');
}

function summarise({ verdict, edges, findings }: Result): Outcome {
  return {
    verdict,
    edges: [...edges],
    findings: findings.map(({ id, severity, client, server, confidence, count, candidates }) => ({
      id,
      severity,
      client,
      server,
      confidence,
      count,
      ...(candidates === undefined ? {} : { candidates: [...candidates] }),
    })),
  };
}
