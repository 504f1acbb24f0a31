import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecodeError } from '../../src/decode/decode-error.ts';
import { decodeOtlpJson } from '../../src/decode/otlp-json.ts';
import { countDroppedLinks, droppedCounts } from '../../src/span/dropped-counts.ts';
import { otlpRequest, otlpSpan } from './fixture.ts';

function decodeOne(fields: Readonly<Record<string, unknown>>) {
  const [span] = decodeOtlpJson(otlpRequest(otlpSpan(fields)));
  assert.ok(span);
  return span;
}

function assertRejected(document: unknown, message: string | RegExp) {
  assert.throws(
    () => decodeOtlpJson(document),
    (error) => {
      assert.ok(error instanceof DecodeError);
      if (typeof message === 'string') assert.equal(error.message, message);
      else assert.match(error.message, message);
      return true;
    },
  );
}

const firstSpan = 'resourceSpans[0].scopeSpans[0].spans[0]';

test('a span with every field keeps OTLP names and meanings', () => {
  const [span] = decodeOtlpJson({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
        scopeSpans: [
          {
            scope: { name: '@opentelemetry/instrumentation-http', version: '1' },
            spans: [
              {
                traceId: '0AF7651916CD43DD8448EB211C80319C',
                spanId: 'B7AD6B7169203331',
                parentSpanId: '00F067AA0BA902B7',
                traceState: 'a=1,b=2',
                flags: 0x301,
                name: 'GET /work',
                kind: 2,
                startTimeUnixNano: '1795401497712471882',
                endTimeUnixNano: '1795401497715005993',
                attributes: [{ key: 'http.route', value: { stringValue: '/work' } }],
                links: [{ traceId: '11111111111111111111111111111111', spanId: '2222222222222222' }],
                status: { code: 2, message: 'no' },
              },
            ],
          },
        ],
      },
    ],
  });
  assert.deepEqual(span, {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    parentSpanId: '00f067aa0ba902b7',
    traceState: 'a=1,b=2',
    flags: 0x301,
    name: 'GET /work',
    kind: 'SERVER',
    startTimeUnixNano: 1795401497712471882n,
    endTimeUnixNano: 1795401497715005993n,
    attributes: new Map([['http.route', '/work']]),
    links: [{ traceId: '11111111111111111111111111111111', spanId: '2222222222222222' }],
    status: { code: 'ERROR', message: 'no' },
    serviceName: 'shop',
    resource: new Map([['service.name', 'shop']]),
    scopeName: '@opentelemetry/instrumentation-http',
  });
});

test('absent fields, nulls and unknown fields are defaults', () => {
  const span = decodeOne({ parentSpanId: null, kind: null, attributes: null, droppedEventsCount: 3, x: {} });
  assert.equal(span.parentSpanId, null);
  assert.equal(span.kind, 'UNSPECIFIED');
  assert.equal(span.flags, null);
  assert.equal(span.startTimeUnixNano, 0n);
  assert.equal(span.serviceName, null);
  assert.deepEqual(span.status, { code: 'UNSET', message: '' });
  assert.deepEqual(decodeOtlpJson({}), []);
  assert.deepEqual(decodeOtlpJson({ resourceSpans: [{ resource: null, scopeSpans: null }] }), []);
});

test('dropped counts become attributes, as in formats without fields for them', () => {
  const { attributes } = decodeOne({
    ...{ droppedLinksCount: 3, droppedAttributesCount: '2' },
    attributes: [{ key: 'http.route', value: { stringValue: '/' } }],
  });
  assert.deepEqual(
    [...attributes],
    [
      ['http.route', '/'],
      ['otel.dropped_attributes_count', 2],
      ['otel.dropped_links_count', 3],
    ],
  );
  for (const droppedLinksCount of [0, '0', -1, 1.5, 'x', null, [], 2 ** 60])
    assert.equal(decodeOne({ droppedLinksCount }).attributes.size, 0);
});

test('enums are numbers or names, and numbers of a newer protocol are UNSPECIFIED', () => {
  assert.equal(decodeOne({ kind: 'SPAN_KIND_CLIENT' }).kind, 'CLIENT');
  assert.equal(decodeOne({ kind: 5 }).kind, 'CONSUMER');
  assert.equal(decodeOne({ kind: 99 }).kind, 'UNSPECIFIED');
  assert.equal(decodeOne({ status: { code: 'STATUS_CODE_OK' } }).status.code, 'OK');
  assertRejected(
    otlpRequest(otlpSpan({ kind: 'SERVICE' })),
    `${firstSpan}.kind: "SERVICE" is not a SPAN_KIND_… name`,
  );
});

