import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDocument } from '../../src/decode/read-document.ts';
import { joinReadings } from '../../src/decode/reading.ts';
import { expectPath, noExpectation } from '../../src/expect/expectation.ts';
import type { Span } from '../../src/span/span.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readFixture } from './fixture.ts';

const trace = '463ac35c9f6413ad';

function zipkinSpan(
  id: string,
  service: string,
  fields: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return {
    ...{ traceId: trace, id: id.padStart(16, '0'), name: id, timestamp: 1_000, duration: 100 },
    ...{ localEndpoint: { serviceName: service }, ...fields },
  };
}

function find(spans: readonly Span[], predicate: (span: Span) => boolean): Span {
  const span = spans.find(predicate);
  assert.ok(span);
  return span;
}

const decodeZipkinJson = (document: unknown) => joinReadings(readDocument(document)).spans;
const isServer = (span: Span) => span.kind === 'SERVER';
const named = (name: string) => (span: Span) => span.name === name;

test('a span with every field', () => {
  const [span] = decodeZipkinJson([
    {
      ...{
        traceId: '5af7183fb1d4cf5f463ac35c9f6413ad',
        id: '352BFF9A74CA9AD2',
        parentId: '6b221d5bc9e6496c',
      },
      ...{ name: 'get /api', kind: 'CLIENT', timestamp: 1_556_604_172_355_737, duration: 1431 },
      localEndpoint: { serviceName: 'backend', ipv4: '192.168.99.1' },
      remoteEndpoint: { serviceName: 'db', ipv4: '172.19.0.2', port: 58_648 },
      tags: { 'http.method': 'GET', error: 'timed out', 'otel.scope.name': 'lib' },
    },
  ]);
  assert.deepEqual(span, {
    ...{
      traceId: '5af7183fb1d4cf5f463ac35c9f6413ad',
      spanId: '352bff9a74ca9ad2',
      parentSpanId: '6b221d5bc9e6496c',
    },
    ...{ traceState: '', flags: null, name: 'get /api', kind: 'CLIENT' },
    startTimeUnixNano: 1_556_604_172_355_737_000n,
    endTimeUnixNano: 1_556_604_172_357_168_000n,
    attributes: new Map<string, unknown>([
      ['peer.service', 'db'],
      ['network.peer.address', '172.19.0.2'],
      ['network.peer.port', 58_648],
      ['http.method', 'GET'],
      ['error', 'timed out'],
      ['otel.scope.name', 'lib'],
    ]),
    links: [],
    status: { code: 'ERROR', message: 'timed out' },
    serviceName: 'backend',
    resource: new Map([['service.name', 'backend']]),
    scopeName: 'lib',
  });
});

/*
 *   a: CLIENT 2 ──(same id)── b: SERVER 2
 *      └─ a: connect 3           └─ b: query 4
 */
const shared = [
  zipkinSpan('1', 'a', { kind: 'SERVER' }),
  zipkinSpan('2', 'a', { kind: 'CLIENT', parentId: '1' }),
  zipkinSpan('2', 'b', { kind: 'SERVER', parentId: '1', shared: true, name: 'shared' }),
  zipkinSpan('3', 'a', { parentId: '2' }),
  zipkinSpan('4', 'b', { parentId: '2' }),
];

test('a server that shares its client’s span id becomes the child of the client', () => {
  const spans = decodeZipkinJson(shared);
  const client = find(spans, named('2'));
  const server = find(spans, named('shared'));
  assert.equal(client.spanId, '0000000000000002');
  assert.equal(client.parentSpanId, '0000000000000001');
  assert.notEqual(server.spanId, client.spanId);
  assert.equal(server.parentSpanId, client.spanId);
  assert.equal(find(spans, named('3')).parentSpanId, client.spanId);
  assert.equal(find(spans, named('4')).parentSpanId, server.spanId);
  assert.equal(new Set(spans.map((span) => span.spanId)).size, spans.length);
});

test('decoding again, and in another order, gives the same ids', () => {
  const ids = (document: unknown) =>
    decodeZipkinJson(document)
      .map((span) => `${span.name} ${span.spanId} ${span.parentSpanId}`)
      .sort();
  assert.deepEqual(ids(shared), ids([...shared].reverse()));
});

