import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBytes } from '../../src/decode/detect-format.ts';
import { decodeJaegerJson } from '../../src/decode/jaeger-json.ts';
import { decodeJsonLines } from '../../src/decode/json-lines.ts';
import type { Span } from '../../src/span/span.ts';
import { readFixture } from './fixture.ts';

/** The fields that every format has, in a fixed order, with times rounded to Jaeger's microseconds. */
function comparable(spans: readonly Span[]) {
  return spans
    .map(
      ({
        traceId,
        spanId,
        parentSpanId,
        name,
        kind,
        links,
        serviceName,
        scopeName,
        status,
        startTimeUnixNano,
      }) => ({
        ...{ traceId, spanId, parentSpanId, name, kind, links, serviceName, scopeName, status: status.code },
        start: startTimeUnixNano / 1_000n,
      }),
    )
    .sort((a, b) => (a.spanId < b.spanId ? -1 : 1));
}

for (const name of ['grpc-unary', 'links']) {
  test(`a real Jaeger's answers and the Collector's capture of the same trace agree: ${name}`, () => {
    const v1 = decodeBytes(readFixture(`${name}.jaeger-v1.json`));
    const v3 = decodeBytes(readFixture(`${name}.jaeger-v3.json`));
    assert.equal(v1.format, 'jaeger-v1');
    assert.equal(v3.format, 'jaeger-v3');
    const traceId = v3.spans[0]?.traceId;
    const captured = decodeJsonLines(readFixture(`${name}.otlp.jsonl`)).filter(
      (span) => span.traceId === traceId,
    );
    assert.ok(captured.length > 0);
    assert.deepEqual(comparable(v3.spans), comparable(captured));
    assert.deepEqual(comparable(v1.spans), comparable(captured));
    assert.ok(v1.spans.every((span) => span.flags === null));
  });
}

function decodeOne(fields: Readonly<Record<string, unknown>>, processes: unknown = {}): Span {
  const span = { traceID: 'abc', spanID: '1', operationName: 'op', startTime: 1_000, duration: 5, ...fields };
  const [decoded] = decodeJaegerJson({ data: [{ traceID: 'abc', spans: [span], processes }] });
  assert.ok(decoded);
  return decoded;
}

const reference = (refType: string, traceID: string, spanID: string) => ({ refType, traceID, spanID });

test('short ids are padded, times are microseconds', () => {
  const span = decodeOne({ traceID: `1${'0'.repeat(16)}` });
  assert.equal(span.traceId, `${'0'.repeat(15)}1${'0'.repeat(16)}`);
  assert.equal(span.spanId, '0000000000000001');
  assert.equal(decodeOne({}).traceId, '0000000000000abc');
  assert.deepEqual([span.startTimeUnixNano, span.endTimeUnixNano], [1_000_000n, 1_005_000n]);
});

test('the parent is the first CHILD_OF within the trace, then FOLLOWS_FROM; the rest are links', () => {
  const other = reference('CHILD_OF', 'def', '9');
  const follows = reference('FOLLOWS_FROM', 'abc', '2');
  const childOf = reference('CHILD_OF', 'abc', '3');
  const both = decodeOne({ references: [other, follows, childOf] });
  assert.equal(both.parentSpanId, '0000000000000003');
  assert.deepEqual(both.links, [
    { traceId: '0000000000000def', spanId: '0000000000000009' },
    { traceId: '0000000000000abc', spanId: '0000000000000002' },
  ]);
  assert.equal(decodeOne({ references: [other, follows] }).parentSpanId, '0000000000000002');
  assert.equal(decodeOne({ references: [other] }).parentSpanId, null);
  assert.equal(decodeOne({ parentSpanID: '4' }).parentSpanId, '0000000000000004');
});

test('tags become fields and attributes of their type', () => {
  const span = decodeOne({
    tags: [
      { key: 'span.kind', type: 'string', value: 'producer' },
      { key: 'otel.library.name', type: 'string', value: 'old-name' },
      { key: 'w3c.tracestate', type: 'string', value: 'a=1' },
      { key: 'otel.status_description', type: 'string', value: 'why' },
      { key: 'error', type: 'bool', value: true },
      { key: 'count', type: 'int64', value: 3 },
      { key: 'large', type: 'int64', value: '9223372036854775807' },
      { key: '__proto__', type: 'string', value: 'x' },
    ],
  });
  assert.equal(span.kind, 'PRODUCER');
  assert.equal(span.scopeName, 'old-name');
  assert.equal(span.traceState, 'a=1');
  assert.deepEqual(span.status, { code: 'ERROR', message: 'why' });
  assert.deepEqual(
    span.attributes,
    new Map<string, unknown>([
      ['error', true],
      ['count', 3],
      ['large', '9223372036854775807'],
      ['__proto__', 'x'],
    ]),
  );
});

test('service and resource are read from the process, whatever its key', () => {
  const processes = JSON.parse(
    '{"__proto__":{"serviceName":"shop","tags":[{"key":"host.name","type":"string","value":"h"}]}}',
  );
  const span = decodeOne({ processID: '__proto__' }, processes);
  assert.equal(span.serviceName, 'shop');
  assert.deepEqual(
    [...span.resource],
    [
      ['host.name', 'h'],
      ['service.name', 'shop'],
    ],
  );
  assert.equal(decodeOne({ processID: 'constructor' }, processes).serviceName, null);
  assert.equal(decodeOne({ process: { serviceName: 'OTLPResourceNoServiceName' } }).serviceName, null);
});

test('a message begins with the path of the wrong value', () => {
  const rejected = (document: unknown, message: string) =>
    assert.throws(() => decodeJaegerJson(document), { name: 'DecodeError', message });
  const trace = (span: unknown) => ({ data: [{ spans: [] }, { spans: [span] }] });
  const good = { traceID: 'abc', spanID: '1', startTime: 1 };
  rejected(trace({ ...good, spanID: '0' }), 'data[1].spans[0].spanID: all zeros is not a valid id');
  rejected(
    trace({ ...good, startTime: 'NaN' }),
    'data[1].spans[0].startTime: "NaN" is not a number of microseconds',
  );
  rejected(
    trace({ ...good, references: [reference('CHILD_OF', 'zz', '1')] }),
    'data[1].spans[0].references[0].traceID: "zz" is not 16 or 32 hex digits',
  );
  rejected(
    trace({ ...good, tags: [{ key: 1 }] }),
    'data[1].spans[0].tags[0].key: expected string, received number',
  );
  rejected({ data: [{ spans: 1 }] }, 'data[0].spans: expected an array');
  rejected(
    { data: [{ spans: [], processes: { p1: 5 } }] },
    'data[0].processes["p1"]: expected object, received number',
  );
  rejected(
    { data: null, errors: [{ code: 404, msg: 'trace not found' }] },
    'data: Jaeger answered an error: "trace not found"',
  );
});
