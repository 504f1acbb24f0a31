import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import {
  ExportTraceServiceRequestSchema,
  ExportTraceServiceResponseSchema,
} from '../../src/decode/generated/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';
import { type OtlpReceiverOptions, startOtlpReceiver } from '../../src/source/otlp-receiver.ts';
import { SourceError } from '../../src/source/source.ts';
import { otlpRequest, otlpSpan, readFixture } from '../decode/fixture.ts';
import { findFreePort } from '../free-ports.ts';

const json = { 'content-type': 'application/json' } as const;
const protobuf = { 'content-type': 'application/x-protobuf' } as const;
const traceId = '0af7651916cd43dd8448eb211c80319c';
const oneSpan = JSON.stringify(otlpRequest(otlpSpan()));

async function start(test: TestContext, options: OtlpReceiverOptions = {}) {
  const receiver = await startOtlpReceiver({ port: 0, ...options });
  test.after(() => receiver.close());
  const post = (body: string | Uint8Array, headers: Readonly<Record<string, string>>, path = '/v1/traces') =>
    fetch(receiver.url + path, { method: 'POST', body: new Uint8Array(Buffer.from(body)), headers });
  return { receiver, post };
}

function encode(...spanIds: readonly Uint8Array[]): Uint8Array {
  const spans = spanIds.map((spanId) => ({ traceId: Buffer.from(traceId, 'hex'), spanId }));
  const request = create(ExportTraceServiceRequestSchema, { resourceSpans: [{ scopeSpans: [{ spans }] }] });
  return toBinary(ExportTraceServiceRequestSchema, request);
}

async function readStatus(response: Response): Promise<{ readonly code: number; readonly message: string }> {
  assert.equal(response.headers.get('content-type'), 'application/x-protobuf');
  const reader = new BinaryReader(new Uint8Array(await response.arrayBuffer()));
  assert.deepEqual(reader.tag(), [1, 0]);
  const code = reader.int32();
  assert.deepEqual(reader.tag(), [2, 2]);
  return { code, message: reader.string() };
}

test('spans in JSON are stored, and answered in JSON', async (t) => {
  const { receiver, post } = await start(t);
  const response = await post(oneSpan, { 'content-type': 'application/json; charset=utf-8' });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.deepEqual(await response.json(), {});
  assert.equal((await receiver.readTrace(traceId.toUpperCase())).length, 1);
  assert.deepEqual(await receiver.readTrace('1'.repeat(32)), []);
});

test('spans in protobuf are stored, and answered in protobuf', async (t) => {
  const { receiver, post } = await start(t);
  const response = await post(encode(Buffer.alloc(8, 1)), protobuf);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'application/x-protobuf');
  assert.equal((await response.arrayBuffer()).byteLength, 0);
  assert.equal(receiver.readAll().length, 1);
});

test('gzip is uncompressed, in both encodings', async (t) => {
  const { receiver, post } = await start(t);
  assert.equal((await post(gzipSync(oneSpan), { ...json, 'content-encoding': 'gzip' })).status, 200);
  const packed = gzipSync(encode(Buffer.alloc(8, 1)));
  assert.equal((await post(packed, { ...protobuf, 'content-encoding': 'gzip' })).status, 200);
  assert.equal(receiver.readAll().length, 2);
});

test('a capture of a real Collector can be sent line by line and searched', async (t) => {
  const { receiver, post } = await start(t);
  const lines = Buffer.from(readFixture('grpc-unary.otlp.jsonl')).toString().trim().split('\n');
  for (const line of lines) assert.equal((await post(line, json)).status, 200);
  const spans = receiver.readAll();
  const [first] = spans;
  assert.ok(first?.serviceName);
  const time = Number(first.startTimeUnixNano / 1_000_000n);
  const query = {
    service: first.serviceName,
    startTimeMin: time - 60_000,
    startTimeMax: time + 60_000,
    limit: 1,
  };
  const found = await receiver.searchTraces(query);
  assert.equal(new Set(found.map((span) => span.traceId)).size, 1);
  assert.deepEqual(await receiver.searchTraces({ ...query, service: 'nobody' }), []);
  assert.equal(receiver.revision, lines.length);
});

