import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportShape } from '../../scripts/report-shape.ts';
import { renderHtml } from '../../src/report/html/render-html.ts';
import { renderJson } from '../../src/report/json.ts';
import { renderMarkdown } from '../../src/report/markdown.ts';
import { renderTerminal } from '../../src/report/terminal.ts';
import { renderTree } from '../../src/report/tree.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readFixtureDrawing } from '../engine/read-fixture-drawing.ts';

const details = { source: 'a file', reason: null, notes: [], collector: null };
const options = { width: 100, color: false, docsRoot: '' };

test('facts that broken calls share are in every report for people, escaped, and in JSON', () => {
  const { spans } = readFixtureDrawing('split-trace/broken-caller-replica.txt');
  const hostile = spans.map((span) => {
    const id = span.resource.get('service.instance.id');
    const { traceId, spanId, parentSpanId, traceState, flags, name, kind, attributes, links, status } = span;
    const { startTimeUnixNano, endTimeUnixNano, serviceName, scopeName } = span;
    return {
      ...{ traceId, spanId, parentSpanId, traceState, flags, name, kind, attributes, links, status },
      ...{ startTimeUnixNano, endTimeUnixNano, serviceName, scopeName },
      resource: id === undefined ? span.resource : new Map([['service.instance.id', `\u001b[31m${id}`]]),
    };
  });
  const result = checkTraces(hostile);
  for (const text of [
    renderTerminal(result, details, options),
    renderTree(result, details, hostile, options),
  ]) {
    assert.match(
      text,
      /^ {2}facts {5}all 5 calls come from web with service\.instance\.id=.+two; the 5 whole ones come/m,
    );
    assert.ok(!text.includes('\u001b'));
  }
  for (const report of [
    renderHtml(result, details, hostile, ''),
    renderMarkdown(result, details, options, hostile),
  ]) {
    assert.match(report, /all 5 calls come from web with/);
    assert.ok(!report.includes('\u001b'));
  }
  const [finding] = reportShape.parse(JSON.parse(renderJson(result, details))).findings;
  assert.equal(finding?.facts?.length, 1);
});
