import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { ExportTraceServiceRequestSchema } from '../../src/decode/generated/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';
import type { SpanSchema } from '../../src/decode/generated/opentelemetry/proto/trace/v1/trace_pb.js';
import { decodeOtlpProtobuf } from '../../src/decode/otlp-protobuf.ts';

const traceId = Buffer.from('0af7651916cd43dd8448eb211c80319c', 'hex');
const spanId = Buffer.from('b7ad6b7169203331', 'hex');

function encode(...spans: readonly MessageInitShape<typeof SpanSchema>[]): Uint8Array {
  const request = create(ExportTraceServiceRequestSchema, {
    resourceSpans: [
      {
        resource: {
          attributes: [{ key: 'service.name', value: { value: { case: 'stringValue', value: 'shop' } } }],
        },
        scopeSpans: [{ scope: { name: 'lib' }, spans: spans.map((span) => ({ traceId, spanId, ...span })) }],
      },
    ],
  });
  return toBinary(ExportTraceServiceRequestSchema, request);
}

test('a span with every field', () => {
  const [span] = decodeOtlpProtobuf(
    encode({
      parentSpanId: Buffer.from('00f067aa0ba902b7', 'hex'),
      traceState: 'a=1',
      flags: 0x101,
      name: 'GET',
      kind: 3,
      startTimeUnixNano: 1795401497712471882n,
      endTimeUnixNano: 5n,
      status: { code: 1 },
      links: [{ traceId, spanId }, {}],
      attributes: [
        { key: 'int', value: { value: { case: 'intValue', value: 2n ** 62n } } },
        { key: 'bytes', value: { value: { case: 'bytesValue', value: Buffer.from('hi') } } },
        { key: 'none' },
        {
          key: 'list',
          value: {
            value: { case: 'arrayValue', value: { values: [{ value: { case: 'boolValue', value: true } }] } },
          },
        },
        {
          key: 'map',
          value: {
            value: {
              case: 'kvlistValue',
              value: {
                values: [{ key: '__proto__', value: { value: { case: 'doubleValue', value: 0.5 } } }],
              },
            },
          },
        },
      ],
    }),
  );
  assert.deepEqual(span, {
    traceId: traceId.toString('hex'),
    spanId: spanId.toString('hex'),
    parentSpanId: '00f067aa0ba902b7',
    traceState: 'a=1',
    flags: 0x101,
    name: 'GET',
    kind: 'CLIENT',
    startTimeUnixNano: 1795401497712471882n,
    endTimeUnixNano: 5n,
    attributes: new Map<string, unknown>([
      ['int', '4611686018427387904'],
      ['bytes', 'aGk='],
      ['none', ''],
      ['list', [true]],
      ['map', '{"__proto__":0.5}'],
    ]),
    links: [{ traceId: traceId.toString('hex'), spanId: spanId.toString('hex') }],
    status: { code: 'OK', message: '' },
    serviceName: 'shop',
    resource: new Map([['service.name', 'shop']]),
    scopeName: 'lib',
  });
});

test('a message begins with the path of the invalid id', () => {
  const rejected = (span: MessageInitShape<typeof SpanSchema>, message: string) =>
    assert.throws(() => decodeOtlpProtobuf(encode({}, span)), { name: 'DecodeError', message });
  const at = 'resourceSpans[0].scopeSpans[0].spans[1]';
  rejected({ traceId: Buffer.alloc(8, 1) }, `${at}.traceId: has 8 bytes, expected 16`);
  rejected({ spanId: Buffer.alloc(8) }, `${at}.spanId: all zeros is not a valid id`);
  rejected({ parentSpanId: Buffer.alloc(3) }, `${at}.parentSpanId: has 3 bytes, expected 8`);
});

test('invalid spans can be left out one by one', () => {
  const errors: string[] = [];
  const spans = decodeOtlpProtobuf(encode({}, { spanId: Buffer.alloc(0) }), {
    onInvalidSpan: (error) => errors.push(error.message),
  });
  assert.equal(spans.length, 1);
  assert.deepEqual(errors, ['resourceSpans[0].scopeSpans[0].spans[1].spanId: has 0 bytes, expected 8']);
});

test('a span with a parent of zeros is a root, and flags of zero are null', () => {
  const [span] = decodeOtlpProtobuf(encode({ parentSpanId: Buffer.alloc(8), flags: 0 }));
  assert.equal(span?.parentSpanId, null);
  assert.equal(span.flags, null);
});

test('a request that is cut off anywhere is refused with the byte', () => {
  const bytes = encode({ name: 'a name', kind: 2 });
  for (let length = 1; length < bytes.length; length += 1) {
    assert.throws(() => decodeOtlpProtobuf(bytes.subarray(0, length)), {
      name: 'DecodeError',
      message: /^byte \d+.*: not an OTLP protobuf message: /,
    });
  }
});

test('the innermost field that is damaged is named', () => {
  const bytes = encode({ name: 'abc' });
  const at = Buffer.from(bytes).indexOf('abc');
  const damaged = Uint8Array.from(bytes).fill(0xff, at, at + 1);
  assert.throws(() => decodeOtlpProtobuf(damaged), {
    message: new RegExp(`^byte ${at}, in resourceSpans\\[0\\]\\.scopeSpans\\[0\\]\\.spans\\[0\\]\\.name: `),
  });
});

test('deeply nested values are refused before the stack overflows', () => {
  let value = new BinaryWriter().tag(1, WireType.LengthDelimited).string('deep').finish();
  for (let depth = 0; depth < 2_000; depth += 1) {
    const list = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(value).finish();
    value = new BinaryWriter().tag(5, WireType.LengthDelimited).bytes(list).finish();
  }
  const wrap = (field: number, bytes: Uint8Array) =>
    new BinaryWriter().tag(field, WireType.LengthDelimited).bytes(bytes).finish();
  const attribute = wrap(2, value);
  const request = wrap(1, wrap(2, wrap(2, wrap(9, attribute))));
  assert.throws(() => decodeOtlpProtobuf(request), {
    name: 'DecodeError',
    message: /^byte \d+, in resourceSpans/,
  });
});
