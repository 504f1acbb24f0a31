import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeOtlpJson } from '../../src/decode/otlp-json.ts';
import { SpanBuffer } from '../../src/source/span-buffer.ts';
import type { Span } from '../../src/span/span.ts';
import { cases } from '../cases.ts';
import { otlpRequest, otlpSpan } from '../decode/fixture.ts';
import { kept, viewsOf } from '../span/views-of.ts';

const seed = 20261128;
const noLimits = { maxSpans: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY };
let made = 0;

function makeSpan(trace: number) {
  made += 1;
  return otlpSpan({
    traceId: (trace + 1).toString(16).padStart(32, '0'),
    spanId: made.toString(16).padStart(16, '0'),
    name: `span ${made}`,
    attributes: [{ key: 'url.path', value: { stringValue: `/${made}` } }],
  });
}

function add(buffer: SpanBuffer, ...spans: readonly ReturnType<typeof otlpSpan>[]): readonly Span[] {
  const document = otlpRequest(...spans);
  buffer.add({ signal: 'traces', type: 'application/json', body: Buffer.from(JSON.stringify(document)) });
  return kept(decodeOtlpJson(document));
}

/** A model of the buffer with objects: it drops whole traces, the oldest first, and their late spans. */
function keepNewest(spans: readonly Span[], maxSpans: number): readonly Span[] {
  const traces = new Map<string, Span[]>();
  const dropped = new Set<string>();
  for (const span of spans) {
    if (dropped.has(span.traceId)) continue;
    traces.set(span.traceId, [...(traces.get(span.traceId) ?? []), span]);
    while ([...traces.values()].flat().length > maxSpans) {
      const [oldest = ''] = traces.keys();
      traces.delete(oldest);
      dropped.add(oldest);
    }
  }
  return [...traces.values()].flat();
}

test('the buffer has the same spans as a model with objects, whatever is dropped and read in between', () => {
  const step = fc.record({ trace: fc.nat(12), isRead: fc.boolean(), isStored: fc.nat(4) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 12 }), (steps, maxSpans) => {
      const buffer = new SpanBuffer({ ...noLimits, maxSpans });
      const arrived: Span[] = [];
      for (const { trace, isRead, isStored } of steps) {
        arrived.push(...add(buffer, makeSpan(trace)));
        if (isRead) buffer.all();
        if (isStored === 0) assert.deepEqual(viewsOf(buffer.store()).length, buffer.all().length);
      }
      const expected = keepNewest(arrived, maxSpans);
      assert.deepEqual(buffer.all(), expected);
      assert.deepEqual(
        viewsOf(buffer.store()).toSorted((a, b) => (a.spanId < b.spanId ? -1 : 1)),
        expected.toSorted((a, b) => (a.spanId < b.spanId ? -1 : 1)),
      );
      assert.equal(buffer.droppedSpans, arrived.length - expected.length);
      for (const { traceId } of expected)
        assert.deepEqual(
          buffer.trace(traceId),
          expected.filter((span) => span.traceId === traceId),
        );
    }),
    { seed, numRuns: cases(150) },
  );
});

test('rows of dropped traces do not accumulate', () => {
  const maxSpans = 50;
  const buffer = new SpanBuffer({ ...noLimits, maxSpans });
  for (let request = 0; request < 600; request += 1)
    add(buffer, ...Array.from({ length: 40 }, () => makeSpan(request)));
  assert.equal(buffer.droppedSpans, 599 * 40);
  assert.equal(buffer.all().length, 40);
  assert.ok(buffer.rows <= 10_000, `${buffer.rows}`);
});

test('each read returns the same object for a span', () => {
  const buffer = new SpanBuffer(noLimits);
  add(buffer, makeSpan(1));
  assert.equal(buffer.all()[0], buffer.all()[0]);
});
