import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { noHeaderEvidence } from '../../src/headers/wire.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from './read-drawing.ts';

const fixtures = join(import.meta.dirname, '../../fixtures');

test('every drawing gives the same with its spans in reverse order, and the same explanations', () => {
  for (const file of globSync('*/*.txt', { cwd: fixtures })) {
    const { spans, expectation, headers } = readDrawing(readFileSync(join(fixtures, file), 'utf8'));
    const [result, reverse] = [spans, [...spans].reverse()].map((order) =>
      checkTraces(order, { expectation, headers, explain: true }),
    );
    assert.deepEqual(reverse, result, file);
  }
});

test('in every drawing, each loose end has a report or an explanation, and --explain does not change the report', () => {
  for (const file of globSync('*/*.txt', { cwd: fixtures })) {
    const { spans, expectation } = readDrawing(readFileSync(join(fixtures, file), 'utf8'));
    const options = { expectation, headers: noHeaderEvidence };
    const { explain: ends = [], ...result } = checkTraces(spans, { ...options, explain: true });
    assert.deepEqual(result, checkTraces(spans, options), file);
    const ids = new Set(spans.map(({ spanId }) => spanId));
    const orphans = spans.filter(
      ({ kind, parentSpanId }) => kind === 'SERVER' && parentSpanId !== null && !ids.has(parentSpanId),
    );
    const hasErrors = result.findings.some(({ severity }) => severity !== 'info');
    for (const { traceId, spanId } of hasErrors ? [] : orphans) {
      assert.ok(
        ends.some((end) => end.traceId === traceId && end.spanId === spanId),
        `${file}: ${spanId}`,
      );
    }
  }
});
