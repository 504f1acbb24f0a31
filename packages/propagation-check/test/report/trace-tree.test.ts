import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderTraceTrees } from '../../src/report/trace-tree.ts';
import type { Span } from '../../src/span/span.ts';
import { drawTrace, spanId, traceId } from '../draw-trace.ts';

const layout = { width: 100, color: false } as const;

describe('a trace as a tree', () => {
  it('shows kind, service, name, id, start and duration, children by start', () => {
    const spans = drawTrace(`
      trace a
      SERVER service-a GET /call-b      a1   0..40
        CLIENT service-a GET            a3   8..28
          SERVER service-b GET /work    b1  19..27
        INTERNAL service-a before       a2   1..2
    `);
    const expected = [
      `trace ${traceId('a')}`,
      'SERVER service-a GET /call-b      a1a1a1a1a1a1a1a1   +0.0 ms  40.0 ms',
      '├─ INTERNAL service-a before      a2a2a2a2a2a2a2a2   +1.0 ms   1.0 ms',
      '└─ CLIENT service-a GET           a3a3a3a3a3a3a3a3   +8.0 ms  20.0 ms',
      '   └─ SERVER service-b GET /work  b1b1b1b1b1b1b1b1  +19.0 ms   8.0 ms',
    ];
    assert.equal(renderTraceTrees(spans, layout), expected.join('\n'));
  });

  it('shows several traces with offsets from one origin', () => {
    const spans = drawTrace(`
      trace a
      SERVER service-a GET /call-b   a1   0..40
      trace b
      SERVER service-b GET /work     b1  19..27
    `);
    const text = renderTraceTrees(spans, layout);
    assert.match(text, new RegExp(`\n\ntrace ${traceId('b')}\n`));
    assert.match(text, /b1b1b1b1b1b1b1b1 {2}\+19\.0 ms/);
  });

  it('notes a missing parent', () => {
    const spans = drawTrace(`
      trace a
      SERVER service-b GET /work   b1 <- a3  19..27
    `);
    assert.match(renderTraceTrees(spans, layout), /its parent a3a3a3a3a3a3a3a3 is not in this trace/);
  });

  it('terminates for cycles and spans that are their own parent, and shows each span once', () => {
    const spans = drawTrace(`
      trace a
      INTERNAL x one   c1 <- c2  1..2
      INTERNAL x two   c2 <- c1  3..4
      INTERNAL x self  c3 <- c3  5..6
    `);
    const text = renderTraceTrees(spans, layout);
    for (const id of ['c1', 'c2', 'c3']) assert.equal(text.split(`${spanId(id)}  +`).length, 2, id);
    assert.match(text, /form a cycle/);
  });

  it('terminates for spans with equal ids', () => {
    const spans = drawTrace(`
      trace a
      SERVER x one      c1  1..2
        INTERNAL x two  c2  3..4
      CLIENT x three    c1  5..6
    `);
    assert.equal(renderTraceTrees(spans, layout).split('\n').length, 4);
  });

  it('cuts a long trace', () => {
    const [root] = drawTrace('SERVER x one  c1  1..2');
    assert.ok(root);
    const wide = Array.from({ length: 100_000 }, (_, index) => child(root, index + 1, root.spanId));
    const deep = Array.from({ length: 100_000 }, (_, index) =>
      child(root, index + 1, index === 0 ? root.spanId : toId(index)),
    );
    for (const spans of [wide, deep]) {
      const text = renderTraceTrees([root, ...spans], layout);
      assert.match(text, /… and 99801 more spans$/);
      assert.ok(text.split('\n').every((line) => line.length <= layout.width));
    }
  });

  it('is empty without spans', () => {
    assert.equal(renderTraceTrees([], layout), '');
  });
});

function child(root: Span, index: number, parentSpanId: string): Span {
  return { ...root, spanId: toId(index), parentSpanId };
}

function toId(index: number): string {
  return index.toString(16).padStart(16, '0');
}
