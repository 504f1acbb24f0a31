/**
 * What Stryker runs for each mutant, in one process: all drawings without a test runner, up to the first that differs
 * (`fixtures.test.ts`, `thresholds.test.ts` and `explain.test.ts` say the same at length), then the tests of single files.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { noHeaderEvidence } from '../src/headers/wire.ts';
import { checkTraces } from '../src/verdict/check-traces.ts';
import type { Result } from '../src/verdict/result.ts';
import { readDrawing } from './engine/read-drawing.ts';
import { listMoves, movesAnything } from './rules/move-threshold.ts';
import { explanationsFile, renderExplanations } from './rules/render-explanations.ts';

const fixtures = join(import.meta.dirname, '../fixtures');

for (const file of globSync('*/*.txt', { cwd: fixtures })) {
  const path = join(fixtures, file);
  const { spans, expectation, headers } = readDrawing(readFileSync(path, 'utf8'));
  if (basename(file).startsWith('healthy')) {
    for (const options of [{ expectation, headers }, { headers }, { expectation }, {}]) {
      const { findings } = checkTraces(spans, options);
      assert.ok(findings.every(({ id, severity }) => severity !== 'error' && !file.startsWith(`${id}/`)));
    }
    continue;
  }
  const expected = path.replace(/\.txt$/, '.json').replace(/(broken|shown)\.json$/, 'expected.json');
  const { fromSpansAlone, ...all } = JSON.parse(readFileSync(expected, 'utf8'));
  assert.deepEqual(summarise(checkTraces(spans, { expectation, headers })), all);
  if (fromSpansAlone === undefined) continue;
  assert.deepEqual(summarise(checkTraces(spans, { expectation, headers: noHeaderEvidence })), fromSpansAlone);
}
for (const move of listMoves()) assert.ok(movesAnything(move));
assert.equal(renderExplanations(), readFileSync(explanationsFile, 'utf8'));
await import('./pairing/awaited.test.ts');
await import('./pairing/bounds.test.ts');
await import('./pairing/pair.test.ts');
await import('./rules/findings.test.ts');
await import('./rules/missing-client.test.ts');
await import('./rules/partly-split-edge.test.ts');
await import('./rules/split-trace.test.ts');

function summarise({ verdict, edges, findings }: Result) {
  return {
    verdict,
    edges,
    findings: findings.map(({ id, severity, client, server, count, candidates }) => ({
      id,
      severity,
      client,
      server,
      count,
      ...(candidates === undefined ? {} : { candidates }),
    })),
  };
}
