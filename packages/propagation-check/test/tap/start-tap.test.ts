import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { startTap } from '../../src/tap/start-tap.ts';
import type { TapOptions } from '../../src/tap/tap-options.ts';
import { openSocket, readAll, readUntil, startTapTo, startTarget, traceparent } from './support.ts';

async function callWithFaults(t: TestContext, faults: readonly string[], options: Partial<TapOptions> = {}) {
  const seen: (readonly string[])[] = [];
  const target = await startTarget(t, (request, response) => {
    seen.push(request.rawHeaders.slice(2));
    response.end();
  });
  const running = await startTapTo(t, target.url, { faults, ...options });
  const socket = await openSocket(
    t,
    running.port,
    `GET / HTTP/1.1\r\nHost: b\r\nTraceParent: ${traceparent}\r\nBaggage: hello=world\r\nConnection: close\r\n\r\n`,
  );
  await readAll(socket);
  return { seen: seen[0], record: await running.readRecord() };
}

const baggage = ['Baggage', 'hello=world'];

for (const [fault, received] of [
  ['strip', [...baggage]],
  ['corrupt', ['TraceParent', `z${traceparent.slice(1)}`, ...baggage]],
  ['drop-baggage', ['TraceParent', traceparent]],
  ['unsample', ['TraceParent', traceparent.replace(/01$/, '00'), ...baggage]],
  ['truncate', ['TraceParent', traceparent.replace('4bf92f3577b34da6', '0000000000000000'), ...baggage]],
  ['delay=1', ['TraceParent', traceparent, ...baggage]],
] as const) {
  test(`${fault}: the record has the headers that the target received, and those that the caller sent`, async (t) => {
    const { seen, record } = await callWithFaults(t, [fault]);
    assert.deepEqual(seen, received);
    assert.deepEqual(
      record.received?.headers.flatMap(({ name, value }) => [name, value]),
      received,
    );
    assert.deepEqual(
      record.sent.headers.flatMap(({ name, value }) => [name, value]),
      ['TraceParent', traceparent, ...baggage],
    );
    assert.deepEqual(record.faults, [fault]);
  });
}

test('rewrite and duplicate insert an id that repeats with the seed', async (t) => {
  const first = await callWithFaults(t, ['rewrite'], { faultSeed: 3 });
  const again = await callWithFaults(t, ['rewrite'], { faultSeed: 3 });
  const other = await callWithFaults(t, ['rewrite'], { faultSeed: 4 });
  assert.deepEqual(first.seen, again.seen);
  assert.notDeepEqual(first.seen, other.seen);
  assert.notEqual(first.seen?.[1], traceparent);
  const twice = await callWithFaults(t, ['duplicate'], { faultSeed: 3 });
  assert.deepEqual(twice.seen, ['TraceParent', traceparent, ...(first.seen?.slice(0, 2) ?? []), ...baggage]);
});

test('a delay holds the request back', async (t) => {
  const { record } = await callWithFaults(t, ['delay=30', 'delay=20']);
  assert.ok(record.durationMs >= 49, `${record.durationMs}`);
});

test('a request that is aborted during a delay is not forwarded', async (t) => {
  let requests = 0;
  const target = await startTarget(t, () => {
    requests += 1;
  });
  const { port, readRecord } = await startTapTo(t, target.url, { faults: ['delay=3600000'] });
  const socket = await openSocket(t, port, 'GET / HTTP/1.1\r\nHost: b\r\n\r\n');
  socket.end();
  socket.destroy();
  const record = await readRecord();
  assert.deepEqual([record.clientAborted, record.received, requests], [true, null, 0]);
});

test('the fault rate chooses the same requests in every run', async (t) => {
  const target = await startTarget(t);
  const run = async () => {
    const { url, readRecords } = await startTapTo(t, target.url, {
      faults: ['strip'],
      faultRate: 0.3,
      faultSeed: 9,
    });
    for (let index = 0; index < 40; index += 1) {
      const answer = await fetch(`${url}/${index}`, { headers: { traceparent } });
      await answer.arrayBuffer();
    }
    const records = await readRecords(40);
    return records.filter(({ faults }) => faults.length > 0).map(({ path }) => path);
  };
  const first = await run();
  assert.ok(first.length > 0 && first.length < 40, `${first.length} of 40`);
  assert.deepEqual(await run(), first);
});

