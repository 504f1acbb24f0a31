import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keysOf, viewOf } from '../../src/span/span-store.ts';
import { field, KnownIds, SpanWriter, storeOf } from '../../src/span/span-writer.ts';
import { isRaw } from '../../src/span/value-id.ts';
import { cases } from '../cases.ts';
import { drawTrace } from '../draw-trace.ts';
import { anySpans } from './any-span.ts';
import { kept, viewsOf } from './views-of.ts';

const seed = 20261128;

test('spans come back unchanged, with the kept attributes', () => {
  fc.assert(
    fc.property(anySpans, (spans) => assert.deepEqual(viewsOf(storeOf(spans)), kept(spans))),
    { seed, numRuns: cases(500) },
  );
});

test('batches of several writers give the rows in the order in which they are added', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(2), anySpans), { maxLength: 6 }), (parts) => {
      const whole = new SpanWriter();
      const writers = Array.from({ length: 3 }, () => new SpanWriter());
      const known = writers.map(() => new KnownIds());
      for (const [index, spans] of parts) {
        const [writer, ids] = [writers[index], known[index]];
        assert.ok(writer !== undefined && ids !== undefined);
        for (const span of spans) writer.addSpan(span);
        whole.addBatch(structuredClone(writer.takeBatch()), ids);
      }
      const spans = parts.flatMap(([, part]) => part);
      assert.deepEqual(viewsOf(whole.finish()), kept(spans));
    }),
    { seed, numRuns: cases(250) },
  );
});

test('after a roll-back, a writer continues as if nothing had been written', () => {
  fc.assert(
    fc.property(anySpans, anySpans, anySpans, (first, dropped, last) => {
      const writer = new SpanWriter();
      for (const span of first) writer.addSpan(span);
      const mark = writer.mark();
      for (const span of dropped) writer.addSpan(span);
      writer.rollBack(mark);
      for (const span of last) writer.addSpan(span);
      assert.deepEqual(viewsOf(writer.finish()), kept([...first, ...last]));
    }),
    { seed, numRuns: cases(250) },
  );
});

test('a finished store does not change when its writer continues', () => {
  fc.assert(
    fc.property(anySpans, anySpans, (first, last) => {
      const writer = new SpanWriter();
      for (const span of first) writer.addSpan(span);
      const store = writer.finish();
      for (const span of last) writer.addSpan(span);
      assert.deepEqual(viewsOf(store), kept(first));
    }),
    { seed, numRuns: cases(100) },
  );
});

const [drawn] = drawTrace('CLIENT a GET  a1 0..5 http.route=/work/:id http.request.method=GET');
assert.ok(drawn !== undefined);

/** The most values that are interned of one field. */
const beyondBudget = 5_000;

test('a field of many values does not fill the table, and its spans still come back', () => {
  const spans = Array.from({ length: beyondBudget }, (_, id) => ({
    ...drawn,
    name: `GET /orders/${id}`,
    attributes: new Map([
      ['url.path', `/orders/${id}`],
      ['http.request.method', 'GET'],
    ]),
  }));
  const store = storeOf(spans);
  assert.deepEqual(viewsOf(store), spans);
  assert.ok(store.values.size < 2 * beyondBudget, `${store.values.size} values are interned`);
  assert.ok(isRaw(store.names.at(-1) ?? 0));
});

test('attribute names that are too many to be interned come back, from batches too', () => {
  const spans = Array.from({ length: beyondBudget }, (_, id) => ({
    ...drawn,
    attributes: new Map([
      [`baggage.key-${id}`, 'value'],
      ['http.request.method', 'GET'],
    ]),
  }));
  const writer = new SpanWriter();
  const whole = new SpanWriter();
  const known = new KnownIds();
  for (const [index, span] of spans.entries()) {
    writer.addSpan(span);
    if (index % 100 === 0) whole.addBatch(writer.takeBatch(), known);
  }
  whole.addBatch(writer.takeBatch(), known);
  assert.deepEqual(viewsOf(whole.finish()), spans);
});

test('a row that was not committed leaves nothing to the next one', () => {
  const writer = new SpanWriter();
  writer.addSpan(drawn);
  const mark = writer.mark();
  const row = writer.beginRow();
  for (const column of ['hasShortTraceId', 'traceStates', 'statusMessages'] as const)
    writer.columns[column][row] = 1;
  writer.addAttribute(writer.values.add('http.route', field.key), writer.values.add('/', field.name));
  writer.rollBack(mark);
  writer.beginRow();
  writer.commit();
  const { traceId, traceState, status, attributes } = viewOf(writer.finish(), 1);
  assert.deepEqual(
    [traceId.length, traceState, status.message, attributes.size],
    [drawn.traceId.length, '', '', 0],
  );
});

test('equal values of a field have one id, and find returns the id of an attribute name', () => {
  const store = storeOf([drawn, { ...drawn, spanId: '1'.repeat(16) }]);
  const key = store.values.find('http.route');
  assert.ok(key !== null);
  const found = [0, 1].flatMap((row) => {
    const place = keysOf(store, row).indexOf(key);
    return place < 0 ? [] : [store.attributeValues[(store.attributeStarts[row] ?? 0) + place] ?? -1];
  });
  assert.equal(found.length, 2);
  assert.equal(new Set(found).size, 1);
  assert.equal(store.values.decode(found[0] ?? -1), '/work/:id');
  assert.equal(store.values.find('nowhere'), null);
});

test('an invalid id is rejected', () => {
  assert.throws(() => storeOf([{ ...drawn, spanId: 'xyz' }]), RangeError);
});

test('the memory of a writer includes the texts of resources and the ids of links', () => {
  const [span] = drawTrace('SERVER web GET /  a1  0..9');
  assert.ok(span !== undefined);
  const linked = { traceId: 'b'.repeat(32), spanId: 'b'.repeat(16) };
  const [plain, full] = [new SpanWriter(), new SpanWriter()];
  const value = 'x'.repeat(100);
  for (let pod = 0; pod < 100; pod += 1) {
    plain.addSpan(span);
    const resource = new Map([['k8s.pod.name', `${pod}`], ...attributes(10, value)]);
    full.addSpan({ ...span, resource, links: Array.from({ length: 10 }, () => linked) });
  }
  const least = 100 * (10 * value.length + 10 * 24);
  assert.ok(full.bytes - plain.bytes >= least, `${full.bytes - plain.bytes} of ${least}`);
});

function attributes(count: number, value: string): readonly (readonly [string, string])[] {
  return Array.from({ length: count }, (_, index) => [`attribute-${index}`, value]);
}
