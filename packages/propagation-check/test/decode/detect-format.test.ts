import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { decodeBytes, decodeCompressed } from '../../src/decode/detect-format.ts';
import { ExportTraceServiceRequestSchema } from '../../src/decode/generated/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';
import { otlpRequest, otlpSpan, readFixture } from './fixture.ts';
import { frame } from './frame.ts';

const request = JSON.stringify(otlpRequest(otlpSpan()));
const base64Span = { traceId: 'CvdlGRbNQ92ESOshHIAxnA==', spanId: 't61rcWkgMzE=', kind: 'SPAN_KIND_SERVER' };
const zipkin = JSON.stringify([{ traceId: '463ac35c9f6413ad', id: '1' }]);

function protobuf(name = 'x'): Uint8Array {
  const span = { traceId: Buffer.alloc(16, 1), spanId: Buffer.alloc(8, 2), name };
  const request = create(ExportTraceServiceRequestSchema, {
    resourceSpans: [{ scopeSpans: [{ spans: [span] }] }],
  });
  return toBinary(ExportTraceServiceRequestSchema, request);
}

/** Tempo's `.proto` file names this field `resourceSpans`, so Go writes it among snake_case fields. */
const halfSnake = JSON.stringify({
  resourceSpans: [
    {
      resource: { attributes: [{ key: 'service.name', value: { string_value: 'a' } }] },
      scope_spans: [{ spans: [{ trace_id: base64Span.traceId, span_id: base64Span.spanId }] }],
    },
  ],
});

const tricky = JSON.stringify(otlpRequest(otlpSpan({ name: '\\"}]}{' })));

const formats: readonly (readonly [string, string | Uint8Array, string, number])[] = [
  ['OTLP JSON', request, 'otlp-json', 1],
  [
    'OTLP JSON, pretty, with a byte order mark',
    `\ufeff${JSON.stringify(JSON.parse(request), null, 2)}\n`,
    'otlp-json',
    1,
  ],
  ['a list of OTLP JSON requests', `[${request},${request}]`, 'otlp-json', 2],
  ['JSON Lines', `${request}\n${request}\n`, 'json-lines', 2],
  [
    'documents one behind the other, whose text looks like their ends',
    `${tricky}${tricky} ${tricky}`,
    'otlp-json',
    3,
  ],
  ['a capture', readFixture('links.otlp.jsonl'), 'json-lines', 18],
  ['OTLP protobuf', protobuf(), 'otlp-protobuf', 1],
  ['OTLP protobuf with lengths', frame(protobuf(), protobuf('y')), 'otlp-protobuf', 2],
  ['Jaeger v1', '{"data":[]}', 'jaeger-v1', 0],
  ['one Jaeger v1 trace', '{"traceID":"a","spans":[],"processes":{}}', 'jaeger-v1', 0],
  ['Jaeger v3', `{"result":${request}}`, 'jaeger-v3', 1],
  ['Jaeger v3, streamed', `{"result":${request}}\n{"result":${request}}\n{"end":true}\n`, 'json-lines', 2],
  ['Tempo v1', JSON.stringify({ batches: [{ scopeSpans: [{ spans: [base64Span] }] }] }), 'tempo', 1],
  ['Tempo v2', JSON.stringify({ trace: otlpRequest(base64Span), metrics: {} }), 'tempo', 1],
  ['names of OTLP and of its .proto files', halfSnake, 'otlp-json', 1],
  ['lines with both kinds of names', `${halfSnake}\n${request}\n`, 'json-lines', 2],
  ['Tempo v2 with both kinds of names', `{"trace":${halfSnake}}`, 'tempo', 1],
  ['Zipkin v2', zipkin, 'zipkin', 1],
  ['an empty Zipkin answer', '[]', 'zipkin', 0],
  ['UTF-16 without a byte order mark', Buffer.from(request, 'utf16le'), 'otlp-json', 1],
];

for (const [name, input, format, count] of formats) {
  test(`a format is recognised by content: ${name}`, async () => {
    const bytes = Buffer.from(input);
    const decoded = decodeBytes(bytes);
    assert.equal(decoded.format, format);
    assert.equal(decoded.spans.length, count);
    assert.deepEqual(await decodeCompressed(gzipSync(bytes), 1_000_000), decoded);
  });
}

test('an export request that begins like a line break and a bracket is still protobuf', () => {
  for (const first of [0x5b, 0x7b]) {
    const bytes = Array.from({ length: 130 }, (_, length) => protobuf('x'.repeat(length))).find(
      (candidate) => candidate[1] === first,
    );
    assert.ok(bytes);
    assert.equal(decodeBytes(bytes).format, 'otlp-protobuf');
  }
});

