import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderMarkdown } from '../../src/report/markdown.ts';
import type { Span } from '../../src/span/span.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readFixtureDrawing } from '../engine/read-fixture-drawing.ts';

const details = { source: 'a file', reason: null, notes: [], collector: null };
const options = { width: 100, color: true, docsRoot: '' };

function render(spans: readonly Span[], from = spans): string {
  return renderMarkdown(checkTraces(from), details, options, spans);
}

test('the diagram of a broken call shows the cut', () => {
  const { spans } = readFixtureDrawing('split-trace/broken.txt');
  const lines = render(spans).split('\n');
  assert.equal(lines[0], '## Trace context propagation: BROKEN');
  const start = lines.indexOf('```mermaid');
  assert.equal(lines[start + 1], 'sequenceDiagram');
  const diagram = lines.slice(start, lines.indexOf('```', start)).join('\n');
  assert.match(diagram, / {2}participant s0 as \S+\n {2}participant s1 as \S+\n/);
  assert.match(
    diagram,
    / {2}s0-xs1: .+\n {2}Note over s1: the context is lost here#58; the span below is the root of a trace of its own$/m,
  );
});

test('without spans there is an explanation and no diagram', () => {
  const { spans } = readFixtureDrawing('split-trace/broken.txt');
  const text = render([], spans);
  assert.doesNotMatch(text, /mermaid/);
  assert.match(text, /✗ One request, two traces \(split-trace\)/);
});

test('an intact result has a headline and the table of edges', () => {
  const { spans } = readFixtureDrawing('split-trace/healthy.txt');
  const text = render(spans);
  assert.match(text, /^## Trace context propagation: INTACT\n/);
  assert.match(text, /^\| ✅ ` \S+ → \S+ ` \| \w+ \| \d+ \| 0 \|$/m);
  assert.doesNotMatch(text, /^###/m);
});

test('names of services become neither markup nor syntax of a diagram', () => {
  const { spans } = readFixtureDrawing('split-trace/broken.txt');
  const name = 'a|b```c\n@team <img> ;end#x';
  const hostile = spans.map((span) => ({ ...span, serviceName: `${name}${span.serviceName}` }));
  const text = render(hostile);
  assert.match(text, /^\| ❌ ```` a\\\|b```c\\x0a@team <img> ;end#x\S+ → /m);
  assert.match(
    text,
    /^ {2}participant s0 as a#124;b#96;#96;#96;c#92;x0a#64;team #60;img#62; #59;#101;nd#35;x/m,
  );
  const fences = text.match(/^`{3,}(?:text|mermaid)?$/gm) ?? [];
  assert.equal(fences.length % 2, 0);
});
