import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
  sensitiveHeaders,
} from 'node:http2';
import { buffer, text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { down, portOf, startTapTo, startTarget, traceparent } from './support.ts';

type OnStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[]) => void;

async function startHttp2Target(t: TestContext, onStream: OnStream): Promise<string> {
  const server = createServer();
  server.on('session', (session) => {
    session.on('error', () => undefined);
    session.on('stream', (stream, headers, _flags, raw) => {
      stream.on('error', () => undefined);
      onStream(stream, headers, raw);
    });
    t.after(() => session.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${portOf(server.address())}`;
}

function openSession(t: TestContext, url: string): ClientHttp2Session {
  const session = connect(url);
  session.on('error', () => undefined);
  t.after(() => session.destroy());
  return session;
}

test('a gRPC call is forwarded: messages in both directions before the end, then trailers', async (t) => {
  let seen: readonly string[] = [];
  const target = await startHttp2Target(t, (stream, _headers, raw) => {
    seen = raw;
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', traceresponse: traceparent },
      { waitForTrailers: true },
    );
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'grpc-message': 'fine' }));
    stream.pipe(stream);
  });
  const { url, readRecord } = await startTapTo(t, target, { client: 'a', server: 'b', name: 'between' });
  const stream = openSession(t, url).request({
    ':method': 'POST',
    ':path': '/pkg.Service/Call',
    te: 'trailers',
    'content-type': 'application/grpc',
    traceparent,
    authorization: 'Bearer secret',
    [sensitiveHeaders]: ['authorization'],
  });
  const trailers = once(stream, 'trailers');
  stream.setEncoding('utf8');
  for (const message of ['one', 'two']) {
    stream.write(message);
    assert.deepEqual(await once(stream, 'data'), [message]);
  }
  stream.end();
  stream.resume();
  const [received] = await trailers;
  assert.deepEqual([received['grpc-status'], received['grpc-message']], ['0', 'fine']);
  assert.ok(seen.includes('trailers') && seen.includes(traceparent));
  const record = await readRecord();
  assert.deepEqual(
    [
      record.protocolVersion,
      record.method,
      record.path,
      record.status,
      record.client,
      record.server,
      record.tap,
    ],
    ['2', 'POST', '/pkg.Service/Call', 200, 'a', 'b', 'between'],
  );
  assert.ok(!JSON.stringify(record).includes('secret'));
  assert.deepEqual(record.answered?.headers, [{ name: 'traceresponse', value: traceparent }]);
});

test('an answer of trailers alone stays one', async (t) => {
  const target = await startHttp2Target(t, (stream) => {
    stream.respond({ ':status': 200, 'grpc-status': '12' }, { endStream: true });
  });
  const { url } = await startTapTo(t, target);
  const stream = openSession(t, url).request({ ':path': '/' });
  const [headers, flags] = await once(stream, 'response');
  assert.equal(headers['grpc-status'], '12');
  assert.ok((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0);
  stream.resume();
});

test('trailers of a request are forwarded', async (t) => {
  const target = await startHttp2Target(t, (stream) => {
    stream.once('trailers', (trailers) => {
      stream.respond({ ':status': 200 });
      stream.end(String(trailers['x-sum']));
    });
    stream.resume();
  });
  const { url } = await startTapTo(t, target);
  const stream = openSession(t, url).request({ ':method': 'POST', ':path': '/' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '42' }));
  stream.end('body');
  assert.equal(await text(stream), '42');
});

test('duplicate headers stay two, and others keep order and marks', async (t) => {
  let seen: readonly string[] = [];
  let marked: unknown;
  const target = await startHttp2Target(t, (stream, headers, raw) => {
    seen = raw;
    marked = Reflect.get(headers, sensitiveHeaders);
    stream.respond({ ':status': 200, 'set-cookie': ['a=1', 'b=2'] });
    stream.end();
  });
  const { url, readRecord } = await startTapTo(t, target);
  const stream = openSession(t, url).request({
    ':path': '/x?q=1',
    ':authority': 'elsewhere',
    'x-first': '1',
    traceparent: [traceparent, traceparent],
    authorization: 'secret',
    // Node.js marks `authorization` itself; this header shows that marks are forwarded.
    [sensitiveHeaders]: ['x-first'],
  });
  const [answer] = await once(stream, 'response');
  assert.deepEqual(answer['set-cookie'], ['a=1', 'b=2']);
  stream.resume();
  const fields = seen.slice(seen.indexOf('x-first'));
  assert.deepEqual(fields, [
    'x-first',
    '1',
    'traceparent',
    traceparent,
    'traceparent',
    traceparent,
    'authorization',
    'secret',
  ]);
  assert.ok(Array.isArray(marked) && marked.includes('x-first'), String(marked));
  assert.ok(seen.includes('elsewhere') && seen.includes('/x?q=1'));
  const { received, path } = await readRecord();
  assert.equal(path, '/x');
  assert.deepEqual(received?.contexts, [{ format: 'tracecontext', state: 'duplicated', count: 2 }]);
});

test('large bodies arrive complete in both directions', async (t) => {
  const target = await startHttp2Target(t, (stream) => {
    stream.respond({ ':status': 200 });
    stream.pipe(stream);
  });
  const { url } = await startTapTo(t, target);
  const body = randomBytes(8 * 1024 * 1024);
  const stream = openSession(t, url).request({ ':method': 'POST', ':path': '/' });
  stream.end(body);
  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  assert.equal(digest(await buffer(stream)), digest(body));
});

test('many calls share one connection', async (t) => {
  const sessions = new Set<unknown>();
  const target = await startHttp2Target(t, (stream, headers) => {
    sessions.add(stream.session);
    stream.respond({ ':status': 200 });
    stream.end(headers[':path']);
  });
  const { url, readRecords } = await startTapTo(t, target);
  const session = openSession(t, url);
  const paths = Array.from({ length: 150 }, (_, index) => `/${index}`);
  assert.deepEqual(await Promise.all(paths.map((path) => text(session.request({ ':path': path })))), paths);
  assert.equal(sessions.size, 1);
  assert.equal((await readRecords(150)).length, 150);
});

test('a cancelled call is cancelled at the target', async (t) => {
  const cancelled = Promise.withResolvers<number | undefined>();
  const target = await startHttp2Target(t, (stream) => {
    stream.respond({ ':status': 200 });
    stream.write('begin');
    stream.once('close', () => cancelled.resolve(stream.rstCode));
  });
  const { url, readRecord } = await startTapTo(t, target);
  const stream = openSession(t, url).request({ ':path': '/' });
  await once(stream, 'data');
  stream.close(constants.NGHTTP2_CANCEL);
  assert.equal(await cancelled.promise, constants.NGHTTP2_CANCEL);
  assert.equal((await readRecord()).clientAborted, true);
});

test('a reset of the target reaches the caller', async (t) => {
  const target = await startHttp2Target(t, (stream) => {
    // Without trailers of its own: Node.js would end the stream before the reset.
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.on('wantTrailers', () => undefined);
    stream.write('part', () => stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM));
  });
  const { url, readRecord } = await startTapTo(t, target);
  const stream = openSession(t, url).request({ ':path': '/' });
  stream.resume();
  await assert.rejects(once(stream, 'close'), { code: 'ERR_HTTP2_STREAM_ERROR' });
  assert.equal(stream.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  const record = await readRecord();
  assert.deepEqual([record.status, record.clientAborted], [200, false]);
  assert.match(record.targetError ?? '', /ENHANCE_YOUR_CALM/);
});

test('a target that is down, or does not speak HTTP/2, gives 502', async (t) => {
  const http1 = await startTarget(t);
  for (const target of [down, http1.url]) {
    const { url, readRecord } = await startTapTo(t, target);
    const stream = openSession(t, url).request({ ':method': 'POST', ':path': '/', traceparent });
    stream.end('body');
    const [headers] = await once(stream, 'response');
    assert.equal(headers[':status'], 502);
    assert.match(await text(stream), /target_unreachable/);
    const record = await readRecord();
    assert.deepEqual([record.status, record.clientAborted], [null, false]);
    assert.notEqual(record.targetError, null);
  }
});

test('a target that does not answer in time gives 504', async (t) => {
  const target = await startHttp2Target(t, () => undefined);
  const { url, readRecord } = await startTapTo(t, target, { timeoutMs: 500 });
  const stream = openSession(t, url).request({ ':path': '/' });
  const [headers] = await once(stream, 'response');
  assert.equal(headers[':status'], 504);
  assert.match(await text(stream), /no answer for 500 ms/);
  assert.equal((await readRecord()).targetError, 'no answer for 500 ms');
});

test('faults work on HTTP/2 too', async (t) => {
  let seen: readonly string[] = [];
  const target = await startHttp2Target(t, (stream, _headers, raw) => {
    seen = raw;
    stream.respond({ ':status': 200 });
    stream.end();
  });
  const { url, readRecord } = await startTapTo(t, target, { faults: ['strip', 'delay=1'] });
  await text(openSession(t, url).request({ ':path': '/', traceparent, 'x-other': '1' }));
  assert.ok(!seen.includes('traceparent') && seen.includes('x-other'));
  assert.deepEqual((await readRecord()).faults, ['strip', 'delay=1']);
});

test('informational answers are forwarded', async (t) => {
  const target = await startHttp2Target(t, (stream) => {
    stream.additionalHeaders({ ':status': 103, link: '</a.css>' });
    stream.respond({ ':status': 200 });
    stream.end();
  });
  const { url } = await startTapTo(t, target);
  const stream = openSession(t, url).request({ ':path': '/' });
  const [headers] = await once(stream, 'headers');
  assert.equal(headers[':status'], 103);
  await text(stream);
});
