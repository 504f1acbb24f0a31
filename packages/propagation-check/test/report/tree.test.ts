import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { type Expectation, expectPath, noExpectation } from '../../src/expect/expectation.ts';
import type { ReportDetails } from '../../src/report/json.ts';
import type { Layout } from '../../src/report/layout.ts';
import { toAscii } from '../../src/report/to-ascii.ts';
import { renderTree } from '../../src/report/tree.ts';
import type { Span } from '../../src/span/span.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { drawSplitCall, drawTrace } from '../draw-trace.ts';
import { readFixtureDrawing } from '../engine/read-fixture-drawing.ts';

const details: ReportDetails = { source: 'file=spans.json', reason: null, notes: [], collector: null };
const expectation = { ...noExpectation, edges: expectPath(['service-a', 'service-b']) };

const stripped = drawTrace(`
  trace a
  SERVER service-a GET /call-b      a1   0..40 http.request.method=GET url.path=/call-b
    CLIENT service-a GET            a3   8..28 http.request.method=GET url.full=http://service-b/work http.request.header.traceparent=00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-a3a3a3a3a3a3a3a3-01 http.request.header.baggage=user=1 http.request.header.tracestate=x=1
  trace b
  SERVER service-b GET /work        b1  19..27 http.request.method=GET url.path=/work http.request.header.traceparent=[]
    INTERNAL service-b query        b2  20..25
`);

const intact = drawTrace(`
  SERVER service-a GET /call-b            a1   0..40 http.request.method=GET url.path=/call-b
    INTERNAL service-a handler            a2   4..30
      CLIENT service-a GET                a3   8..28 http.request.method=GET url.full=http://service-b/work
        SERVER service-b GET /work/:id    b1  19..27 http.request.method=GET url.path=/work/7
          CLIENT service-b SELECT         b2  20..25 db.system=postgresql
    INTERNAL service-a end                a9  31..38
`);

function render(
  spans: readonly Span[],
  layout: Partial<Layout>,
  expected: Expectation = expectation,
): string {
  const result = checkTraces(spans, { expectation: expected });
  return renderTree(result, details, spans, { width: 80, color: false, ...layout });
}

/** The drawing without the prose, which has other tests. */
function drawingOf(text: string): string {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.startsWith('  trace '));
  const last = lines.findIndex((line) => /^ {2}(?:may be|to decide|fix) /.test(line));
  return `${lines.slice(first, last < 0 ? -1 : last).join('\n')}\n`;
}

const cases = { split: drawSplitCall(), stripped, intact } as const;

suite('the picture for people at a terminal', () => {
  for (const [name, spans] of Object.entries(cases)) {
    for (const width of [60, 80, 200]) {
      // To update the drawings: `node scripts/run.mjs --test --test-update-snapshots FILE`. Then look at them.
      test(`${name}, ${width} columns`, (t) => {
        const text = drawingOf(render(spans, { width }));
        t.assert.fileSnapshot(text, join(import.meta.dirname, `tree/${name}-${width}.txt`), {
          serializers: [String],
        });
      });
    }
  }

  test('the README shows one of these drawings', async () => {
    const readme = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8');
    const [, drawing] = render(stripped, {}).split(/^(?=✗ The)/m);
    assert.ok(drawing !== undefined && readme.includes(`\n\`\`\`\n${drawing}\`\`\`\n`));
  });

  test('a broken edge fits one screen of 80 columns and 24 lines, with the prompt below it', () => {
    for (const spans of [cases.split, cases.stripped])
      assert.ok(render(spans, {}).split('\n').length <= 24, render(spans, {}));
  });

  test('a caller without a span of its call is shown by its request', async (t) => {
    const drawing = readFixtureDrawing('client-not-instrumented/broken.txt');
    const text = drawingOf(render(drawing.spans, {}, drawing.expectation));
    t.assert.fileSnapshot(text, join(import.meta.dirname, 'tree/client-not-instrumented-80.txt'), {
      serializers: [String],
    });
  });

  test('colours change only colours', () => {
    for (const spans of Object.values(cases)) {
      const coloured = render(spans, { color: true });
      assert.notEqual(coloured, render(spans, {}));
      assert.equal(stripVTControlCharacters(coloured), render(spans, {}));
    }
  });

  test('without UTF-8 each character is replaced by one ASCII character, in the same column', (t) => {
    const text = drawingOf(render(stripped, {}));
    t.assert.fileSnapshot(toAscii(text), join(import.meta.dirname, 'tree/stripped-ascii.txt'), {
      serializers: [String],
    });
    assert.deepEqual(
      toAscii(text)
        .split('\n')
        .map(({ length }) => length),
      text.split('\n').map(({ length }) => length),
    );
  });

  test('no line of a drawing is wider than the terminal, whatever the names', () => {
    const wide = intact.map((span, index) => ({
      ...span,
      serviceName: index < 4 ? '注文サービス'.repeat(3) : span.serviceName,
      name: `👩‍👩‍👧 ${'große Straße '.repeat(9)}`,
    }));
    for (const width of [20, 39, 60, 80, 200]) {
      const lines = render(wide, { width }, noExpectation).split('\n');
      const drawn = lines.slice(lines.findIndex((line) => line.startsWith('  trace ')) + 1);
      assert.ok(drawn.length > wide.length);
      const widest = Math.max(
        ...drawn.filter((line) => !line.startsWith('·')).map((line) => stringWidth(line)),
      );
      assert.ok(widest <= width, `${widest} of ${width}:\n${lines.join('\n')}`);
    }
  });

  test('a clock that runs ahead, spans without a duration and a cycle are drawn', () => {
    const [root, ...others] = intact;
    assert.ok(root !== undefined);
    const odd = [
      { ...root, endTimeUnixNano: root.startTimeUnixNano - 5_000_000n },
      ...others.map((span) => ({ ...span, endTimeUnixNano: span.startTimeUnixNano })),
      { ...root, spanId: 'f'.repeat(16), parentSpanId: 'e'.repeat(16) },
      { ...root, spanId: 'e'.repeat(16), parentSpanId: 'f'.repeat(16) },
    ];
    assert.match(render(odd, {}), /its parents form a cycle/);
    assert.match(render([{ ...root, endTimeUnixNano: root.startTimeUnixNano }], {}, noExpectation), /━/);
  });

  test('after three findings only titles are shown', () => {
    const many = ['c', 'd', 'e', '9', '8'].flatMap((id) =>
      drawSplitCall().map((span) => ({
        ...span,
        traceId: `${id}${span.traceId.slice(1)}`,
        serviceName: `${span.serviceName}-${id}`,
        attributes: new Map(
          [...span.attributes].map(([key, value]) => [
            key,
            key === 'url.full' ? `http://service-b-${id}/work` : value,
          ]),
        ),
      })),
    );
    const text = render(many, {}, noExpectation);
    assert.equal(text.match(/✂/g)?.length, 3, text);
    assert.equal(text.match(/^✗ .*\(split-trace/gm)?.length, 5, text);
  });
});
