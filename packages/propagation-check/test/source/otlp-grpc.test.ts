import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, compressionAlgorithms, credentials, type ServiceError, status } from '@grpc/grpc-js';
import {
  ExportTraceServiceRequestSchema,
  ExportTraceServiceResponseSchema,
} from '../../src/decode/generated/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';
import { listen } from '../../src/source/listen.ts';
import { type OtlpReceiverOptions, startOtlpReceiver } from '../../src/source/otlp-receiver.ts';

const traces = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

async function start(t: TestContext, options: OtlpReceiverOptions = {}) {
  const receiver = await startOtlpReceiver({ port: 0, ...options });
  t.after(() => receiver.close());
  return { receiver, ...createClient(t, receiver.url) };
}

/** A client with the gRPC library that JavaScript's SDK uses. */
function createClient(t: TestContext, url: string, options: Readonly<Record<string, number>> = {}) {
  const client = new Client(new URL(url).host, credentials.createInsecure(), options);
  t.after(() => client.close());
  const call = (body: Uint8Array, path = traces, deadline = Number.POSITIVE_INFINITY): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const callback = (error: ServiceError | null, answer?: Buffer) =>
        error === null ? resolve(answer ?? Buffer.alloc(0)) : reject(error);
      client.makeUnaryRequest(
        path,
        (message: Uint8Array) => Buffer.from(message),
        (bytes: Buffer) => bytes,
        body,
        { deadline },
        callback,
      );
    });
  return { client, call };
}

function encode(...spanIds: readonly Uint8Array[]): Uint8Array {
  const spans = spanIds.map((spanId) => ({ traceId: Buffer.alloc(16, 1), spanId }));
  const request = create(ExportTraceServiceRequestSchema, { resourceSpans: [{ scopeSpans: [{ spans }] }] });
  return toBinary(ExportTraceServiceRequestSchema, request);
}

const oneSpan = encode(Buffer.alloc(8, 1));

/** Encodes an export of more than this many bytes. */
function encodeLarge(bytes: number): Uint8Array {
  const span = { traceId: Buffer.alloc(16, 1), spanId: Buffer.alloc(8, 1), name: 'x'.repeat(bytes) };
  const request = create(ExportTraceServiceRequestSchema, {
    resourceSpans: [{ scopeSpans: [{ spans: [span] }] }],
  });
  return toBinary(ExportTraceServiceRequestSchema, request);
}

const failsWith = (code: number, details: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Error && 'code' in error && 'details' in error);
  assert.equal(error.code, code, String(error.details));
  assert.match(String(error.details), details);
  return true;
};

/** Opens a plain HTTP/2 connection, for requests that no gRPC library sends. */
async function open(t: TestContext, url: string): Promise<ClientHttp2Session> {
  const session = connect(url);
  t.after(() => session.destroy());
  await once(session, 'connect');
  return session;
}

