import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeaderField } from '../../src/headers/evidence.ts';
import { readWireContext } from '../../src/headers/read-wire-context.ts';
import { applyFaults, drawFault, parseFault } from '../../src/tap/fault.ts';
import { spanId, traceId, traceparent } from './support.ts';

const newSpanId = '1111111111111111';
const grpcTraceBin = Buffer.from(`0000${traceId}01${spanId}0201`, 'hex')
  .toString('base64')
  .replace(/=+$/, '');

const everyFormat: readonly HeaderField[] = [
  { name: 'Host', value: 'b' },
  { name: 'TraceParent', value: traceparent },
  { name: 'tracestate', value: 'a=1' },
  { name: 'b3', value: `${traceId}-${spanId}-1` },
  { name: 'X-B3-TraceId', value: traceId },
  { name: 'X-B3-SpanId', value: spanId },
  { name: 'X-B3-Sampled', value: '1' },
  { name: 'uber-trace-id', value: `${traceId}:${spanId}:0:1` },
  {
    name: 'X-Amzn-Trace-Id',
    value: `Root=1-${traceId.slice(0, 8)}-${traceId.slice(8)};Parent=${spanId};Sampled=1`,
  },
  { name: 'grpc-trace-bin', value: grpcTraceBin },
  { name: 'baggage', value: 'hello=world' },
  { name: 'uberctx-hello', value: 'world' },
  { name: 'X-Other', value: traceparent },
];

const formatCount = 6;

function inject(...faults: readonly string[]) {
  const { fields, applied } = applyFaults(everyFormat, faults.map(parseFault), newSpanId);
  return { fields, applied: applied.map(({ name }) => name), ...readWireContext(fields) };
}

/** The distinct values of a property over the contexts of all formats. */
function distinct(contexts: readonly object[], key: string): readonly unknown[] {
  return [...new Set(contexts.map((context): unknown => Reflect.get(context, key)))];
}

test('without faults nothing changes', () => {
  assert.deepEqual(inject().fields, everyFormat);
});

test('strip removes every trace header and nothing else', () => {
  assert.deepEqual(
    inject('strip').fields.map(({ name }) => name),
    ['Host', 'baggage', 'uberctx-hello', 'X-Other'],
  );
});

test('rewrite replaces the span id and keeps the trace id', () => {
  const { contexts, fields } = inject('rewrite');
  assert.equal(contexts.length, formatCount);
  assert.deepEqual(distinct(contexts, 'spanId'), [newSpanId]);
  assert.deepEqual(distinct(contexts, 'traceId'), [traceId]);
  assert.deepEqual(distinct(contexts, 'sampled'), [true]);
  assert.deepEqual(fields.at(1), { name: 'TraceParent', value: `00-${traceId}-${newSpanId}-01` });
  assert.deepEqual(fields.at(-1), everyFormat.at(-1));
});

test('corrupt makes every format malformed', () => {
  const { contexts } = inject('corrupt');
  assert.equal(contexts.length, formatCount);
  assert.deepEqual(distinct(contexts, 'state'), ['malformed']);
});

test('cut keeps 40 characters of every id header', () => {
  const { contexts, fields } = inject('cut');
  assert.deepEqual(contexts[0], { format: 'tracecontext', state: 'malformed', reason: 'too-short' });
  assert.deepEqual(fields[1], { name: 'TraceParent', value: traceparent.slice(0, 40) });
  assert.deepEqual(fields.at(-1), everyFormat.at(-1));
});

test('duplicate puts two different headers in the place of one', () => {
  const { contexts, fields } = inject('duplicate');
  assert.deepEqual(distinct(contexts, 'state'), ['duplicated']);
  assert.deepEqual(distinct(contexts, 'count'), [2]);
  assert.deepEqual(fields.slice(1, 3), [
    { name: 'TraceParent', value: traceparent },
    { name: 'TraceParent', value: `00-${traceId}-${newSpanId}-01` },
  ]);
});

test('drop-baggage removes the baggage and nothing else', () => {
  assert.deepEqual(
    inject('drop-baggage').fields,
    everyFormat.filter(({ name }) => !/^(baggage|uberctx-)/.test(name)),
  );
});

test('unsample clears the sampled flag and keeps the ids', () => {
  const { contexts, fields } = inject('unsample');
  assert.deepEqual(distinct(contexts, 'sampled'), [false]);
  assert.deepEqual(distinct(contexts, 'traceId'), [traceId]);
  assert.deepEqual(distinct(contexts, 'spanId'), [spanId]);
  assert.equal(fields[1]?.value, `00-${traceId}-${spanId}-00`);
});

test('truncate keeps the last 64 bits of the trace id where the format permits it', () => {
  const { contexts } = inject('truncate');
  const padded = '0'.repeat(16) + traceId.slice(16);
  assert.deepEqual(
    Object.fromEntries(contexts.map((context) => [context.format, Reflect.get(context, 'traceId')])),
    {
      tracecontext: padded,
      b3: traceId.slice(16),
      b3multi: traceId.slice(16),
      jaeger: traceId.slice(16),
      xray: traceId,
      'grpc-trace-bin': padded,
    },
  );
  assert.deepEqual(distinct(contexts, 'spanId'), [spanId]);
});

test('several faults apply in order, and only those with an effect are named', () => {
  const both = inject('rewrite', 'unsample', 'delay=5');
  assert.equal(both.fields[1]?.value, `00-${traceId}-${newSpanId}-00`);
  assert.deepEqual(both.applied, ['rewrite', 'unsample', 'delay']);
  assert.deepEqual(inject('strip', 'rewrite', 'strip').applied, ['strip']);
});

test('malformed headers are not changed', () => {
  const hostile: readonly HeaderField[] = [
    { name: 'traceparent', value: '$1$&' },
    { name: 'b3', value: 'constructor' },
    { name: 'uber-trace-id', value: '' },
    { name: '__proto__', value: 'x' },
    { name: 'grpc-trace-bin', value: 'AAAA' },
  ];
  const faults = ['rewrite', 'truncate'].map(parseFault);
  assert.deepEqual(applyFaults(hostile, faults, newSpanId), { fields: hostile, applied: [] });
});

test('parses faults, and explains errors in others', () => {
  assert.deepEqual(parseFault('delay=200'), { name: 'delay', ms: 200 });
  for (const text of ['delay', 'delay=', 'delay=0', 'delay=1.5', 'delay=99999999']) {
    assert.throws(
      () => parseFault(text),
      { name: 'TapOptionError', message: /write the milliseconds/ },
      text,
    );
  }
  for (const text of ['', 'Strip', 'toString', '__proto__', 'strip\n']) {
    assert.throws(
      () => parseFault(text),
      { name: 'TapOptionError', message: /^[^\n]*no such fault; use one of strip/ },
      text,
    );
  }
});

test('a draw repeats with its seed, and the share of faults is close to the rate', () => {
  assert.deepEqual(drawFault(7, 42), drawFault(7, 42));
  assert.notDeepEqual(drawFault(7, 42), drawFault(8, 42));
  const draws = Array.from({ length: 2000 }, (_, index) => drawFault(1, index));
  const share = draws.filter(({ chance }) => chance < 0.3).length / draws.length;
  assert.ok(share > 0.27 && share < 0.33, `${share}`);
  assert.ok(draws.every((draw) => /^[0-9a-f]{16}$/.test(draw.spanId)));
  assert.equal(new Set(draws.map((draw) => draw.spanId)).size, draws.length);
});