const zipkinV1 = Buffer.from(readFixture('zipkin-v1.json')).toString();
const [zipkinV1Span] = JSON.parse(zipkinV1);
const { binaryAnnotations: _, ...zipkinV1Local } = zipkinV1Span;
const zipkinV1Bare = { traceId: 'a', id: 'a', name: 'get', annotations: [], binaryAnnotations: [] };

function refuseAt(path: string): RegExp {
  return new RegExp(`^${path}: this is Zipkin v1 JSON, .* /api/v2/traces`);
}

const refused: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ['nothing', Buffer.from(''), /^document: empty, or nothing but white space/],
  ['white space', Buffer.from(' \n\n'), /^document: empty, or nothing but white space; expected spans/],
  [
    'a web page',
    Buffer.from('\n<!doctype html>'),
    /^byte 0: this is a web page or XML, not spans; a login page/,
  ],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0]), /^byte 0: compressed with zstd; uncompress it first/],
  ['gzip twice', gzipSync('x'), /^byte 0: compressed twice; uncompress it first/],
  ['a picture', Buffer.from('\x89PNG\r\n', 'latin1'), /^byte 0: a picture, and no spans/],
  ['other bytes', Buffer.from([1, 2, 3, 4]), /^byte 0: no format is recognised; expected OTLP JSON/],
  ['other text', Buffer.from('hello\nworld\n'), /^byte 0: no format is recognised; expected OTLP JSON/],
  [
    'other JSON',
    Buffer.from('{"a":1,"b":2}'),
    /^document: expected an object with "resourceSpans", found "a", "b"; export the traces as OTLP JSON/,
  ],
  ['Zipkin v1', Buffer.from(zipkinV1), refuseAt('\\[0\\]\\.binaryAnnotations')],
  [
    'an answer of Zipkin v1 to a search',
    Buffer.from(JSON.stringify([[], [zipkinV1Bare]])),
    refuseAt('\\[1\\]\\[0\\]\\.binaryAnnotations'),
  ],
  [
    'Zipkin v1 behind a span that could be of either version',
    Buffer.from(JSON.stringify([JSON.parse(zipkin)[0], zipkinV1Local])),
    refuseAt('\\[1\\]\\.annotations'),
  ],
  ['one span of Zipkin v1', Buffer.from(JSON.stringify(zipkinV1Span)), refuseAt('binaryAnnotations')],
  [
    'lines with a span of Zipkin v1 each',
    Buffer.from(`${request}\n${JSON.stringify(zipkinV1Span)}\n`),
    refuseAt('line 2: binaryAnnotations'),
  ],
  [
    'lines with a trace of Zipkin v1 each',
    Buffer.from(`${zipkinV1.trim()}\n${zipkinV1.trim()}\n`),
    refuseAt('line 1: \\[0\\]\\.binaryAnnotations'),
  ],
  ['JSON that is cut off', Buffer.from(request.slice(0, 50)), /^byte 50: the JSON ends early/],
  ['a line that is not JSON', Buffer.from(`${request}\n{nope\n`), /^line 2: byte 1: not valid JSON/],
  ['framed protobuf that is cut off', frame(protobuf(), protobuf()).subarray(0, -1), /^byte \d+: .*cut off$/],
  [
    'a part of a trace',
    Buffer.from('{"trace":{},"status":"PARTIAL","message":"too large"}'),
    /^status: Tempo answered only a part of the trace: "too large"$/,
  ],
  [
    'a path within an envelope',
    Buffer.from('{"result":{"resourceSpans":[1]}}'),
    /^result\.resourceSpans\[0\]: /,
  ],
  [
    'an error of a gateway',
    Buffer.from('{"error":{"message":"boom"}}'),
    /^error: the source answered an error: "boom"$/,
  ],
];

for (const [name, bytes, message] of refused) {
  test(`refused: ${name}`, () => {
    assert.throws(() => decodeBytes(bytes), { name: 'DecodeError', message });
  });
}

test('gzip that is damaged, cut off, or far larger than it looks is refused', async () => {
  const packed = gzipSync(Buffer.alloc(5_000_000));
  await assert.rejects(decodeCompressed(packed, 1_000_000), {
    name: 'DecodeError',
    message: 'gzip: uncompressed data is larger than 1000000 bytes',
  });
  await assert.rejects(decodeCompressed(packed.subarray(0, -20), 10_000_000), {
    message: 'gzip: ends early, as if it was cut off; copy or fetch it again once it is written whole',
  });
  await assert.rejects(decodeCompressed(Buffer.from([0x1f, 0x8b, 1, 2, 3, 4, 5, 6, 7, 8, 9]), 100), {
    name: 'DecodeError',
    message: /^gzip: /,
  });
});
