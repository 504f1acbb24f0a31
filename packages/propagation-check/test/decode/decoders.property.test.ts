import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { decodeConsole } from '../../src/decode/decode-console.ts';
import { DecodeError } from '../../src/decode/decode-error.ts';
import { decodeBytes, decodeCompressed } from '../../src/decode/detect-format.ts';
import { ExportTraceServiceRequestSchema } from '../../src/decode/generated/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';
import { readInspectedValue } from '../../src/decode/inspected-value.ts';
import { decodeJaegerJson } from '../../src/decode/jaeger-json.ts';
import { decodeJsonDocuments } from '../../src/decode/json-documents.ts';
import { decodeJsonLines } from '../../src/decode/json-lines.ts';
import { decodeOtlpDocument } from '../../src/decode/otlp-document.ts';
import { decodeOtlpJson } from '../../src/decode/otlp-json.ts';
import { decodeOtlpProtobuf } from '../../src/decode/otlp-protobuf.ts';
import { parseJson } from '../../src/decode/parse-json.ts';
import { readDocument } from '../../src/decode/read-document.ts';
import { joinReadings } from '../../src/decode/reading.ts';
import { decodeTempoProtobuf } from '../../src/decode/tempo-protobuf.ts';
import type { Span } from '../../src/span/span.ts';
import { cases } from '../cases.ts';
import { drawTrace } from '../draw-trace.ts';
import { otlpRequest, otlpSpan, readFixture } from './fixture.ts';
import { writtenFormats } from './write-formats.ts';

/** Fixed, so that every run tries the same inputs. A failure prints its own seed and path, which are then added here. */
const seed = 20261124;
const many = { seed, numRuns: cases(400) } as const;

/** A decoder returns valid spans or throws a DecodeError; anything else is a bug. */
function assertContained(decode: () => readonly Span[]): void {
  let spans: readonly Span[];
  try {
    spans = decode();
  } catch (error) {
    assert.ok(error instanceof DecodeError, String(error instanceof Error ? error.stack : error));
    assert.match(error.message, /^[^\p{Cc}]+$/u, 'a message has no control characters');
    assert.match(error.message, /^\S.*: \S/s, 'a message begins with where');
    return;
  }
  for (const span of spans) {
    assert.match(span.traceId, /^([0-9a-f]{16}|[0-9a-f]{32})$/);
    assert.match(span.spanId, /^[0-9a-f]{16}$/);
    assert.notEqual(BigInt(`0x${span.traceId}`) * BigInt(`0x${span.spanId}`), 0n);
    if (span.parentSpanId !== null) assert.match(span.parentSpanId, /^[0-9a-f]{16}$/);
    assert.ok(span.startTimeUnixNano >= 0n);
  }
}

const anything = fc.anything({ withNullPrototype: false });
const json = fc.jsonValue({ maxDepth: 4 });
const scalar = fc.oneof(
  ...[fc.string(), fc.integer(), fc.double(), fc.boolean(), fc.constant(null)],
  ...[fc.constant('NaN'), fc.constant('0'.repeat(16)), fc.constant('__proto__'), fc.bigInt().map(String)],
);
const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF'), minLength: length, maxLength: length });

