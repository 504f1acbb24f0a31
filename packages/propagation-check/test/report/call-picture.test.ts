import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { prepareCalls } from '../../src/report/call-picture.ts';
import { renderHtml } from '../../src/report/html/render-html.ts';
import { renderTree } from '../../src/report/tree.ts';
import type { FindingId } from '../../src/rules/finding.ts';
import { checkFixtureDrawing, readFixtureDrawing } from '../engine/read-fixture-drawing.ts';

const details = { source: 'a file', reason: null, notes: [], collector: null };

/** Finding and fixture; kinds of the spans above the cut; the text at the cut; kinds of the spans below it. */
const pictures: readonly (readonly [FindingId, string, string, string | null, string])[] = [
  ['clock-skew', 'shown-ahead', '', null, 'SERVER CLIENT SERVER'],
  ['service-unnamed', 'shown', '', null, 'SERVER CLIENT SERVER'],
  ['unexpected-edge', 'broken', '', null, 'SERVER CLIENT SERVER'],
  ['baggage-lost', 'broken', '', null, 'SERVER CLIENT SERVER'],
  [
    'trace-id-truncated',
    'broken',
    'SERVER CLIENT',
    'the parent of the span below, ID, is the span above, but the trace id is another',
    'SERVER',
  ],
  [
    'header-passed-through',
    'broken',
    'CLIENT SERVER',
    'the parent of the span below, ID, is of load: it is not the span of this call',
    'SERVER',
  ],
  ['client-span-lost', 'broken', '', 'the parent of the span below, ID, is not here', 'SERVER'],
  [
    'wrong-parent',
    'broken',
    'SERVER CLIENT',
    'the parent of the span below, ID, is not the span of the call',
    'SERVER',
  ],
  [
    'parent-dropped',
    'broken',
    'SERVER CLIENT',
    'the parent is lost here: the span below is a second root of the trace',
    'SERVER CLIENT SERVER',
  ],
  [
    'stale-context',
    'broken',
    'SERVER',
    'the call below belongs to another request than the one above',
    'CLIENT SERVER',
  ],
  [
    'stale-context',
    'broken-header',
    'SERVER CLIENT',
    'the parent of the span below, ID, is not the span of the call',
    'SERVER',
  ],
  ['context-lost-in-process', 'broken', '', 'the context was lost before this trace began', 'CLIENT SERVER'],
  ['context-lost-in-process', 'broken-work', '', 'the context was lost before this trace began', 'INTERNAL'],
  ['span-lost-in-service', 'shown', '', 'the parent of the span below, ID, is not here', 'CLIENT'],
];

describe('the picture of a call: the cut is where spans do not belong together, and its text says what they show', () => {
  for (const [findingId, fixture, ...expected] of pictures)
    it(`${findingId}, ${fixture}`, () => {
      const name = `${findingId}/${fixture}.txt`;
      const finding = checkFixtureDrawing(name).findings.find(({ id }) => id === findingId);
      const [evidence] = finding?.evidence ?? [];
      assert.ok(evidence !== undefined);
      const picture = prepareCalls(readFixtureDrawing(name).spans)(findingId, evidence);
      assert.ok(picture !== null);
      const [above, below] = [picture.above, picture.below].map((spans) =>
        spans.map(({ kind }) => kind).join(' '),
      );
      const cut = picture.cut?.replace(/[0-9a-f]{16}/, 'ID') ?? null;
      assert.deepEqual([above, cut, below], expected);
    });

  it('both reports draw a call without a break without a cut', () => {
    const name = 'clock-skew/shown-ahead.txt';
    const { spans } = readFixtureDrawing(name);
    const result = checkFixtureDrawing(name);
    const tree = renderTree(result, details, spans, { width: 80, color: false });
    const html = renderHtml(result, details, spans, '');
    assert.match(tree, /^ {2}trace .*\n {2}web SERVER .*\n {2}└─ web CLIENT .*\n {5}└─ orders SERVER /m);
    assert.match(html, /aria-label="The call"/);
    for (const report of [tree, html]) assert.doesNotMatch(report, /✂/);
  });
});
