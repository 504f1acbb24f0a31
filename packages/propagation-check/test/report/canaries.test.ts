/**
 * Puts secrets that instrumentations leave in spans into every drawing of a finding. No report may print them, and the findings must stay
 * the same.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { renderGithub } from '../../src/report/github.ts';
import { renderHtml } from '../../src/report/html/render-html.ts';
import { renderJson } from '../../src/report/json.ts';
import { renderJunit } from '../../src/report/junit.ts';
import { renderMarkdown } from '../../src/report/markdown.ts';
import { renderTerminal } from '../../src/report/terminal.ts';
import { renderTraceTrees } from '../../src/report/trace-tree.ts';
import { renderTree } from '../../src/report/tree.ts';
import { findHeaderSetting } from '../../src/rules/header-settings.ts';
import type { AttributeValue, Span } from '../../src/span/span.ts';
import { hideSecrets } from '../../src/util/hide-secrets.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import type { Result } from '../../src/verdict/result.ts';
import { readDrawing } from '../engine/read-drawing.ts';

const folder = join(import.meta.dirname, '../../fixtures');
const layout = { width: 100, color: false, docsRoot: '' };
const details = { source: 'a file', reason: null, notes: [], collector: null };

const urls = new Set(['url.full', 'http.url', 'http.target', 'url.path']);

/** Adds a query, user and password to each URL in attributes, and attributes that hold only secrets. */
function poisonAttributes(span: Span): Span {
  const poisoned = [...span.attributes].map(([key, value]): [string, AttributeValue] =>
    urls.has(key) && typeof value === 'string'
      ? [key, `${value.replace('://', '://canary-user:canary-password@')}?token=canary-query`]
      : [key, value],
  );
  const added = [
    ['url.query', 'token=canary-query'],
    ['http.request.header.authorization', ['Bearer canary-authorization']],
    ['http.request.header.cookie', ['session=canary-cookie']],
    // Not on spans that show that their service records headers: the finding would no longer advise to record them.
    ...(findHeaderSetting(span) === null
      ? [['http.request.header.baggage', ['user=canary-baggage']] as const]
      : []),
    ['baggage.user', 'canary-baggage'],
    ['client.address', 'canary-address'],
    ['enduser.id', 'canary-user'],
  ] as const;
  return {
    ...span,
    attributes: new Map([...poisoned, ...added]),
    resource: new Map([...span.resource, ['process.command_args', '--token=canary-argument']]),
    traceState: 'vendor=canary-tracestate',
    status: { ...span.status, message: 'canary-message' },
  };
}

/** Makes the name a whole URL. This changes what the span says about its call. */
function poisonName(span: Span): Span {
  return { ...span, name: `GET http://canary-user:canary-password@h${span.name}/a?token=canary-name&b=c` };
}

for (const file of globSync('*/*.txt', { cwd: folder }).sort()) {
  suite(file, () => {
    const { spans, expectation, headers } = readDrawing(readFileSync(join(folder, file), 'utf8'));
    const check = (poisoned: readonly Span[]) => checkTraces(poisoned, { expectation, headers });

    test('secrets in attributes change no finding and appear in no report', () => {
      const poisoned = spans.map(poisonAttributes);
      const result = check(poisoned);
      assert.deepEqual(result, check(spans));
      assertNoCanary(result, poisoned);
    });

    test('secrets in names appear in no report', () => {
      const poisoned = spans.map(poisonName);
      assertNoCanary(check(poisoned), poisoned);
    });
  });
}

function assertNoCanary(result: Result, spans: readonly Span[]): void {
  const reports = [
    renderJson(result, details),
    renderTerminal(result, details, layout),
    renderJunit(result, details, layout),
    renderGithub(result, details, layout),
    renderMarkdown(result, details, layout, spans),
    renderTraceTrees(spans, layout),
    renderTree(result, details, spans, layout),
    renderHtml(result, details, spans, ''),
  ];
  for (const report of reports) {
    assert.deepEqual(
      report.split('\n').filter((line) => line.includes('canary')),
      [],
    );
  }
}

suite('a text about spans', () => {
  const rows = [
    ['GET /a?token=x', 'GET /a?REDACTED'],
    ['"GET /a?b" of shop; "GET /c?d=e f"', '"GET /a?REDACTED" of shop; "GET /c?REDACTED f"'],
    ['http://u:p@h:80/a?b#c', 'http://REDACTED@h:80/a?REDACTED'],
    ['https://token@h', 'https://REDACTED@h'],
    ['http://h?token=x', 'http://h?REDACTED'],
    ['is it lost? a=b', 'is it lost? a=b'],
    ['mail@h.example and a@b', 'mail@h.example and a@b'],
    ['GET /users/:id', 'GET /users/:id'],
  ] as const;
  for (const [text, expected] of rows) test(text, () => assert.equal(hideSecrets(text), expected));
});