test('invalid spans are rejected one by one, as a partial success', async (t) => {
  const { receiver, post } = await start(t);
  const mixed = otlpRequest(otlpSpan(), otlpSpan({ spanId: 'x' }), otlpSpan({ traceId: '' }));
  assert.deepEqual(await (await post(JSON.stringify(mixed), json)).json(), {
    partialSuccess: {
      rejectedSpans: '2',
      errorMessage: 'resourceSpans[0].scopeSpans[0].spans[1].spanId: "x" is not 16 hex digits',
    },
  });
  const response = await post(encode(Buffer.alloc(8, 1), Buffer.alloc(8)), protobuf);
  const { partialSuccess } = fromBinary(
    ExportTraceServiceResponseSchema,
    new Uint8Array(await response.arrayBuffer()),
  );
  assert.equal(partialSuccess?.rejectedSpans, 1n);
  assert.match(partialSuccess.errorMessage, /spans\[1\]\.spanId: all zeros/);
  assert.equal(receiver.readAll().length, 2);
});

test('a request that cannot be read is answered with 400 and a Status in its own encoding', async (t) => {
  const { receiver, post } = await start(t);
  const response = await post('{"resourceSpans":[', json);
  assert.equal(response.status, 400);
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.deepEqual(await response.json(), {
    code: 3,
    message: 'byte 18: the JSON ends early, as if it was cut off',
  });
  const binary = await post(Buffer.from([0x0a, 0xff]), protobuf);
  assert.equal(binary.status, 400);
  const status = await readStatus(binary);
  assert.equal(status.code, 3);
  assert.match(status.message, /^byte 0: not an OTLP protobuf message/);
  assert.equal((await post('no gzip', { ...json, 'content-encoding': 'gzip' })).status, 400);
  assert.equal(
    (await post(gzipSync(oneSpan).subarray(0, -9), { ...json, 'content-encoding': 'gzip' })).status,
    400,
  );
  assert.equal(receiver.revision, 0);
});

test('base64 ids are refused, because OTLP JSON has hex ids', async (t) => {
  const { post } = await start(t);
  const span = otlpSpan({ traceId: 'CvdlGRbNQ92ESOshHIAxnA==' });
  assert.match(
    await (await post(JSON.stringify(otlpRequest(span)), json)).text(),
    /OTLP JSON writes ids in hex/,
  );
});

test('other paths, methods, types and encodings get the matching status', async (t) => {
  const { receiver, post } = await start(t);
  assert.equal((await post(oneSpan, json, '/')).status, 404);
  assert.equal((await post(oneSpan, json, '/v1/trace')).status, 404);
  const get = await fetch(`${receiver.url}/v1/traces`);
  assert.equal(get.status, 405);
  assert.equal(get.headers.get('allow'), 'POST');
  assert.equal((await post(oneSpan, { 'content-type': 'text/plain' })).status, 415);
  const zstd = await post(oneSpan, { ...json, 'content-encoding': 'zstd' });
  assert.equal(zstd.status, 415);
  assert.equal(zstd.headers.get('accept-encoding'), 'gzip');
  assert.equal(receiver.revision, 0);
});

test('metrics and logs are accepted and discarded', async (t) => {
  const { receiver, post } = await start(t);
  assert.equal((await post('{"resourceMetrics":[]}', json, '/v1/metrics')).status, 200);
  assert.equal((await post(Buffer.from('anything'), protobuf, '/v1/logs')).status, 200);
  assert.equal(receiver.revision, 0);
});

test('a body that is too large is refused, with or without content-length, and compressed', async (t) => {
  const { post, receiver } = await start(t, { maxRequestBytes: 10_000 });
  const large = ' '.repeat(20_000);
  const announced = await post(large, json);
  assert.equal(announced.status, 413);
  assert.deepEqual(await announced.json(), {
    code: 8,
    message: 'the request body is larger than 10000 bytes',
  });
  const bomb = await post(gzipSync(large), { ...json, 'content-encoding': 'gzip' });
  assert.equal(bomb.status, 413);
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const chunked = httpRequest(`${receiver.url}/v1/traces`, { method: 'POST', headers: json }, (response) => {
    response.resume();
    resolve(response.statusCode);
  });
  chunked.on('error', reject);
  chunked.write(large);
  assert.equal(await promise, 413);
  chunked.destroy();
  assert.equal((await post(oneSpan, json)).status, 200);
});

