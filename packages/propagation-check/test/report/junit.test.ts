import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { validateXML } from 'xmllint-wasm';
import { expectPath, noExpectation } from '../../src/expect/expectation.ts';
import { renderJunit } from '../../src/report/junit.ts';
import type { Span } from '../../src/span/span.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readFixtureDrawing } from '../engine/read-fixture-drawing.ts';

const schema = readFileSync(new URL('junit.xsd', import.meta.url), 'utf8');
const details = { source: 'a file', reason: null, notes: [], collector: null };
const options = { width: 100, color: false, docsRoot: '' };

function render(spans: readonly Span[], expectation = noExpectation, reason: string | null = null): string {
  return renderJunit(checkTraces(spans, { expectation }), { ...details, reason }, options);
}

async function assertValid(xml: string): Promise<void> {
  const { valid, errors } = await validateXML({
    xml: { fileName: 'report.xml', contents: xml },
    schema,
  });
  assert.ok(valid, `${errors.map((error) => error.rawMessage).join('\n')}\n${xml}`);
}

test('an intact edge is a test case that passes', async () => {
  const { spans } = readFixtureDrawing('split-trace/healthy.txt');
  const xml = render(spans);
  await assertValid(xml);
  assert.match(xml, /<testsuites name="propagation-check" tests="\d+" failures="0" errors="0">/);
  assert.match(xml, /<testcase classname="propagation-check" name="\S+ → \S+"\/>/);
});

test('a broken edge is a test case that fails, with the explanation of the terminal', async () => {
  const { spans, expectation } = readFixtureDrawing('split-trace/broken.txt');
  const xml = render(spans, expectation);
  await assertValid(xml);
  assert.match(xml, / tests="\d+" failures="1" errors="0">/);
  assert.match(
    xml,
    /<failure type="split-trace" message="One request, two traces \(split-trace\), 1 call">✗ One request, two traces/,
  );
});

test('a broken edge of messages counts messages', () => {
  const { spans, expectation } = readFixtureDrawing('split-trace/broken-messages-of-one.txt');
  assert.match(render(spans, expectation), /<failure type="split-trace" message="[^"]+, 3 messages">/);
});

test('a trace that did not arrive is an error, and never an empty report', async () => {
  const xml = render([], noExpectation, 'no span arrived');
  await assertValid(xml);
  assert.match(xml, / tests="1" failures="0" errors="1">/);
  assert.match(xml, /<testcase [^>]+ name="verdict">\n<error type="unknown" message="no span arrived"\/>/);
});

test('characters that XML forbids become their codes, and markup is escaped', async () => {
  const name = '\u0000\u001b[2J\ufffe\ud800]]>"<a>&amp;\'😀';
  const edges = expectPath(['web', 'orders', name]);
  const { spans } = readFixtureDrawing('split-trace/healthy.txt');
  const xml = render(spans, { ...noExpectation, edges });
  await assertValid(xml);
  assert.match(xml, /\\x00\\x1b\[2J\\u\{fffe\}\ufffd\]\]&gt;&quot;&lt;a&gt;&amp;amp;&apos;😀/);
});
