import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { buildTraceGraph, findTop, isBelow, isOrphan, type TraceGraph } from '../../src/graph/trace-graph.ts';
import type { Span } from '../../src/span/span.ts';
import { drawTrace } from '../draw-trace.ts';

const [pattern] = drawTrace('SERVER orders GET  b2  10..20');
const trace = 'feedfacecafebeef0000000000000001';

function draw(id: string, parent: string | null, more: Partial<Span> = {}): Span {
  assert.ok(pattern);
  const spanId = id.padStart(16, '0');
  return { ...pattern, traceId: trace, spanId, parentSpanId: parent?.padStart(16, '0') ?? null, ...more };
}

/** Each span with its parent, by the last digits of their ids. */
function tell(graph: TraceGraph): readonly string[] {
  const name = ({ spanId }: Span): string => spanId.replace(/^0+/, '');
  return graph.spans.map((span) => {
    const parent = graph.parentOf(span);
    return `${name(span)} ${parent === null ? '-' : name(parent)}`;
  });
}

suite('a graph', () => {
  test('relates spans within a trace, in any order', () => {
    const spans = [
      draw('c', 'b'),
      draw('a', null),
      draw('b', 'a'),
      draw('d', 'a', { traceId: `b${trace.slice(1)}` }),
    ];
    assert.deepEqual(tell(buildTraceGraph(spans)), ['d -', 'a -', 'b a', 'c b']);
    assert.deepEqual(tell(buildTraceGraph([...spans].reverse())), ['d -', 'a -', 'b a', 'c b']);
  });

  test('lists the spans that were open between two times, of many', () => {
    const spans = Array.from({ length: 10_000 }, (_, at) => {
      const start = BigInt(1 + at + ((at * 7) % 13));
      return draw(String(at), null, { startTimeUnixNano: start, endTimeUnixNano: start + BigInt(at % 50) });
    });
    const graph = buildTraceGraph(spans);
    // Around the end of the first block of rows, and around the last row.
    for (const first of [4_040, 9_980]) {
      for (let from = first; from < first + 150; from += 1) {
        const expected = spans.filter(
          (span) => span.startTimeUnixNano <= from + 2 && span.endTimeUnixNano >= from,
        );
        const time = from - Number(graph.store.origin);
        assert.deepEqual(
          graph.rowsBetween(time, time + 2).map((row) => graph.view(row).spanId),
          expected.map(({ spanId }) => spanId),
          `${from}`,
        );
      }
    }
  });

  test('counts a span that arrived twice once, and of two spans with one id the longer', () => {
    const [short, long] = [draw('a', null, { name: 'short' }), draw('a', null, { name: 'long' })];
    const longer = { ...long, endTimeUnixNano: long.endTimeUnixNano + 1n };
    for (const spans of [
      [short, longer, { ...short }],
      [longer, short],
      [short, short, longer],
    ]) {
      const graph = buildTraceGraph(spans);
      assert.deepEqual(
        [graph.spanCount, graph.traceCount, graph.spans.map(({ name }) => name)],
        [1, 1, ['long']],
      );
    }
  });

  test('gives a SERVER span that shares the id of its CLIENT span an id of its own, and moves its children along', () => {
    const client = draw('a', null, { kind: 'CLIENT', serviceName: 'web' });
    const server = draw('a', null, { kind: 'SERVER', serviceName: 'orders' });
    const below = draw('c', 'a', { kind: 'INTERNAL', serviceName: 'orders' });
    const graph = buildTraceGraph([below, server, client]);
    const [child] = graph.spans.filter(({ kind }) => kind === 'INTERNAL');
    assert.ok(child);
    const parent = graph.parentOf(child);
    assert.equal(parent?.kind, 'SERVER');
    assert.equal(graph.parentOf(parent)?.kind, 'CLIENT');
    assert.equal(graph.spanCount, 3);
  });

  for (const [what, cut] of [
    ['cut to 64 bits', trace.slice(16)],
    ['padded with zeros', '0'.repeat(16) + trace.slice(16)],
  ] as const) {
    test(`finds the parent of a span whose trace id is ${what}`, () => {
      const graph = buildTraceGraph([draw('a', null), draw('b', 'a', { traceId: cut })]);
      assert.deepEqual([tell(graph).toSorted(), graph.traceCount], [['a -', 'b a'], 2]);
    });
  }

  test('of several traces that end with a cut id, takes the span that began last, and from a whole id finds only spans in the cut trace', () => {
    const [cut, other] = [trace.slice(16), `${'1'.repeat(16)}${trace.slice(16)}`];
    const start = pattern?.startTimeUnixNano ?? 0n;
    const graph = buildTraceGraph([
      draw('a', null),
      draw('a', null, { traceId: other, startTimeUnixNano: start + 1n }),
      draw('b', 'a', { traceId: cut }),
      draw('c', 'b', { traceId: other }),
      draw('d', 'c'),
    ]);
    const parentOf = (id: string) => {
      const span = graph.spans.find(({ spanId }) => spanId.endsWith(id));
      const parent = span === undefined ? null : graph.parentOf(span);
      return parent && `${parent.spanId.slice(-1)} ${parent.traceId}`;
    };
    assert.deepEqual([parentOf('b'), parentOf('c'), parentOf('d')], [`a ${other}`, `b ${cut}`, null]);
  });

  test('does not take a trace id with the same last 64 bits for a cut one', () => {
    const other = `${'1'.repeat(16)}${trace.slice(16)}`;
    const graph = buildTraceGraph([draw('a', null), draw('b', 'a', { traceId: other })]);
    assert.deepEqual(tell(graph).toSorted(), ['a -', 'b -']);
    assert.ok(graph.spans.some((span) => isOrphan(graph, span)));
  });

  test('ends a climb in a cycle of hostile data, and at a span that is its own parent', () => {
    const graph = buildTraceGraph([
      draw('a', 'c'),
      draw('b', 'a'),
      draw('c', 'b'),
      draw('d', 'd'),
      draw('e', 'c'),
    ]);
    const [a, b, c, d, e] = graph.spans;
    assert.ok(a && b && c && d && e);
    assert.deepEqual([findTop(graph, e), findTop(graph, b)], [a, a]);
    assert.deepEqual([isBelow(graph, e, a), isBelow(graph, a, c)], [true, false]);
    assert.ok(isOrphan(graph, d));
  });

  test('links lead to spans in the capture, and never to the span itself', () => {
    const [spanA, spanB] = [draw('a', null), draw('b', null, { traceId: `b${trace.slice(1)}` })];
    const links = [spanA, spanB, draw('f', null)].map(({ traceId, spanId }) => ({ traceId, spanId }));
    const graph = buildTraceGraph([spanA, { ...spanB, links }]);
    const [b, a] = graph.spans;
    assert.ok(a && b);
    assert.deepEqual(graph.linkTargetsOf(graph.rowOf(b)), [graph.rowOf(a)]);
    assert.deepEqual(graph.linkTargetsOf(graph.rowOf(a)), []);
  });

  test('is aligned by moving the spans of a resource', () => {
    const resource = new Map([
      ['service.name', 'orders'],
      ['service.instance.id', '1'],
    ]);
    const graph = buildTraceGraph([draw('a', null), draw('b', 'a', { resource })]);
    const aligned = graph.align((at) => (graph.store.resourceTable[at]?.attributes.size === 2 ? 7n : 0n));
    const [b, a] = aligned.spans;
    assert.ok(a && b && pattern);
    assert.equal(b.startTimeUnixNano, pattern.startTimeUnixNano - 7n);
    assert.equal(aligned.parentOf(b), a);
  });
});
