import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderGithub } from '../../src/report/github.ts';
import type { Finding } from '../../src/verdict/result.ts';
import { checkFixtureDrawing } from '../engine/read-fixture-drawing.ts';

const details = { source: 'a file', reason: null, notes: [], collector: null };
const options = { width: 100, color: true, docsRoot: '' };

test('one line for the verdict and for each error, which contains the explanation', () => {
  const lines = renderGithub(checkFixtureDrawing('split-trace/broken.txt'), details, options)
    .trimEnd()
    .split('\n');
  assert.match(lines[0] ?? '', /^::error title=Trace context propagation%3A BROKEN::1 of \d edges?, /);
  assert.match(
    lines[1] ?? '',
    /^::error title=\S+ → \S+%3A split-trace::✗ One request, two traces .*%0A {2}fix /,
  );
  assert.equal(lines.length, 2);
});

test('an intact result is a notice', () => {
  const lines = renderGithub(checkFixtureDrawing('split-trace/healthy.txt'), details, options);
  assert.match(lines, /^::notice title=Trace context propagation%3A INTACT::[^\n]+\n$/);
});

test('special characters in names end neither the title nor the line', () => {
  const result = checkFixtureDrawing('split-trace/broken.txt');
  const [finding] = result.findings;
  assert.ok(finding);
  const hostile: Finding = { ...finding, client: 'a,file=b::c%0A\n::set-output name=x::y' };
  const lines = renderGithub({ ...result, findings: [hostile] }, details, options).split('\n');
  assert.equal(lines.length, 3);
  assert.match(lines[1] ?? '', /^::error title=a%2Cfile=b/);
  assert.match(lines[1] ?? '', /^::error title=[^,:]+::/);
});

test('no more errors than GitHub shows', () => {
  const result = checkFixtureDrawing('split-trace/broken.txt');
  const findings = Array.from({ length: 30 }, () => result.findings).flat();
  const lines = renderGithub({ ...result, findings }, details, options)
    .trimEnd()
    .split('\n');
  assert.equal(lines.length, 10);
});