test('a server that shares an id without the field `shared` is recognised by its client', () => {
  const spans = decodeZipkinJson(shared.map((span) => ({ ...span, shared: undefined })));
  assert.equal(find(spans, named('shared')).parentSpanId, '0000000000000002');
});

test("a shared server whose client is missing keeps the client's id as its parent", () => {
  const spans = decodeZipkinJson(shared.filter((span) => span.kind !== 'CLIENT'));
  const server = find(spans, named('shared'));
  assert.equal(server.parentSpanId, '0000000000000002');
  assert.notEqual(server.spanId, '0000000000000002');
  assert.equal(find(spans, named('4')).parentSpanId, server.spanId);
});

test('a child from a third service belongs to the server', () => {
  const spans = decodeZipkinJson([
    zipkinSpan('2', 'proxy', { kind: 'CLIENT' }),
    zipkinSpan('2', 'web/api', { kind: 'SERVER', shared: true }),
    zipkinSpan('4', 'web', { parentId: '2' }),
    zipkinSpan('5', 'proxy', { parentId: '2' }),
  ]);
  const server = find(spans, isServer);
  assert.equal(find(spans, named('4')).parentSpanId, server.spanId);
  assert.equal(find(spans, named('5')).parentSpanId, '0000000000000002');
});

test('two attempts under one id stay two servers, each with its children', () => {
  const spans = decodeZipkinJson([
    zipkinSpan('2', 'a', { kind: 'CLIENT', duration: 9_000 }),
    zipkinSpan('2', 'b', { kind: 'SERVER', shared: true, timestamp: 1_000, name: 'first' }),
    zipkinSpan('2', 'b', { kind: 'SERVER', shared: true, timestamp: 5_000, name: 'second' }),
    zipkinSpan('4', 'b', { parentId: '2', timestamp: 5_050 }),
  ]);
  assert.notEqual(find(spans, named('first')).spanId, find(spans, named('second')).spanId);
  assert.equal(find(spans, named('4')).parentSpanId, find(spans, named('second')).spanId);
});

test('a server with its own id stays unchanged', () => {
  const spans = decodeZipkinJson([
    zipkinSpan('2', 'a', { kind: 'CLIENT' }),
    zipkinSpan('5', 'b', { kind: 'SERVER', parentId: '2' }),
  ]);
  const server = find(spans, isServer);
  assert.deepEqual([server.spanId, server.parentSpanId], ['0000000000000005', '0000000000000002']);
});

test('the list of traces of a search is read, and a span without a kind is INTERNAL', () => {
  const spans = decodeZipkinJson([
    [zipkinSpan('1', 'a', {})],
    [zipkinSpan('2', 'a', { localEndpoint: null })],
  ]);
  assert.deepEqual(
    spans.map(({ kind, serviceName }) => [kind, serviceName]),
    [
      ['INTERNAL', 'a'],
      ['INTERNAL', null],
    ],
  );
});

test('a message begins with the path of the wrong value', () => {
  const rejected = (document: unknown, message: string) =>
    assert.throws(() => decodeZipkinJson(document), { name: 'DecodeError', message });
  const good = zipkinSpan('1', 'a', {});
  rejected([good, { ...good, traceId: 'x' }], '[1].traceId: "x" is not 16 or 32 hex digits');
  rejected([[good], [{ ...good, id: 3 }]], '[1][0].id: expected string, received number');
  rejected([{ ...good, kind: 'LOCAL' }], '[0].kind: "LOCAL" is not a kind of Zipkin v2');
  rejected([{ ...good, timestamp: -1 }], '[0].timestamp: -1 is not a number of microseconds');
  rejected([{ ...good, tags: { a: {} } }], '[0].tags["a"]: expected string, received an object');
});

test("a real Zipkin server's answer for two whole calls and three whose header was stripped", () => {
  const answer: unknown = JSON.parse(Buffer.from(readFixture('zipkin-answer.json')).toString());
  const { edges, findings } = checkTraces(decodeZipkinJson(answer), {
    expectation: { ...noExpectation, edges: expectPath(['web', 'orders']) },
  });
  assert.deepEqual(edges, [{ client: 'web', server: 'orders', protocol: 'http', calls: 5, broken: 3 }]);
  assert.deepEqual(
    findings.map(({ id, count }) => [id, count]),
    [['split-trace', 3]],
  );
});