function frame(message: Uint8Array, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(flag);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

const grpcHeaders = {
  [constants.HTTP2_HEADER_METHOD]: 'POST',
  [constants.HTTP2_HEADER_PATH]: traces,
  'content-type': 'application/grpc',
  te: 'trailers',
} as const;

async function exchange(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
) {
  const stream = session.request({ ...grpcHeaders, ...headers });
  const fields: Record<string, unknown> = {};
  stream.on('response', (response) => Object.assign(fields, response));
  stream.on('trailers', (trailers) => Object.assign(fields, trailers));
  stream.resume();
  stream.end(body);
  await once(stream, 'close');
  return fields;
}

test('one port takes gRPC and HTTP', async (t) => {
  const { receiver, call } = await start(t);
  assert.equal((await call(oneSpan)).length, 0);
  const body = new Uint8Array(oneSpan);
  const headers = { 'content-type': 'application/x-protobuf' };
  assert.equal((await fetch(`${receiver.url}/v1/traces`, { method: 'POST', body, headers })).status, 200);
  assert.equal(receiver.readAll().length, 2);
  assert.equal(receiver.revision, 2);
});

test('messages compressed with gzip are accepted, other compressions refused', async (t) => {
  const { receiver } = await start(t);
  const at = 'grpc.default_compression_algorithm';
  await createClient(t, receiver.url, { [at]: compressionAlgorithms.gzip }).call(oneSpan);
  assert.equal(receiver.readAll().length, 1);
  const { call } = createClient(t, receiver.url, { [at]: compressionAlgorithms.deflate });
  await assert.rejects(call(oneSpan), failsWith(status.UNIMPLEMENTED, /^grpc-encoding must be gzip or none/));
  const session = await open(t, receiver.url);
  const broken = await exchange(session, { 'grpc-encoding': 'gzip' }, frame(Buffer.from('no gzip'), 1));
  assert.equal(broken['grpc-status'], String(status.INVALID_ARGUMENT));
});

test('invalid spans are rejected one by one, as a partial success', async (t) => {
  const { receiver, call } = await start(t);
  const answer = await call(encode(Buffer.alloc(8, 1), Buffer.alloc(8)));
  const { partialSuccess } = fromBinary(ExportTraceServiceResponseSchema, answer);
  assert.equal(partialSuccess?.rejectedSpans, 1n);
  assert.match(partialSuccess.errorMessage, /spans\[1\]\.spanId: all zeros/);
  assert.equal(receiver.readAll().length, 1);
});

test('a message that cannot be read is INVALID_ARGUMENT with the place of the fault', async (t) => {
  const { receiver, call } = await start(t);
  await assert.rejects(
    call(oneSpan.subarray(0, -1)),
    failsWith(status.INVALID_ARGUMENT, /^byte 0: not an OTLP protobuf message: .*cut off/),
  );
  await call(oneSpan);
  assert.equal(receiver.revision, 1);
});

test('other methods are UNIMPLEMENTED; metrics and logs are accepted and discarded', async (t) => {
  const { receiver, call } = await start(t);
  for (const path of ['/x.Y/Export', traces.replace('Export', 'Import'), '/v1/traces']) {
    await assert.rejects(call(oneSpan, path), failsWith(status.UNIMPLEMENTED, /TraceService\/Export/));
  }
  const proto = '/opentelemetry.proto.collector';
  await call(Buffer.from('anything'), `${proto}.metrics.v1.MetricsService/Export`);
  await call(Buffer.from('anything'), `${proto}.logs.v1.LogsService/Export`);
  assert.equal(receiver.revision, 0);
});

test('an HTTP/2 request that is not gRPC is refused with the expected content type', async (t) => {
  const { receiver } = await start(t);
  const session = await open(t, receiver.url);
  const other = await exchange(session, { 'content-type': 'application/x-protobuf' }, oneSpan);
  assert.equal(other[':status'], 415);
  const json = await exchange(session, { 'content-type': 'application/grpc+json' }, frame(oneSpan));
  assert.equal(json['grpc-status'], String(status.UNIMPLEMENTED));
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ['without a message', Buffer.alloc(0)],
    ['cut off', frame(oneSpan).subarray(0, -1)],
    ['two messages', Buffer.concat([frame(oneSpan), frame(oneSpan)])],
    ['compressed without saying how', frame(gzipSync(oneSpan), 1)],
    ['an unknown flag', frame(oneSpan, 7)],
  ];
  for (const [name, body] of cases) {
    assert.equal((await exchange(session, {}, body))['grpc-status'], String(status.INTERNAL), name);
  }
  assert.equal(receiver.revision, 0);
  assert.equal((await exchange(session, {}, frame(oneSpan)))['grpc-status'], '0');
});

test('a message that is too large, compressed or not, is RESOURCE_EXHAUSTED, and the connection stays usable', async (t) => {
  const { receiver, call } = await start(t, { maxRequestBytes: 100_000 });
  const large = encodeLarge(1_000_000);
  await assert.rejects(call(large), failsWith(status.RESOURCE_EXHAUSTED, /larger than 100000 bytes/));
  const packed = createClient(t, receiver.url, {
    'grpc.default_compression_algorithm': compressionAlgorithms.gzip,
  });
  await assert.rejects(packed.call(large), failsWith(status.RESOURCE_EXHAUSTED, /larger than 100000 bytes/));
  await call(oneSpan);
  await packed.call(oneSpan);
  assert.equal(receiver.readAll().length, 2);
});

test("a message larger than gRPC's usual 4 MiB is accepted", async (t) => {
  const { receiver, call } = await start(t);
  await call(encodeLarge(5 * 1024 * 1024));
  assert.equal(receiver.readAll().length, 1);
});

