import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { escapeText } from '../../src/report/escape-text.ts';
import { renderGithub } from '../../src/report/github.ts';
import { renderJson } from '../../src/report/json.ts';
import { renderJunit } from '../../src/report/junit.ts';
import { renderMarkdown } from '../../src/report/markdown.ts';
import { renderTerminal } from '../../src/report/terminal.ts';
import { renderTraceTrees } from '../../src/report/trace-tree.ts';
import { renderTree } from '../../src/report/tree.ts';
import type { Span } from '../../src/span/span.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { cases } from '../cases.ts';
import { hostileSpans } from '../engine/generate-system.ts';

/** A fixed seed, so that every run tries the same texts. A failure prints a seed and a path, which are to be added here. */
const seed = 20261124;

const dangers = [
  ...[
    '\u001b[2J',
    '\u001b]0;title\u0007',
    '\u009b31m',
    '\u0090q',
    '\u0085',
    '\r',
    '\n',
    '\t',
    '\0',
    '\u007f',
  ],
  ...[
    '\u202e',
    '\u2066',
    '\u200f',
    '\u061c',
    '\u2028',
    '\u2029',
    '\ufeff',
    '\u00ad',
    '\u{e0041}',
    '\ud800',
    '\udc00',
  ],
  ...['::error::', ' ::set-output name=x::', '##[error]', '##vso[task.complete]', '#', ':', ' '],
  ...['<script>alert(1)</script>', '&lt;', ']]>', '"', '\\', '\\u001b', '%0A', '😀', 'a'],
];
const hostileText = fc
  .array(fc.oneof(fc.constantFrom(...dangers), fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 8 })
  .map((parts) => parts.join(''));

/** Every text from outside is hostile. There are few different texts, so that services still call each other. */
const spans: fc.Arbitrary<readonly Span[]> = fc
  .tuple(hostileSpans, fc.array(hostileText, { minLength: 3, maxLength: 6 }))
  .map(([list, texts]) =>
    list.map((span, index) => {
      const text = (offset: number) => texts[(index + offset) % texts.length] ?? '';
      const attributes = [...span.attributes].map(([key, value], at) =>
        at % 2 === 0 && typeof value === 'string' ? ([key, text(at)] as const) : ([key, value] as const),
      );
      return {
        ...span,
        serviceName: text(0),
        name: text(1),
        scopeName: text(2),
        attributes: new Map(attributes),
      };
    }),
  );

const control = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

function assertHarmless(text: string): void {
  assert.doesNotMatch(text, control, 'no character that a terminal obeys or that reorders text');
  assert.doesNotMatch(text, /^\s*::/m, 'no command of GitHub Actions');
  assert.doesNotMatch(text, /##/, 'no command of Azure Pipelines, nor an old one of GitHub Actions');
}

const color = new RegExp(`${String.fromCharCode(0x1b)}\\[\\d{1,2}m`, 'g');

/** Removes the colours, which the report adds itself. */
function removeColors(text: string): string {
  return text.replace(color, '');
}

test('reports of hostile spans contain no control characters and no commands of build logs', () => {
  const layout = fc.record({ width: fc.integer({ min: 1, max: 200 }), color: fc.boolean() });
  fc.assert(
    fc.property(spans, hostileText, layout, (list, text, { width, color }) => {
      const result = checkTraces(list, {
        expectation: {
          edges: [{ client: list[0]?.serviceName ?? text, server: text, rule: 'must' }],
          baggage: { [text]: text },
          toleratedPeers: [],
          traceresponse: [text],
        },
      });
      const collector = { name: text, accepted: 1, refused: 1, sent: 1, sendFailed: 1, enqueueFailed: 1 };
      const details = { source: text, reason: text, notes: [text, `x${text}`], collector };
      assertHarmless(removeColors(renderTerminal(result, details, { width, color, docsRoot: `${text}/` })));
      assertHarmless(removeColors(renderTraceTrees(list, { width, color })));
      assertHarmless(removeColors(renderTree(result, details, list, { width, color })));
      const options = { width, color, docsRoot: `${text}/` };
      assertHarmless(renderJunit(result, details, options));
      // Without headings: they begin with `##`, as commands of Azure Pipelines do.
      assertHarmless(renderMarkdown(result, details, options, list).replace(/^#{2,3} /gm, ''));
      const commands = renderGithub(result, details, options).trimEnd().split('\n');
      for (const command of commands)
        assert.match(command, /^::(?:error|warning|notice) title=[^:,]+::[^\r]*$/);
      assertHarmless(commands.map((command) => command.replace(/^::\w+ title=[^:]+::/, '')).join('\n'));
      const json = renderJson(result, details);
      assertHarmless(json);
      assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify({ ...result, ...details })));
    }),
    { seed, numRuns: cases(500) },
  );
});

test('an escaped text is harmless anywhere, and a harmless text is not changed', () => {
  fc.assert(
    fc.property(hostileText, hostileText, (left, right) =>
      assertHarmless(`${escapeText(left)} ${escapeText(right)}`),
    ),
    { seed, numRuns: cases(2_500) },
  );
  for (const text of ['GET /orders/:id', 'a::b', 'C#', 'Zürich 😀 東京', 'std::vector']) {
    assert.equal(escapeText(text), text);
  }
});