test('a record contains no other header, no query and no body', async (t) => {
  const target = await startTarget(t, (_request, response) => {
    response.writeHead(200, { 'set-cookie': 'sid=secret-0', traceparent: 'secret-1' });
    response.end('secret-2');
  });
  const { url, port, readRecords } = await startTapTo(t, target.url);
  const answer = await fetch(`${url}/path?token=secret-3#secret-4`, {
    method: 'POST',
    body: 'secret-5',
    headers: { authorization: 'Bearer secret-6', cookie: 'secret-7', 'x-api-key': 'secret-8', traceparent },
  });
  await answer.text();
  const socket = await openSocket(
    t,
    port,
    'GET http://user:secret-9@elsewhere/absolute?secret-10 HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n',
  );
  await readAll(socket);
  const records = await readRecords(2);
  assert.doesNotMatch(JSON.stringify(records), /secret/);
  assert.deepEqual(
    records.map(({ path }) => path),
    ['/path', '/absolute'],
  );
  assert.equal(records[0]?.sent.headers.length, 1);
});

test('close waits for requests in flight, closes idle connections and accepts no new ones', {
  timeout: 30_000,
}, async (t) => {
  const arrived = Promise.withResolvers<() => void>();
  const target = await startTarget(t, (_request, response) => {
    response.write('begin ');
    arrived.resolve(() => response.end('end'));
  });
  const { tap, url, port, records } = await startTapTo(t, target.url);
  const idleEnd = readAll(await openSocket(t, port, ''));
  const answer = await fetch(url);
  const end = await arrived.promise;
  const closed = tap.close(3_600_000);
  await assert.rejects(fetch(url), TypeError);
  assert.equal(records.length, 0);
  end();
  assert.equal(await answer.text(), 'begin end');
  await closed;
  assert.equal(await idleEnd, '');
  assert.equal(records.length, 1);
  assert.equal(records[0]?.clientAborted, false);
});

test('close aborts requests after the grace period, with a record', async (t) => {
  const target = await startTarget(t, (_request, response) => response.write('begin'));
  const { tap, port, records } = await startTapTo(t, target.url);
  const socket = await openSocket(t, port, 'GET / HTTP/1.1\r\nHost: b\r\n\r\n');
  await readUntil(socket, 'begin');
  await tap.close(1);
  assert.equal(records.length, 1);
});

const badOptions: readonly (readonly [Partial<TapOptions>, RegExp])[] = [
  [{ target: 'service-b:8082' }, /--target/],
  [{ target: 'nonsense' }, /--target "nonsense": not a URL/],
  [{ target: 'https://b' }, /https is not supported/],
  [{ target: 'http://u:secret@b' }, /credentials are not forwarded/],
  [{ target: 'ftp://b' }, /--target "ftp:\/\/b": a tap forwards plain HTTP/],
  [{ target: 'http://b/path' }, /nothing after it/],
  [{ target: 'http://b/?q' }, /nothing after it/],
  [{ target: 'http://localhost:8083', listen: { port: 8083 } }, /this is the tap itself/],
  [{ listen: { port: 65_536 } }, /--listen 65536/],
  [{ faults: ['nope'] }, /--fault "nope": no such fault/],
  [{ faultRate: 1.5 }, /--fault-rate 1.5/],
  [{ faultRate: Number.NaN }, /--fault-rate NaN/],
  [{ faultSeed: -1 }, /--fault-seed -1/],
  [{ timeoutMs: -1 }, /--timeout -1/],
  [{ maxHeaderSize: 1 }, /--max-header-size 1/],
];

for (const [options, message] of badOptions) {
  test(`refuses ${JSON.stringify(options)}`, async () => {
    await assert.rejects(
      startTap({ listen: { port: 0 }, target: 'http://127.0.0.1:1', ...options }),
      (error) => {
        assert.ok(error instanceof Error);
        assert.equal(error.name, 'TapOptionError');
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\n|secret/);
        return true;
      },
    );
  });
}

test('a port in use rejects', async (t) => {
  const target = await startTarget(t);
  const port = Number(new URL(target.url).port);
  await assert.rejects(startTap({ listen: { port }, target: 'http://127.0.0.1:1' }), { code: 'EADDRINUSE' });
  assert.equal((await fetch(target.url)).status, 200);
});

test('a header of the connection is not forwarded, and the record shows it', async (t) => {
  const target = await startTarget(t);
  const { port, readRecord } = await startTapTo(t, target.url);
  const socket = await openSocket(
    t,
    port,
    `GET / HTTP/1.1\r\nHost: b\r\nConnection: close, traceparent\r\ntraceparent: ${traceparent}\r\n\r\n`,
  );
  const closed = once(socket, 'close');
  await readAll(socket);
  socket.end();
  await closed;
  const record = await readRecord();
  assert.equal(record.sent.headers.length, 1);
  assert.deepEqual([record.received?.headers, record.faults], [[], []]);
});