/** The right keys with a mixture of right and wrong values, to get past a decoder's first check. */
function nearly(fields: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> {
  const mixed = Object.entries(fields).map(([key, value]) => [
    key,
    fc.oneof({ weight: 12, arbitrary: value }, { weight: 1, arbitrary: fc.oneof(scalar, json) }),
  ]);
  return fc.record(Object.fromEntries(mixed), { requiredKeys: [] });
}

const list = (element: fc.Arbitrary<unknown>) => fc.array(element, { maxLength: 3 });
const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    nearly({ stringValue: fc.string(), intValue: fc.integer(), boolValue: fc.boolean() }),
    nearly({ arrayValue: nearly({ values: list(tie('value')) }) }),
    nearly({ kvlistValue: nearly({ values: list(nearly({ key: fc.string(), value: tie('value') })) }) }),
  ),
}));
const keyValues = list(nearly({ key: fc.string(), value: anyValue }));
const otlp = nearly({
  resourceSpans: list(
    nearly({
      resource: nearly({ attributes: keyValues }),
      scopeSpans: list(
        nearly({
          scope: nearly({ name: fc.string() }),
          spans: list(
            nearly({
              ...{
                traceId: hex(32),
                spanId: hex(16),
                parentSpanId: hex(16),
                kind: fc.integer(),
                name: fc.string(),
              },
              ...{ startTimeUnixNano: fc.bigInt().map(String), flags: fc.nat(), attributes: keyValues },
              links: list(nearly({ traceId: hex(32), spanId: hex(16) })),
            }),
          ),
        }),
      ),
    }),
  ),
});
const tags = list(nearly({ key: fc.string(), type: fc.constantFrom('string', 'int64'), value: scalar }));
const jaeger = nearly({
  data: list(
    nearly({
      spans: list(
        nearly({
          ...{
            traceID: hex(16),
            spanID: hex(16),
            startTime: fc.nat(),
            duration: fc.nat(),
            processID: fc.string(),
            tags,
          },
          references: list(
            nearly({ refType: fc.constantFrom('CHILD_OF', 'x'), traceID: hex(16), spanID: hex(16) }),
          ),
        }),
      ),
      processes: fc.dictionary(fc.string(), nearly({ serviceName: fc.string(), tags })),
    }),
  ),
});
const zipkin = list(
  nearly({
    ...{
      traceId: hex(16),
      id: fc.constantFrom('1', '2', '3'),
      parentId: fc.constantFrom('1', '2'),
      timestamp: fc.nat(),
    },
    ...{ kind: fc.constantFrom('CLIENT', 'SERVER'), shared: fc.boolean(), duration: fc.nat() },
    ...{
      localEndpoint: nearly({ serviceName: fc.constantFrom('a', 'b') }),
      tags: fc.dictionary(fc.string(), fc.string()),
    },
  }),
);

const id = (length: number) => fc.oneof(hex(length), fc.constant(''), fc.constant('0'.repeat(length)));
const time = fc.oneof(
  fc.constantFrom('2026-11-01T10:00:00.123456Z', '2026-11-01 10:00:00', '0001-01-01T00:00:00Z'),
  fc.string(),
);
const plain = fc.dictionary(fc.string(), fc.oneof(scalar, json));
const jsContext = nearly({ traceId: hex(32), spanId: hex(16), isRemote: fc.boolean() });
const jsConsole = nearly({
  ...{
    traceId: hex(32),
    id: hex(16),
    parentId: id(16),
    name: fc.string(),
    kind: fc.integer({ min: 0, max: 5 }),
  },
  ...{ timestamp: fc.nat(), duration: fc.double(), parentSpanContext: jsContext, attributes: plain },
  ...{ resource: nearly({ attributes: plain }), links: list(nearly({ context: jsContext })) },
});
const pythonContext = nearly({ trace_id: hex(32).map((hex) => `0x${hex}`), span_id: hex(16) });
const pythonConsole = nearly({
  ...{ context: pythonContext, name: fc.string(), kind: fc.constantFrom('SpanKind.SERVER', 'SpanKind.X') },
  ...{
    parent_id: id(16),
    start_time: time,
    end_time: time,
    attributes: plain,
    resource: nearly({ attributes: plain }),
  },
  ...{
    links: list(nearly({ context: pythonContext })),
    status: nearly({ status_code: fc.constantFrom('OK', 'X') }),
  },
});
const goContext = nearly({ TraceID: fc.constant('a'.repeat(32)), SpanID: id(16), Remote: fc.boolean() });
const goAttributes = list(nearly({ Key: fc.string(), Value: nearly({ Value: json }) }));
const goConsole = nearly({
  ...{ SpanContext: goContext, Parent: goContext, SpanKind: fc.nat(6), StartTime: time, EndTime: time },
  ...{ Attributes: goAttributes, Resource: goAttributes, Links: list(nearly({ SpanContext: goContext })) },
});
const clickhouse = nearly({
  ...{
    Timestamp: time,
    TraceId: hex(32),
    SpanId: hex(16),
    ParentSpanId: id(16),
    SpanKind: fc.constantFrom('Server', 'x', ''),
  },
  ...{
    ServiceName: fc.string(),
    SpanAttributes: plain,
    ResourceAttributes: plain,
    Duration: fc.nat().map(String),
  },
  ...{
    'Links.TraceId': list(id(32)),
    'Links.SpanId': list(id(16)),
    StatusCode: fc.constantFrom('Error', 'x'),
  },
});
const storedJaeger = nearly({
  ...{ traceID: hex(32), spanID: hex(16), startTime: fc.nat(), duration: fc.nat(), tags, tag: plain },
  process: nearly({ serviceName: fc.string(), tags, tag: plain }),
});
const elasticsearch = nearly({
  hits: nearly({ total: fc.nat(3), hits: list(nearly({ _source: storedJaeger })) }),
});
const snakeCase = nearly({
  resource_spans: list(
    nearly({
      scope_spans: list(
        nearly({ spans: list(nearly({ trace_id: hex(32), span_id: hex(16), attributes: keyValues })) }),
      ),
    }),
  ),
});