test('the parent of a root is absent, empty or all zeros', () => {
  for (const parentSpanId of [undefined, null, '', '0000000000000000']) {
    assert.equal(decodeOne({ parentSpanId }).parentSpanId, null);
  }
});

test('an end before the start is kept', () => {
  const span = decodeOne({ startTimeUnixNano: 9, endTimeUnixNano: '3' });
  assert.deepEqual([span.startTimeUnixNano, span.endTimeUnixNano], [9n, 3n]);
});

test('attribute values of every type, hostile keys among them', () => {
  const attributes = [
    { key: 'string', value: { stringValue: 'x' } },
    { key: 'int', value: { intValue: '42' } },
    { key: 'int as number', value: { intValue: -7 } },
    { key: 'large int', value: { intValue: '9223372036854775807' } },
    { key: 'double', value: { doubleValue: 0.5 } },
    { key: 'NaN', value: { doubleValue: 'NaN' } },
    { key: 'bool', value: { boolValue: false } },
    { key: 'bytes', value: { bytesValue: 'aGk=' } },
    { key: 'array', value: { arrayValue: { values: [{ intValue: 1 }, { stringValue: 'b' }, {}] } } },
    { key: 'empty', value: {} },
    { key: 'absent' },
    {
      key: 'kvlist',
      value: {
        kvlistValue: {
          values: [
            { key: '__proto__', value: { stringValue: 'p' } },
            { key: 'a', value: { kvlistValue: {} } },
          ],
        },
      },
    },
    { key: '__proto__', value: { stringValue: 'polluted' } },
    { key: 'constructor', value: { stringValue: 'c' } },
  ];
  assert.deepEqual(
    decodeOne({ attributes }).attributes,
    new Map<string, unknown>([
      ['string', 'x'],
      ['int', 42],
      ['int as number', -7],
      ['large int', '9223372036854775807'],
      ['double', 0.5],
      ['NaN', Number.NaN],
      ['bool', false],
      ['bytes', 'aGk='],
      ['array', [1, 'b', '']],
      ['empty', ''],
      ['absent', ''],
      ['kvlist', '{"__proto__":"p","a":{}}'],
      ['__proto__', 'polluted'],
      ['constructor', 'c'],
    ]),
  );
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
});

test('a message begins with the path of the wrong value', () => {
  const good = otlpSpan();
  const document = {
    resourceSpans: [{}, { scopeSpans: [{}, { spans: [good, good, otlpSpan({ traceId: '4bf92f35' })] }] }],
  };
  assertRejected(
    document,
    'resourceSpans[1].scopeSpans[1].spans[2].traceId: "4bf92f35" is not 32 hex digits',
  );
});

test('every field refuses values of a wrong type', () => {
  const wrong: readonly (readonly [Readonly<Record<string, unknown>>, RegExp])[] = [
    [{ traceId: '0'.repeat(32) }, /\.traceId: all zeros is not a valid id$/],
    [{ traceId: 7 }, /\.traceId: expected string, received number$/],
    [{ spanId: undefined }, /\.spanId: expected string, received undefined$/],
    [{ spanId: 'xyzxyzxyzxyzxyzx' }, /\.spanId: "xyzxyzxyzxyzxyzx" is not 16 hex digits$/],
    [
      { traceId: 'CvdlGRbNQ92ESOshHIAxnA==' },
      /\.traceId: .*looks like base64; OTLP JSON writes ids in hex\)$/,
    ],
    [{ parentSpanId: 'abc' }, /\.parentSpanId: "abc" is not 16 hex digits$/],
    [{ name: ['x'] }, /\.name: expected string, received array$/],
    [{ startTimeUnixNano: 'NaN' }, /\.startTimeUnixNano: "NaN" is not an integer/],
    [{ endTimeUnixNano: -1 }, /\.endTimeUnixNano: -1 is not an integer/],
    [{ endTimeUnixNano: 1.5 }, /\.endTimeUnixNano: 1.5 is not an integer/],
    [{ startTimeUnixNano: '18446744073709551616' }, /\.startTimeUnixNano: .* is not an integer/],
    [{ flags: 2 ** 32 }, /\.flags: 4294967296 is not an integer/],
    [{ attributes: {} }, /\.attributes: expected an array$/],
    [{ attributes: [1] }, /\.attributes\[0\]: expected an object, received 1$/],
    [
      { attributes: [{ key: 'k', value: { intValue: '1.5' } }] },
      /\.attributes\[0\]\.value\.intValue: "1.5" is not/,
    ],
    [{ attributes: [{ key: 3 }] }, /\.attributes\[0\]\.key: expected string, received 3$/],
    [{ links: [{ traceId: 1, spanId: 'y' }] }, /\.links\[0\]\.traceId: expected string, received number$/],
    [{ status: 'OK' }, /\.status: expected object, received string$/],
  ];
  for (const [fields, message] of wrong) assertRejected(otlpRequest(otlpSpan(fields)), message);
});

