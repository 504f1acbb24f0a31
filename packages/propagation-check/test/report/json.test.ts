import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderJson } from '../../src/report/json.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import type { Result } from '../../src/verdict/result.ts';
import { drawSplitCall } from '../draw-trace.ts';

const result: Result = { version: 1, verdict: 'intact', traces: 1, spans: 2, edges: [], findings: [] };
const details = { source: 'file=x', reason: null, notes: ['one'], collector: null };

test('the report is the result with its details', () => {
  assert.deepEqual(JSON.parse(renderJson(result, details)), { ...result, ...details });
});

test("the path of a finding's page is relative to the reader", () => {
  const { findings } = checkTraces(drawSplitCall());
  const root = 'node_modules/propagation-check/dist/';
  const report = JSON.parse(renderJson({ ...result, findings }, details, root));
  assert.equal(report.findings[0].docs, `${root}docs/findings/${findings[0]?.id}.md`);
});

test('control characters are escaped, and no text is lost', () => {
  const hostile = '\u001b[2J\u0085\u2028\u202e\u{e0041}::error::x ###[error]y##vso[z]';
  const text = renderJson(result, { ...details, notes: [hostile] });
  assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\u2028\u2029]/u);
  assert.doesNotMatch(text, /##/);
  assert.deepEqual(JSON.parse(text).notes, [hostile]);
});
