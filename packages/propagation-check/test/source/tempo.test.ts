import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { ExportTraceServiceRequestSchema } from '../../src/decode/generated/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';
import { createTempoSource } from '../../src/source/tempo.ts';
import { otlpRequest } from '../decode/fixture.ts';
import { type Answer, startStore } from './start-store.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const request = create(ExportTraceServiceRequestSchema, {
  resourceSpans: [
    { scopeSpans: [{ spans: [{ traceId: Buffer.from(traceId, 'hex'), spanId: Buffer.alloc(8, 3) }] }] },
  ],
});
const tracesData = toBinary(ExportTraceServiceRequestSchema, request);
const base64Span = {
  traceId: Buffer.from(traceId, 'hex').toString('base64'),
  spanId: Buffer.alloc(8, 3).toString('base64'),
};
const { resourceSpans } = otlpRequest(base64Span);
const protobuf = { 'content-type': 'application/protobuf' } as const;

function traceById(status: number): Uint8Array {
  const writer = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(tracesData);
  writer.tag(2, WireType.LengthDelimited).bytes(new Uint8Array());
  writer.tag(3, WireType.Varint).int32(status);
  return writer.tag(4, WireType.LengthDelimited).string('trace exceeds max size').finish();
}

const v2 = `/api/v2/traces/${traceId}`;
const v1 = `/api/traces/${traceId}`;

const answers: readonly (readonly [string, string, Answer])[] = [
  ['v2 in protobuf', v2, [200, traceById(0), protobuf]],
  ['v2 in JSON with base64 ids', v2, [200, { trace: { resourceSpans }, metrics: {} }]],
  ['v1 in protobuf', v1, [200, tracesData, protobuf]],
  ['v1 in JSON with base64 ids', v1, [200, { batches: resourceSpans }]],
];

for (const [name, path, body] of answers) {
  test(`a trace is read: ${name}`, async (t) => {
    const { source } = await startStore(t, createTempoSource, (asked) =>
      asked === path ? body : [404, '404 page not found'],
    );
    const [span, ...others] = await source.readTrace(traceId);
    assert.deepEqual([span?.traceId, span?.spanId, others.length], [traceId, '0303030303030303', 0]);
  });
}

test('a trace that Tempo does not have gives no spans', async (t) => {
  const { source, asked } = await startStore(t, createTempoSource, () => [404, 'trace not found']);
  assert.deepEqual(await source.readTrace('abc'), []);
  assert.deepEqual(
    asked,
    ['/api/v2/traces/', '/api/traces/'].map((path) => path + 'abc'.padStart(32, '0')),
  );
  for (const body of [{ trace: {}, metrics: {} }, { trace: null }, { metrics: {} }]) {
    const empty = await startStore(t, createTempoSource, () => [200, body]);
    assert.deepEqual(await empty.source.readTrace(traceId), []);
  }
});

test('after an empty 404 of a query frontend, /api/echo is requested once', async (t) => {
  const { source, asked } = await startStore(t, createTempoSource, (path) =>
    path === '/api/echo' ? [200, 'echo'] : [404, ''],
  );
  assert.deepEqual(await source.readTrace(traceId), []);
  assert.deepEqual(await source.readTrace(traceId), []);
  assert.deepEqual(asked, [v2, v1, '/api/echo', v2, v1]);
});

test('404 answers of older versions and queriers give no spans', async (t) => {
  const bodies: readonly Answer[] = [
    [404, `Unable to find ${traceId}\n`],
    [404, { metrics: {} }],
    [404, Uint8Array.of(0x12, 0x00), protobuf],
  ];
  for (const body of bodies) {
    const { source } = await startStore(t, createTempoSource, () => body);
    assert.deepEqual(await source.readTrace(traceId), []);
  }
});

const strangers: readonly (readonly [string, number, unknown])[] = [
  ['nothing', 404, ''],
  ['another text', 404, '404 page not found'],
  ['Fastify’s 404', 404, { message: 'Route GET:/x not found', error: 'Not Found', statusCode: 404 }],
  ['an empty object for everything', 200, {}],
  ['an empty list for everything', 200, []],
];