const elastic = nearly({
  ...{ trace_id: hex(32), span_id: hex(16), parent_span_id: hex(16), name: fc.string() },
  ...{
    kind: fc.constantFrom('Server', 'x'),
    '@timestamp': fc.constantFrom('1700000000000.5', 'x', 17),
    duration: fc.nat(),
  },
  ...{
    attributes: plain,
    resource: nearly({ attributes: plain }),
    links: list(nearly({ trace_id: hex(32), span_id: hex(16) })),
  },
});
const cloudWatch = nearly({
  ...{
    traceId: hex(32),
    spanId: hex(16),
    parentSpanId: hex(16),
    flags: fc.nat(),
    kind: fc.constantFrom('SERVER', 'x'),
  },
  ...{
    startTimeUnixNano: fc.nat(),
    endTimeUnixNano: fc.nat(),
    attributes: plain,
    resource: nearly({ attributes: plain }),
  },
});
const dataPrepper = nearly({
  ...{
    traceId: hex(32),
    spanId: hex(16),
    parentSpanId: hex(16),
    kind: fc.constantFrom('SPAN_KIND_SERVER', 'x'),
  },
  ...{
    startTime: fc.constantFrom('2026-11-01T10:00:00Z', 'x'),
    endTime: fc.constantFrom('2026-11-01T10:00:01Z', 'x'),
  },
  ...{ durationInNanos: fc.nat(), serviceName: fc.string(), 'span.attributes.a@b': fc.anything() },
});

/** Documents of each format, which `readDocument` recognises by content; the keys are shown in the test names. */
const formatsByContent = {
  jsConsole,
  pythonConsole,
  goConsole,
  clickhouse,
  storedJaeger,
  elasticsearch,
  snakeCase,
  elastic,
  cloudWatch,
  dataPrepper,
  zipkin,
};
const byContent = Object.entries(formatsByContent).map(([name, shaped]) => {
  const decoder = (document: unknown) => joinReadings(readDocument(document));
  return [
    Object.defineProperty(decoder, 'name', { value: `readDocument of ${name}` }),
    fc.oneof(shaped, list(shaped)),
  ] as const;
});

const documentDecoders = [
  [decodeOtlpJson, otlp],
  [decodeOtlpDocument, otlp],
  [decodeJaegerJson, jaeger],
  ...byContent,
] as const;

for (const [decoder, shaped] of documentDecoders) {
  test(`${decoder.name} answers valid spans or a DecodeError for any document`, () => {
    const decode = (document: unknown) => {
      const result = decoder(document);
      return 'spans' in result ? result.spans : result;
    };
    fc.assert(
      fc.property(anything, (document) => assertContained(() => decode(document))),
      many,
    );
    fc.assert(
      fc.property(shaped, (document) => assertContained(() => decode(document))),
      { ...many, numRuns: cases(1_500) },
    );
  });
}

const capture = readFixture('grpc-unary.otlp.jsonl');
const protobuf = toBinary(
  ExportTraceServiceRequestSchema,
  create(ExportTraceServiceRequestSchema, {
    resourceSpans: [
      {
        scopeSpans: [
          {
            spans: [
              { traceId: Buffer.alloc(16, 1), spanId: Buffer.alloc(8, 2), name: 'name', kind: 2, flags: 1 },
            ],
          },
        ],
      },
    ],
  }),
);
const drawn = drawTrace(`
  CLIENT web GET           a2  10..90 url.full=http://orders/x
    SERVER orders GET /x   b1  20..80
`);
const seeds: readonly Uint8Array[] = [
  ...[capture, protobuf, readFixture('links.jaeger-v1.json'), readFixture('links.jaeger-v3.json')],
  Buffer.from(JSON.stringify(otlpRequest(otlpSpan()))),
  Buffer.from('[{"traceId":"463ac35c9f6413ad","id":"1"}]'),
  ...['js-console.txt', 'python-console.txt', 'go-console.txt'].map(readFixture),
  ...Object.values(writtenFormats).map(({ write }) => Buffer.from(write(drawn))),
];