test('a document of another shape is refused with its path', () => {
  assertRejected(null, 'document: expected an object, received null');
  assertRejected([], 'document: expected an object, received an array');
  assertRejected({ resourceSpans: {} }, 'resourceSpans: expected an array');
  assertRejected({ resourceSpans: [1] }, 'resourceSpans[0]: expected object, received number');
  assertRejected(
    { resourceSpans: [{ scopeSpans: [{ spans: 'x' }] }] },
    'resourceSpans[0].scopeSpans[0].spans: expected an array',
  );
  assertRejected({ resource_spans: [] }, /^resource_spans: .*lowerCamelCase/);
  assertRejected(
    { resourceSpans: [{ scope_spans: [] }] },
    /^resourceSpans\[0\]\.scope_spans: .*lowerCamelCase/,
  );
});

test('deeply nested values are refused before the stack overflows', () => {
  let value: unknown = { stringValue: 'deep' };
  for (let depth = 0; depth < 50_000; depth += 1) value = { arrayValue: { values: [value] } };
  assertRejected(
    otlpRequest(otlpSpan({ attributes: [{ key: 'k', value }] })),
    /nested deeper than 100 levels$/,
  );
});

test('untrusted values in an error are escaped for terminals', () => {
  const hostile = '\u001b[2J\u009b31m\u202e::error::\n';
  assertRejected(
    otlpRequest(otlpSpan({ traceId: hostile })),
    `${firstSpan}.traceId: "\\u001b[2J\\u009b31m\\u202e::error::\\n" is not 32 hex digits`,
  );
});

test('a link without a valid context is left out, and counted unless it is empty', () => {
  const zero = { traceId: '0'.repeat(32), spanId: '0'.repeat(16) };
  const left = (...links: readonly object[]) => {
    const span = decodeOne({ links, droppedLinksCount: 1 });
    assert.deepEqual(span.links, []);
    return [countDroppedLinks(span) - 1, span.attributes.get(droppedCounts.invalidLinks) ?? 0];
  };
  assert.deepEqual(left(zero, {}, { ...zero, traceId: '' }), [0, 0]);
  for (const wrong of ['x', '1', '1'.repeat(31), '1'.repeat(33), 'g'.repeat(32)])
    assert.deepEqual(left({ traceId: wrong, spanId: '1'.repeat(16) }), [1, 1], wrong);
  assert.deepEqual(left({ traceId: '1'.repeat(32), spanId: 'x' }, { traceId: 'x' }, zero), [2, 2]);
});

test('base64 ids are read where they are allowed', () => {
  const span = otlpSpan({
    traceId: 'CvdlGRbNQ92ESOshHIAxnA==',
    spanId: 't61rcWkgMzE=',
    parentSpanId: 'AAAAAAAAAAA=',
  });
  const [decoded] = decodeOtlpJson(otlpRequest(span), { ids: 'hex-or-base64' });
  assert.equal(decoded?.traceId, '0af7651916cd43dd8448eb211c80319c');
  assert.equal(decoded?.spanId, 'b7ad6b7169203331');
  assert.equal(decoded?.parentSpanId, null);
});

test('invalid spans can be left out one by one', () => {
  const errors: string[] = [];
  const spans = decodeOtlpJson(otlpRequest(otlpSpan({ spanId: '' }), otlpSpan(), 5), {
    onInvalidSpan: (error) => errors.push(error.message),
  });
  assert.equal(spans.length, 1);
  assert.deepEqual(errors, [
    `${firstSpan}.spanId: "" is not 16 hex digits`,
    'resourceSpans[0].scopeSpans[0].spans[2]: expected object, received number',
  ]);
});

test("a missing service name is null, also in Jaeger's placeholders", () => {
  for (const name of ['', 'missing-service-name', 'empty-service-name']) {
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: name } }] };
    const [span] = decodeOtlpJson({ resourceSpans: [{ resource, scopeSpans: [{ spans: [otlpSpan()] }] }] });
    assert.equal(span?.serviceName, null);
  }
});

test('instrumentationLibrarySpans, the older name of scopeSpans, is read', () => {
  const [span] = decodeOtlpJson({
    resourceSpans: [
      { instrumentationLibrarySpans: [{ instrumentationLibrary: { name: 'lib' }, spans: [otlpSpan()] }] },
    ],
  });
  assert.equal(span?.scopeName, 'lib');
});
