import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { decodeJsonLines } from '../../src/decode/json-lines.ts';
import { OtlpLinesReader } from '../../src/decode/otlp-lines-reader.ts';
import { PieceError, toDecodeError } from '../../src/decode/piece-reader.ts';
import { OtlpJsonScanner } from '../../src/decode/scan-otlp-json.ts';
import { splitLines } from '../../src/decode/split-lines.ts';
import { sourceOf } from '../../src/span/byte-source.ts';
import { encodeOtlpLines } from '../../src/span/encode-otlp-lines.ts';
import type { Span } from '../../src/span/span.ts';
import { SpanWriter } from '../../src/span/span-writer.ts';
import { cases, step } from '../cases.ts';
import { anySpans } from '../span/any-span.ts';
import { kept, viewsOf } from '../span/views-of.ts';
import { outcomeOf } from './agreement.ts';
import { otlpRequest, otlpSpan, readFixture } from './fixture.ts';

const root = join(import.meta.dirname, '../..');
const seed = 20261128;

async function readLines(bytes: Uint8Array): Promise<readonly Span[]> {
  const writer = new SpanWriter();
  try {
    await new OtlpLinesReader(writer).read(bytes);
  } catch (error) {
    throw error instanceof PieceError ? toDecodeError('json-lines', error, 0) : error;
  }
  return viewsOf(writer.finish());
}

/** Asserts that the reader agrees with the strict decoder: the same spans, or the same error. */
async function assertAgrees(bytes: Uint8Array, message = ''): Promise<void> {
  const expected = await outcomeOf(() => kept(decodeJsonLines(bytes)));
  const found = await outcomeOf(() => readLines(bytes));
  assert.deepEqual({ found, message }, { found: expected, message });
}

/** Whether the scanner reads a line without the strict decoder. */
function isScanned(line: string | Uint8Array): boolean {
  const bytes = Buffer.from(line);
  return new OtlpJsonScanner(new SpanWriter()).scan(sourceOf(bytes), 0, bytes.length);
}

const captures = globSync('{corpus,captures}/*/spans.otlp.jsonl.gz', { cwd: root });

test('captures of real systems give the same spans, and no line needs the strict decoder', async () => {
  assert.ok(captures.length > 200);
  for (const file of captures.filter((_, at) => at % step() === 0)) {
    const bytes = gunzipSync(readFileSync(join(root, file)));
    await assertAgrees(bytes, file);
    const scanner = new OtlpJsonScanner(new SpanWriter());
    for (const { start, end, number } of splitLines(bytes))
      assert.ok(scanner.scan(sourceOf(bytes), start, end), `${file}: line ${number}`);
  }
  await assertAgrees(readFixture('grpc-unary.otlp.jsonl'));
});

test('generated spans in the form that this project writes are read as by the strict decoder', async () => {
  await fc.assert(
    fc.asyncProperty(anySpans, (spans) => assertAgrees(Buffer.from(encodeOtlpLines(spans)))),
    { seed, numRuns: cases(400) },
  );
});

const attributes = [
  { key: 'http.request.method', value: { stringValue: 'GET' } },
  { key: 'http.response.status_code', value: { intValue: '200' } },
  { key: 'server.port', value: { intValue: 8080 } },
  { key: 'url.path', value: { stringValue: '/w\u00f6rk/"1"' } },
  { key: 'http.request.header.traceparent', value: { arrayValue: { values: [{ stringValue: '00-a' }] } } },
  { key: 'db.statement', value: { stringValue: 'select' } },
  { key: 'other', value: { doubleValue: -1.5 } },
  { key: 'more', value: { boolValue: true } },
  { key: 'list', value: { kvlistValue: { values: [{ key: 'a', value: { stringValue: 'b' } }] } } },
];
const span = otlpSpan({
  ...{ parentSpanId: '00f067aa0ba902b7', traceState: 'a=b', flags: 769, name: 'GET /work/:id', kind: 2 },
  ...{
    startTimeUnixNano: '1700000000123456789',
    endTimeUnixNano: '1700000000223456789',
    unknown: [{ a: [1.5e3] }],
  },
  attributes,
  events: [{ timeUnixNano: '1', name: 'e', attributes: [{ key: 'a', value: { stringValue: '\\' } }] }],
  links: [
    { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7', traceState: '', flags: 1 },
  ],
  status: { code: 2, message: 'no' },
  ...{ droppedAttributesCount: 0, droppedEventsCount: 7, droppedLinksCount: 12 },
});
const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'a' } }] };
const request = {
  resourceSpans: [
    {
      resource,
      scopeSpans: [
        {
          scope: { name: 'http', version: '1' },
          spans: [span, otlpSpan({ droppedLinksCount: 0, droppedAttributesCount: 1 })],
        },
      ],
      schemaUrl: '',
    },
    { scopeSpans: [{ spans: [otlpSpan({ name: 'last' })], scope: { name: 'after' } }], resource },
  ],
};
const line = JSON.stringify(request);

