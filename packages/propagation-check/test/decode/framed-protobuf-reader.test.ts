import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { decodeInto } from '../../src/decode/decode-into.ts';
import { encodeOtlpProtobuf } from '../../src/decode/encode-otlp-protobuf.ts';
import { decodeFramedProtobuf, FramedProtobufReader } from '../../src/decode/framed-protobuf.ts';
import { ExportTraceServiceRequestSchema } from '../../src/decode/generated/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';
import type {
  AnyValueSchema,
  InstrumentationScopeSchema,
  KeyValueSchema,
} from '../../src/decode/generated/opentelemetry/proto/common/v1/common_pb.js';
import type { SpanSchema } from '../../src/decode/generated/opentelemetry/proto/trace/v1/trace_pb.js';
import { decodeJsonLines } from '../../src/decode/json-lines.ts';
import { decodeOtlpProtobuf } from '../../src/decode/otlp-protobuf.ts';
import { PieceError, toDecodeError } from '../../src/decode/piece-reader.ts';
import { OtlpProtobufScanner } from '../../src/decode/scan-otlp-protobuf.ts';
import { sourceOf } from '../../src/span/byte-source.ts';
import type { Span } from '../../src/span/span.ts';
import { SpanWriter } from '../../src/span/span-writer.ts';
import { cases, step } from '../cases.ts';
import { anySpans } from '../span/any-span.ts';
import { kept, viewsOf } from '../span/views-of.ts';
import { outcomeOf } from './agreement.ts';
import { frame } from './frame.ts';

const root = join(import.meta.dirname, '../..');
const seed = 20261128;

async function readFrames(bytes: Uint8Array): Promise<readonly Span[]> {
  const writer = new SpanWriter();
  try {
    await new FramedProtobufReader(writer).read(bytes);
  } catch (error) {
    throw error instanceof PieceError ? toDecodeError('otlp-protobuf', error, 0) : error;
  }
  return viewsOf(writer.finish());
}

/** Asserts that the reader agrees with the strict decoder: the same spans, or the same error. */
async function assertAgrees(bytes: Uint8Array, message = ''): Promise<void> {
  const expected = await outcomeOf(() => kept(decodeFramedProtobuf(bytes)));
  const found = await outcomeOf(() => readFrames(bytes));
  assert.deepEqual({ found, message }, { found: expected, message });
}

/** Whether the scanner reads a request without the strict decoder. */
function isScanned(request: Uint8Array): boolean {
  return new OtlpProtobufScanner(new SpanWriter()).scan(sourceOf(request), 0, request.length);
}

test('captures of real systems give the same spans, and no request needs the strict decoder', async () => {
  const captures = globSync('corpus/*/spans.otlp.jsonl.gz', { cwd: root });
  for (const file of captures.filter((_, at) => at % step() === 0)) {
    const spans = decodeJsonLines(gunzipSync(readFileSync(join(root, file))));
    const request = encodeOtlpProtobuf(spans);
    const decoded = decodeOtlpProtobuf(request);
    assert.equal(decoded.length, spans.length);
    await assertAgrees(frame(request, request), file);
    assert.ok(isScanned(request), file);
    const writer = new SpanWriter();
    assert.equal((await decodeInto(writer, request)).format, 'otlp-protobuf');
    assert.deepEqual(viewsOf(writer.finish()), kept(decoded));
  }
});

test('generated spans are read as by the strict decoder', async () => {
  await fc.assert(
    fc.asyncProperty(anySpans, (spans) => assertAgrees(frame(encodeOtlpProtobuf(spans)))),
    { seed, numRuns: cases(400) },
  );
});