test('the receiver keeps working after a client disconnects in the middle', async (t) => {
  const { receiver, post } = await start(t);
  const { port, hostname } = new URL(receiver.url);
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = connect(Number(port), hostname, () => {
    socket.write(
      'POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"re',
    );
    socket.end(() => socket.destroy());
  });
  socket.on('close', () => resolve());
  await promise;
  assert.equal((await post(oneSpan, json)).status, 200);
  assert.equal(receiver.readAll().length, 1);
});

test('arrivals can be awaited without polling, and none is missed', async (t) => {
  const { receiver, post } = await start(t);
  const waiting = receiver.waitForChange(0);
  await post(oneSpan, json);
  assert.equal(await waiting, 1);
  assert.equal(await receiver.waitForChange(0), 1, 'an arrival before the call counts');
  const abort = new AbortController();
  const aborted = receiver.waitForChange(1, abort.signal);
  abort.abort(new Error('enough'));
  await assert.rejects(aborted, { message: 'enough' });
  const closed = receiver.waitForChange(1);
  await receiver.close();
  await assert.rejects(closed, SourceError);
});

test('whole traces are dropped, the oldest first, when the memory is full', async (t) => {
  const { receiver, post } = await start(t, { maxSpans: 3 });
  const send = (digit: string, count: number) => {
    const spans = Array.from({ length: count }, (_, index) =>
      otlpSpan({ traceId: digit.repeat(32), spanId: `000000000000000${index + 1}` }),
    );
    return post(JSON.stringify(otlpRequest(...spans)), json);
  };
  await send('1', 2);
  await send('2', 1);
  assert.equal(receiver.droppedSpans, 0);
  await send('3', 1);
  assert.equal(receiver.droppedSpans, 2);
  assert.deepEqual(receiver.complaints, [
    '2 spans were dropped, the oldest traces first: the memory for them is full',
  ]);
  assert.deepEqual(await receiver.readTrace('1'.repeat(32)), []);
  assert.equal(receiver.readAll().length, 2);
});

test('memory is also bounded in bytes', async (t) => {
  const { receiver, post } = await start(t, { maxBytes: oneSpan.length * 2 });
  for (const digit of ['1', '2', '3']) {
    await post(JSON.stringify(otlpRequest(otlpSpan({ traceId: digit.repeat(32) }))), json);
  }
  assert.deepEqual(
    receiver.readAll().map((span) => span.traceId[0]),
    ['2', '3'],
  );
});

test('a port in use is an error with advice', async (t) => {
  const port = await findFreePort();
  const { receiver } = await start(t, { port });
  await assert.rejects(startOtlpReceiver({ port }), {
    name: 'SourceError',
    message:
      `otlp=127.0.0.1:${port}: the port is in use, perhaps by a Collector: stop that, or name a free port with --source otlp=HOST:PORT; ` +
      'it takes both gRPC and HTTP, and services must export to it (OTEL_EXPORTER_OTLP_ENDPOINT=http://HOST:PORT)',
  });
  // If one of two ports is in use, both are refused: the spans of half of the services would be missing.
  const { port: free } = new URL((await start(t)).receiver.url);
  await receiver.close();
  await assert.rejects(startOtlpReceiver({ port: [port, Number(free)] }), { message: /the port is in use/ });
  await (await startOtlpReceiver({ port })).close();
  await assert.rejects(startOtlpReceiver({ host: 'nowhere.invalid', port: 0 }), { name: 'SourceError' });
});

test('closing lets a pending answer finish, and can be repeated', async (t) => {
  const { receiver, post } = await start(t);
  // A connection without a request may be closed just as a request is sent.
  const answers = Promise.all(Array.from({ length: 8 }, () => post(oneSpan, json))).catch(() => null);
  await receiver.waitForChange(0);
  await receiver.close();
  await receiver.close();
  const settled = await answers;
  assert.ok(settled === null || settled.every((response) => response.status === 200));
  await assert.rejects(post(oneSpan, json));
});