test('a request with every field is scanned, also with white space', async () => {
  assert.ok(isScanned(line));
  assert.ok(isScanned(JSON.stringify(request, null, 2)));
  await assertAgrees(Buffer.from(line));
  await assertAgrees(Buffer.from(JSON.stringify(request, null, 1).replaceAll('\n', '\t')));
});

test('a list of scopes under its older name or its .proto name is read as by the strict decoder', async () => {
  for (const name of ['instrumentationLibrarySpans', 'scope_spans'])
    await assertAgrees(Buffer.from(line.replace('"scopeSpans"', `"${name}"`)), name);
});

test('a line cut or changed at any byte is read as by the strict decoder', async () => {
  const bytes = Buffer.from(line);
  const intact = Buffer.from(`${line}\n`);
  const newline = Buffer.from('\n');
  const signs = Buffer.from('\n"\\}');
  for (let at = 0; at < bytes.length; at += step()) {
    await assertAgrees(Buffer.concat([newline, bytes.subarray(0, at), intact]), `cut at ${at}`);
    // The step is small enough that each kind of change reaches each token of a few bytes.
    const byte = signs[at % signs.length] ?? 0;
    const changed = Buffer.from(intact);
    changed[at] = byte;
    await assertAgrees(changed, `byte ${at} is ${byte}`);
  }
});

function isPlain(value: object): boolean {
  return !('arrayValue' in value || 'kvlistValue' in value);
}

/** Two spans whose layouts a scanner knows from the second line on: one without a parent, one with all parts of a layout. */
const known = {
  resourceSpans: [
    {
      resource,
      scopeSpans: [
        {
          scope: { name: 'http' },
          spans: [
            otlpSpan({
              parentSpanId: '',
              startTimeUnixNano: '1700000000123456789',
              endTimeUnixNano: '1700000000223456789',
            }),
            {
              ...span,
              ...{
                attributes: attributes.filter(({ value }) => isPlain(value)),
                links: [],
                droppedLinksCount: 0,
              },
            },
          ],
        },
      ],
    },
  ],
};
const knownLine = JSON.stringify(known);

test('a span cut or changed at any byte, after spans of the same layout, is read as by the strict decoder', async () => {
  const learned = `${knownLine}\n`.repeat(2);
  const start = knownLine.indexOf('"spans"');
  await assertAgrees(Buffer.from(learned.repeat(2)));
  const signs = '"\\}0a ';
  const intact = `${knownLine}\n`;
  for (let at = start; at < knownLine.length; at += step()) {
    const [before, after] = [knownLine.slice(0, at), knownLine.slice(at)];
    // The step is small enough that each kind of change reaches each token of a few bytes.
    const sign = signs[at % signs.length];
    const changed = [
      before,
      `${before}${sign}${after.slice(1)}\n${intact}`,
      `${before}${sign}${after}\n${intact}`,
    ];
    const lines = changed[Math.floor(at / signs.length) % changed.length];
    await assertAgrees(Buffer.from(`${learned}${lines}`), `${sign} at byte ${at}`);
  }
});

test('a span with another kind of value than the known layout needs no strict decoder', async () => {
  const others = [
    ['"parentSpanId":""', '"parentSpanId":"00f067aa0ba902b8"'],
    ['"parentSpanId":"00f067aa0ba902b7"', '"parentSpanId":""'],
    ['"intValue":"200"', '"intValue":404'],
    ['"intValue":"200"', '"intValue":"007"'],
    ['"intValue":8080', '"intValue":"8080"'],
    ['"doubleValue":-1.5', '"doubleValue":"NaN"'],
    ['"stringValue":"GET"', '"stringValue":""'],
    ['"droppedLinksCount":0', '"droppedLinksCount":1'],
    ['"droppedAttributesCount":0', '"droppedAttributesCount":4294967296'],
    ['"1700000000223456789"', '"0"'],
    ['"1700000000223456789"', '"170000000022345678"'],
  ] as const;
  for (const [from, to] of others) {
    const other = knownLine.replace(from, to);
    assert.notEqual(other, knownLine);
    const scanner = new OtlpJsonScanner(new SpanWriter());
    for (const text of [knownLine, knownLine, other, knownLine]) {
      const bytes = Buffer.from(text);
      assert.ok(scanner.scan(sourceOf(bytes), 0, bytes.length), to);
    }
    await assertAgrees(Buffer.from(`${knownLine}\n`.repeat(2) + other), to);
  }
  for (const id of [span.traceId, span.spanId]) {
    const zeros = knownLine.replaceAll(`Id":"${id}"`, (text) =>
      text.replace(/[0-9a-f]{16,}/, (hex) => '0'.repeat(hex.length)),
    );
    assert.notEqual(zeros, knownLine);
    await assertAgrees(Buffer.from(`${knownLine}\n`.repeat(2) + zeros), zeros);
  }
});