type KeyValueInit = MessageInitShape<typeof KeyValueSchema>;
const text = (key: string, value: string): KeyValueInit => ({
  key,
  value: { value: { case: 'stringValue', value } },
});
const integer = (key: string, value: bigint): KeyValueInit => ({
  key,
  value: { value: { case: 'intValue', value } },
});
const zero: MessageInitShape<typeof AnyValueSchema> = { value: { case: 'stringValue', value: '0' } };
const ids = { traceId: Buffer.alloc(16, 0xa1), spanId: Buffer.alloc(8, 0xb2) };
const span: MessageInitShape<typeof SpanSchema> = {
  ...{
    ...ids,
    parentSpanId: Buffer.alloc(8, 0xc3),
    kind: 2,
  },
  ...{
    flags: 0x301,
    name: 'GET /w\u00f6rk',
    traceState: 'a=b',
    droppedAttributesCount: 300,
    droppedEventsCount: 1,
  },
  ...{ startTimeUnixNano: 1_700_000_000_123_456_789n, endTimeUnixNano: 1_700_000_000_223_456_789n },
  attributes: [
    text('http.request.method', 'GET'),
    integer('http.response.status_code', 200n),
    integer('server.port', -1n),
    text('db.statement', 'select'),
    text('other', '\u65e5\u672c'),
    { key: 'double', value: { value: { case: 'doubleValue', value: 1.5 } } },
    {
      key: 'http.request.header.b3',
      value: { value: { case: 'arrayValue', value: { values: [zero] } } },
    },
    { key: 'status' },
    { key: 'nested', value: { value: { case: 'kvlistValue', value: { values: [text('a', 'b')] } } } },
  ],
  events: [{ timeUnixNano: 1n, name: 'e', attributes: [text('a', 'b')], droppedAttributesCount: 1 }],
  links: [
    {
      traceId: Buffer.alloc(16, 1),
      spanId: Buffer.alloc(8, 2),
      traceState: 'x',
      attributes: [text('a', 'b')],
    },
  ],
  status: { code: 2, message: 'no' },
};
const bare: MessageInitShape<typeof SpanSchema> = {
  traceId: Buffer.alloc(16, 1),
  spanId: Buffer.alloc(8, 2),
};
const scope: MessageInitShape<typeof InstrumentationScopeSchema> = {
  name: 'http',
  version: '1',
  attributes: [text('a', 'b')],
};
const request = toBinary(
  ExportTraceServiceRequestSchema,
  create(ExportTraceServiceRequestSchema, {
    resourceSpans: [
      {
        resource: { attributes: [text('service.name', 'a')] },
        scopeSpans: [{ scope, spans: [span, bare, span], schemaUrl: 'u' }],
        schemaUrl: 'https://opentelemetry.io/schemas/1.37.0',
      },
      { scopeSpans: [{ spans: [bare] }] },
    ],
  }),
);

test('a request with every field is scanned', async () => {
  assert.ok(isScanned(request));
  await assertAgrees(frame(request));
});

test('requests cut or changed at any byte are read as by the strict decoder', async () => {
  const whole = frame(request);
  for (let at = 0; at < whole.length; at += step()) {
    await assertAgrees(Buffer.concat([whole, whole.subarray(0, at)]), `cut at ${at}`);
    // The step is small enough that each kind of change reaches each field of a few bytes.
    const byte = [0, 0x0a, 0xff][at % 3] ?? 0;
    const changed = Buffer.from(whole);
    changed[at] = byte;
    await assertAgrees(changed, `byte ${at} is ${byte}`);
  }
});

test('requests with added, missing or moved bytes are read as by the strict decoder', async () => {
  const position = fc.nat(request.length);
  await fc.assert(
    fc.asyncProperty(
      position,
      fc.nat(30),
      position,
      fc.uint8Array({ maxLength: 12 }),
      async (from, count, to, added) => {
        const bytes = [...request];
        const moved = bytes.slice(from, from + count);
        for (const changed of [
          bytes.toSpliced(to, 0, ...added),
          bytes.toSpliced(to, 0, ...moved),
          bytes.toSpliced(from, count).toSpliced(to, 0, ...moved),
          bytes.toSpliced(to, added.length, ...added),
        ])
          await assertAgrees(frame(request, Uint8Array.from(changed)));
      },
    ),
    { seed, numRuns: cases(200) },
  );
});

const { attributes = [] } = span;
const isKnown = (value: KeyValueInit) => value.key !== 'nested';
/**
 * Spans whose layouts a scanner knows from the second request on: one without a parent, one with all parts of a layout, one with other
 * values.
 */
const known = toBinary(
  ExportTraceServiceRequestSchema,
  create(ExportTraceServiceRequestSchema, {
    resourceSpans: [
      {
        resource: { attributes: [text('service.name', 'a')] },
        scopeSpans: [
          {
            scope: { name: 'http' },
            spans: [
              bare,
              { ...span, links: [], status: { code: 2 }, attributes: attributes.filter(isKnown) },
              {
                ...{ ...bare, name: 'x'.repeat(200), kind: 3, startTimeUnixNano: 1n },
                attributes: [text('url.path', `/${'y'.repeat(300)}`), integer('server.port', 8080n)],
              },
            ],
          },
        ],
      },
    ],
  }),
);

test('spans cut or changed at any byte, after spans of the same layout, are read as by the strict decoder', async () => {
  const learned = frame(known, known);
  await assertAgrees(Buffer.concat([learned, learned]));
  for (let at = known.indexOf(0x12); at < known.length; at += step()) {
    const byte = known[at] ?? 0;
    // The step is small enough that each change reaches each token of a few bytes.
    const others = [byte ^ 1, 0, byte ^ 0x80, 0x0a, byte + 1, 0x12, 0xff, byte - 1];
    const other = others[at % others.length] ?? 0;
    const changed = [...known].with(at, other & 0xff);
    await assertAgrees(
      Buffer.concat([learned, frame(Uint8Array.from(changed), known)]),
      `byte ${at} is ${other}`,
    );
  }
});