/** Changes, removes or repeats a few bytes of a real document. */
const mutated = fc
  .tuple(
    fc.constantFrom(...seeds),
    fc.array(
      fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.constantFrom('set', 'cut', 'drop', 'twice')),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
  )
  .map(([bytes, changes]) => changes.reduce(mutate, Buffer.from(bytes)));

function mutate(bytes: Buffer, [position, value, change]: readonly [number, number, string]): Buffer {
  const at = position % Math.max(bytes.length, 1);
  if (change === 'cut') return bytes.subarray(0, at);
  if (change === 'drop') return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + (value % 16))]);
  if (change === 'twice')
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - value))]);
  return Buffer.concat([bytes.subarray(0, at), Buffer.from([value]), bytes.subarray(at + 1)]);
}

const parsed = (bytes: Uint8Array) => {
  parseJson(bytes);
  return [];
};

function printed(bytes: Uint8Array): readonly Span[] {
  return joinReadings(decodeConsole(Buffer.from(bytes).toString()).readings).spans;
}

function documents(bytes: Uint8Array): readonly Span[] {
  return joinReadings(decodeJsonDocuments(bytes)).spans;
}

function inspected(bytes: Uint8Array): readonly Span[] {
  readInspectedValue(Buffer.from(bytes).toString());
  return [];
}

const byteDecoders = [
  decodeOtlpProtobuf,
  decodeTempoProtobuf,
  decodeJsonLines,
  parsed,
  printed,
  documents,
  inspected,
];
for (const decode of byteDecoders) {
  test(`${decode.name} answers valid spans or a DecodeError for any bytes`, () => {
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated);
    fc.assert(
      fc.property(bytes, (input) => assertContained(() => decode(input))),
      many,
    );
  });
}

test('decodeBytes answers valid spans or a DecodeError for any bytes', () => {
  fc.assert(
    fc.property(mutated, (input) => assertContained(() => decodeBytes(input).spans)),
    {
      ...many,
      numRuns: cases(1_500),
    },
  );
  fc.assert(
    fc.property(fc.uint8Array(), (input) => assertContained(() => decodeBytes(input).spans)),
    many,
  );
  fc.assert(
    fc.property(
      json.map((value) => Buffer.from(JSON.stringify(value))),
      (input) => assertContained(() => decodeBytes(input).spans),
    ),
    many,
  );
});

test('decodeCompressed answers spans or a DecodeError for damaged gzip', async () => {
  const packed = gzipSync(capture);
  const property = fc.asyncProperty(
    fc.nat(packed.length - 1),
    fc.integer({ min: 0, max: 255 }),
    async (at, value) => {
      const damaged = Buffer.from(packed);
      damaged[at] = value;
      const result = await decodeCompressed(damaged, 1_000_000).catch((error: unknown) => error);
      assert.ok(
        result instanceof DecodeError || (result instanceof Object && 'spans' in result),
        String(result),
      );
    },
  );
  await fc.assert(property, { seed, numRuns: cases(200) });
});

test('findJsonFault finds a fault within the text exactly where JSON.parse refuses it', () => {
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom(...'{}[]:,"\\ntrue-1.e0 ä😀\u0001') }),
    fc.json().chain((valid) => fc.nat(valid.length).map((length) => valid.slice(0, length))),
  );
  fc.assert(
    fc.property(text, (input) => {
      const bytes = Buffer.from(input);
      let isValid = true;
      try {
        JSON.parse(bytes.toString());
      } catch {
        isValid = false;
      }
      try {
        parseJson(bytes);
        assert.ok(isValid);
      } catch (error) {
        assert.ok(error instanceof DecodeError && !isValid);
        const byte = Number(/^byte (\d+): /.exec(error.message)?.[1]);
        assert.ok(byte >= 0 && byte <= bytes.length);
        assert.doesNotThrow(() => bytes.subarray(0, byte).toString());
      }
    }),
    { ...many, numRuns: cases(3_000) },
  );
});