for (const [name, status, body] of strangers) {
  test(`a server that is not Tempo is an error with its answer: ${name}`, async (t) => {
    const { source, origin } = await startStore(t, createTempoSource, () => [status, body]);
    await assert.rejects(source.readTrace(traceId), {
      name: 'SourceError',
      message: new RegExp(
        `^tempo=${origin}: /api/(v2/)?traces/${traceId} answered status ${status} and .*, not Tempo's API; use the`,
      ),
    });
  });
}

test("an empty search answer counts only with Tempo's metrics", async (t) => {
  const query = { service: 'a', startTimeMin: 0, startTimeMax: 1, limit: 1 };
  for (const body of [{ metrics: {} }, { traces: [], metrics: { inspectedTraces: 3 } }]) {
    const { source } = await startStore(t, createTempoSource, () => [200, body]);
    assert.deepEqual(await source.searchTraces(query), []);
  }
  for (const body of [{}, { status: 'ok' }]) {
    const { source } = await startStore(t, createTempoSource, () => [200, body]);
    await assert.rejects(source.searchTraces(query), {
      message: /\/api\/search answered status 200 and .*, not Tempo's API; use/,
    });
  }
});

test("a partial trace is an error, because its missing spans would look like a service's fault", async (t) => {
  const message =
    /cannot be read: status: Tempo answered only a part of the trace: "trace exceeds max size"$/;
  const binary = await startStore(t, createTempoSource, () => [200, traceById(1), protobuf]);
  await assert.rejects(binary.source.readTrace(traceId), { name: 'SourceError', message });
  const partial = { trace: {}, status: 'PARTIAL', message: 'trace exceeds max size' };
  const json = await startStore(t, createTempoSource, () => [200, partial]);
  await assert.rejects(json.source.readTrace(traceId), { name: 'SourceError', message });
});

test('a search gets ids by TraceQL and reads every trace', async (t) => {
  const { source, asked } = await startStore(t, createTempoSource, (path, params) => {
    if (path !== '/api/search') return [200, { trace: { resourceSpans } }];
    assert.deepEqual(Object.fromEntries(params), {
      q: '{ resource.service.name = "a \\"b\\" \\\\" }',
      start: '1700000000',
      end: '1700000061',
      limit: '7',
    });
    return [200, { traces: [{ traceID: 'abc' }, { traceID: 'def' }] }];
  });
  const spans = await source.searchTraces({
    service: 'a "b" \\',
    startTimeMin: 1_700_000_000_500,
    startTimeMax: 1_700_000_060_500,
    limit: 7,
  });
  assert.equal(spans.length, 2);
  assert.deepEqual(asked.toSorted(), [
    '/api/search',
    ...['abc', 'def'].map((id) => `/api/v2/traces/${id.padStart(32, '0')}`),
  ]);
});

test('unusable answers are errors that name the path', async (t) => {
  const query = { service: 'a', startTimeMin: 0, startTimeMax: 1, limit: 1 };
  const page = await startStore(t, createTempoSource, () => [200, '<html>']);
  await assert.rejects(page.source.readTrace(traceId), {
    message: new RegExp(`^tempo=${page.origin}: ${v1} answered a web page, not Tempo's API; .*X-Scope-OrgID`),
  });
  await assert.rejects(page.source.searchTraces(query), { message: /\/api\/search answered a web page/ });
  const failing = await startStore(t, createTempoSource, () => [500, 'no ingesters']);
  await assert.rejects(failing.source.readTrace(traceId), {
    message: /answered status 500 and “no ingesters”/,
  });
  const wrong = await startStore(t, createTempoSource, () => [200, { traces: [{}] }]);
  await assert.rejects(wrong.source.searchTraces(query), {
    message: /the search's answer cannot be read: traces\[0\]\.traceID: expected string/,
  });
  const hostile = await startStore(t, createTempoSource, () => [200, { traces: [{ traceID: '../admin' }] }]);
  await assert.rejects(hostile.source.searchTraces(query), {
    name: 'SourceError',
    message: /is not a trace id/,
  });
  const damaged = await startStore(t, createTempoSource, () => [200, traceById(0).subarray(0, 9), protobuf]);
  await assert.rejects(damaged.source.readTrace(traceId), {
    message: /cannot be read: byte 0: not Tempo's protobuf/,
  });
});