test('spans with added, missing or moved bytes, after spans of the same layout, are read as by the strict decoder', async () => {
  const position = fc.nat(known.length);
  const learned = frame(known, known);
  await fc.assert(
    fc.asyncProperty(
      position,
      fc.nat(30),
      position,
      fc.uint8Array({ maxLength: 3 }),
      async (from, count, to, added) => {
        const bytes = [...known];
        const moved = bytes.slice(from, from + count);
        for (const changed of [
          bytes.toSpliced(to, added.length, ...added),
          bytes.toSpliced(to, moved.length, ...moved),
        ])
          await assertAgrees(Buffer.concat([learned, frame(Uint8Array.from(changed), known)]));
      },
    ),
    { seed, numRuns: cases(400) },
  );
});

test("a value's tag of two bytes is not recognised by its first byte alone", async () => {
  const below = (tag: number, inner: readonly number[]) => [tag, inner.length, ...inner];
  const requestOf = (value: readonly number[]) => {
    const attribute = below(0x4a, [...below(0x0a, [...Buffer.from('url.path')]), ...value]);
    const written = [...below(0x0a, [...ids.traceId]), ...below(0x12, [...ids.spanId]), ...attribute];
    return Uint8Array.from(below(0x0a, below(0x12, below(0x12, written))));
  };
  const learned = requestOf([0x92, 0, ...below(0x0a, [0x61]).toSpliced(0, 0, 3)]);
  // Field 178 with ten bytes; read as a tag of one byte it would be a text of nine bytes.
  const other = requestOf([0x92, 11, 10, 9, ...Buffer.from('nine char')]);
  await assertAgrees(frame(learned, learned, other));
});

test('spans of a known layout may have values of other lengths, types and signs', async () => {
  const values: readonly KeyValueInit['value'][] = [
    ...['', 'a', '\u00e9', 'a'.repeat(127), 'a'.repeat(128), 'a'.repeat(20_000)].map((value) => ({
      value: { case: 'stringValue' as const, value },
    })),
    ...[0n, 1n, 127n, 128n, 2n ** 49n, 2n ** 53n, -1n].map((value) => ({
      value: { case: 'intValue' as const, value },
    })),
    ...[true, false].map((value) => ({ value: { case: 'boolValue' as const, value } })),
    ...[{ value: { case: 'doubleValue' as const, value: 0.5 } }, {}, undefined],
  ];
  const requests = values.flatMap((value) =>
    values.map((second) =>
      toBinary(
        ExportTraceServiceRequestSchema,
        create(ExportTraceServiceRequestSchema, {
          resourceSpans: [
            {
              scopeSpans: [
                {
                  spans: [
                    {
                      ...bare,
                      attributes: ['url.path', 'unknown', 'server.port'].map((key, index) => ({
                        ...{
                          key,
                          ...((index === 2 ? second : value) === undefined
                            ? {}
                            : { value: index === 2 ? second : value }),
                        },
                      })),
                    },
                  ],
                },
              ],
            },
          ],
        }),
      ),
    ),
  );
  await assertAgrees(frame(...requests, ...requests.toReversed()));
});

/** Any field: its tag, and a value. */
const anyField = fc
  .tuple(fc.nat(140), fc.uint8Array({ maxLength: 9 }))
  .map(([tag, value]) => [tag, ...value]);

test('messages of any fields are read as by the strict decoder', async () => {
  const message = (fields: readonly (readonly number[])[]) => fields.flat();
  const below = (tag: number, inner: readonly number[]) => [tag, inner.length % 128, ...inner];
  await fc.assert(
    fc.asyncProperty(fc.array(anyField, { maxLength: 4 }), fc.nat(4), async (fields, depth) => {
      const inner = message(fields);
      const written = [0x0a, 16, ...ids.traceId, 0x12, 8, ...ids.spanId];
      const levels = [
        inner,
        below(0x0a, inner),
        below(0x0a, below(0x12, inner)),
        below(0x0a, below(0x12, below(0x12, [...written, ...inner]))),
        below(0x0a, below(0x12, below(0x12, [...written, ...below(0x4a, inner)]))),
      ];
      await assertAgrees(frame(Uint8Array.from(levels[depth] ?? [])));
    }),
    { seed, numRuns: cases(800) },
  );
});