test('a message without free memory is UNAVAILABLE, after which exporters retry', async (t) => {
  const { call } = await start(t, { maxBodyBytes: 10_000 });
  await assert.rejects(call(encodeLarge(20_000)), failsWith(status.UNAVAILABLE, /too many requests/));
  await call(oneSpan);
});

test('a call whose deadline passes ends, frees its memory and stores no span', async (t) => {
  const { receiver, call } = await start(t, { maxBodyBytes: 10_000 });
  const session = await open(t, receiver.url);
  const stream = session.request({ ...grpcHeaders, 'grpc-timeout': '1m' });
  stream.write(frame(Buffer.alloc(9_000)).subarray(0, 8_000));
  const [headers] = await once(stream, 'response');
  stream.resume();
  assert.equal(headers['grpc-status'], String(status.DEADLINE_EXCEEDED));
  await once(stream, 'close');
  await call(encodeLarge(9_000));
  assert.equal(receiver.revision, 1);
});

test('a call that its client cancels stores no span', async (t) => {
  const { receiver, call } = await start(t, { maxBodyBytes: 10_000 });
  const session = await open(t, receiver.url);
  const stream = session.request(grpcHeaders);
  stream.on('error', () => undefined);
  stream.write(frame(encodeLarge(8_000)).subarray(0, 8_000));
  // Frames of one connection arrive in order, so the ping is answered after the reset.
  stream.close(constants.NGHTTP2_CANCEL);
  await once(stream, 'close');
  await new Promise((resolve) => session.ping(resolve));
  await call(encodeLarge(9_000));
  assert.equal(receiver.revision, 1);
});

test('pings, many connections and many concurrent calls are answered', async (t) => {
  const { receiver } = await start(t);
  const sessions = await Promise.all(Array.from({ length: 50 }, () => open(t, receiver.url)));
  await Promise.all(sessions.map((session) => new Promise((resolve) => session.ping(resolve))));
  const calls = sessions.flatMap((session) => [1, 2, 3, 4].map(() => exchange(session, {}, frame(oneSpan))));
  for (const fields of await Promise.all(calls)) assert.equal(fields['grpc-status'], '0');
  assert.equal(receiver.readAll().length, 200);
});

test('closing sends GOAWAY, and a pending call completes', async (t) => {
  const { receiver } = await start(t);
  const session = await open(t, receiver.url);
  const goaway = once(session, 'goaway');
  const stream = session.request(grpcHeaders);
  const trailers = once(stream, 'trailers');
  stream.resume();
  const body = frame(oneSpan);
  stream.write(body.subarray(0, 10));
  await new Promise((resolve) => session.ping(resolve));
  const closing = receiver.close();
  const [code] = await goaway;
  assert.equal(code, constants.NGHTTP2_NO_ERROR);
  stream.end(body.subarray(10));
  assert.equal((await trailers)[0]['grpc-status'], '0');
  await closing;
  assert.equal(receiver.readAll().length, 1);
});

test('closing does not wait for idle connections', async (t) => {
  const { receiver } = await start(t);
  const session = await open(t, receiver.url);
  const gone = once(session, 'close');
  await receiver.close();
  await gone;
});

test('a call that is cancelled while it waits for its turn stores no span, because its client may retry', async (t) => {
  const taken = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const sink = {
    take: () => {
      taken.resolve();
      return released.promise;
    },
    close: async () => undefined,
  };
  const { receiver, call } = await start(t, { openSinks: async () => [sink] });
  const first = call(oneSpan);
  await taken.promise;
  const session = await open(t, receiver.url);
  const stream = session.request(grpcHeaders);
  stream.end(frame(oneSpan));
  await once(stream, 'finish');
  await new Promise((resolve) => session.ping(resolve));
  stream.close(constants.NGHTTP2_CANCEL);
  await once(stream, 'close');
  await new Promise((resolve) => session.ping(resolve));
  released.resolve();
  await first;
  await call(oneSpan);
  assert.equal(receiver.revision, 2);
});

test('a connection without calls is closed after the idle time', async (t) => {
  const ignore = () => undefined;
  const common = { host: '127.0.0.1', port: 0, maxConnections: 1, onRequest: ignore, onTls: ignore };
  const listener = await listen({ ...common, onStream: ignore, idleMs: 1 });
  t.after(() => listener.close());
  const session = await open(t, `http://127.0.0.1:${listener.port}`);
  const [code] = await once(session, 'goaway');
  assert.equal(code, constants.NGHTTP2_NO_ERROR);
});