/** A token that replaces another one. */
const anyToken = fc.constantFrom(
  ...[
    '""',
    '"x"',
    '0',
    '-0',
    '01',
    '1.',
    '1e400',
    'null',
    'true',
    '[]',
    '{}',
    '[null]',
    '{"a":1}',
    'nul',
    '"\\ud800"',
    '"\\u0061"',
    '"\\x"',
  ],
  ...[
    '"1700000000123456789"',
    '"18446744073709551616"',
    '"-1"',
    '4294967295',
    '4294967296',
    '"0"',
    '"00000000000000000000"',
    '1e3',
    '9007199254740993',
  ],
  ...[
    '"00000000000000000000000000000000"',
    '"0000000000000000"',
    '"S/kvNXezTaajzpKdDg5HNg=="',
    '"0AF7651916CD43DD8448EB211C80319C"',
    '"SPAN_KIND_SERVER"',
    '"SPAN_KIND_"',
  ],
  ...[
    '{"stringValue":1}',
    '{"stringValue":null,"intValue":"5"}',
    '{"intValue":"007"}',
    '{"intValue":1.5}',
    '{"doubleValue":"NaN"}',
    '{"arrayValue":{}}',
    '{"bytesValue":"AA=="}',
  ],
  ...[
    '"traceId"',
    '"spanId"',
    '"key"',
    '"resourceSpans"',
    '"instrumentationLibrarySpans"',
    '"scope_spans"',
    '"scope\\u0053pans"',
    '"__proto__"',
    '"batches"',
  ],
);
const tokens = tokensOf(line);

function tokensOf(json: string): readonly string[] {
  return json.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^{}[\],:"]+/g) ?? [];
}

test('a line with other tokens is read as by the strict decoder', async () => {
  assert.equal(tokens.join(''), line);
  const change = fc.tuple(
    fc.nat(tokens.length - 1),
    fc.oneof(
      anyToken,
      fc.nat(tokens.length - 1).map((at) => tokens[at] ?? ''),
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
      const changed = [...tokens];
      for (const [at, token] of changes) changed[at] = token;
      await assertAgrees(Buffer.from(`${line}\n${changed.join('')}\n${line}`));
    }),
    { seed, numRuns: cases(1_600) },
  );
});

test('a line with other tokens, after spans of the same layout, is read as by the strict decoder', async () => {
  const knownTokens = tokensOf(knownLine);
  const change = fc.tuple(
    fc.nat(knownTokens.length - 1),
    fc.oneof(
      anyToken,
      fc.nat(knownTokens.length - 1).map((at) => knownTokens[at] ?? ''),
    ),
  );
  const changes = fc.array(change, { minLength: 1, maxLength: 2 });
  await fc.assert(
    fc.asyncProperty(fc.array(changes, { minLength: 2, maxLength: 4 }), async (lines) => {
      const changed = lines.map((ofLine) => {
        const written = [...knownTokens];
        for (const [at, token] of ofLine) written[at] = token;
        return written.join('');
      });
      // Each line is a file of its own, so that a fault does not hide later lines. One scanner reads all, and knows the layouts of the
      // earlier ones.
      const writer = new SpanWriter();
      const scanner = new OtlpJsonScanner(writer);
      for (const text of [knownLine, ...changed, knownLine]) {
        const bytes = Buffer.from(text);
        const before = writer.rows;
        if (!scanner.scan(sourceOf(bytes), 0, bytes.length)) continue;
        const expected = await outcomeOf(() => kept(decodeJsonLines(bytes)));
        const found = await outcomeOf(async () => viewsOf(writer.finish()).slice(before));
        assert.deepEqual({ found, text }, { found: expected, text });
      }
    }),
    { seed, numRuns: cases(1_000) },
  );
});

test('a line with a repeated, missing or moved member is read as by the strict decoder', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(tokens.length), fc.nat(40), fc.nat(tokens.length), async (from, count, to) => {
      const moved = tokens.slice(from, from + count);
      await assertAgrees(Buffer.from(tokens.toSpliced(to, 0, ...moved).join('')));
      await assertAgrees(
        Buffer.from(
          tokens
            .toSpliced(from, count)
            .toSpliced(to, 0, ...moved)
            .join(''),
        ),
      );
    }),
    { seed, numRuns: cases(600) },
  );
});

test('a line with any inserted bytes is read as by the strict decoder', async () => {
  const bytes = fc.uint8Array({ maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(fc.nat(line.length), bytes, (at, inserted) =>
      assertAgrees(Buffer.concat([Buffer.from(line.slice(0, at)), inserted, Buffer.from(line.slice(at))])),
    ),
    { seed, numRuns: cases(600) },
  );
});

test('the last of two attributes with the same key counts', async () => {
  const attributes = ['/a', '/b'].map((path) => ({ key: 'url.path', value: { stringValue: path } }));
  await assertAgrees(Buffer.from(JSON.stringify(otlpRequest(otlpSpan({ attributes })))));
});
