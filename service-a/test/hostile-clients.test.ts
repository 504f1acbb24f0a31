import assert from 'node:assert/strict';
import { Agent, get, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import { buildApp } from '../src/app.ts';
import { readConfig } from '../src/config.ts';
import { collectSpans, type ExportedSpan, SERVER } from './support/collect-spans.ts';
import { listen } from './support/listen.ts';
import { askHealth, openRaw, type RawClient } from './support/raw-client.ts';
import { type Service, startService } from './support/start-service.ts';

const work = '{"received_traceparent":null,"trace_id":null,"parent_span_id":null}';
const health = 50;

function answerWork(response: ServerResponse): void {
  response.setHeader('content-type', 'application/json').end(work);
}

/** A service with tight limits, a service B that waits for `release` where it is asked to, and the spans that arrive. */
async function start(t: TestContext, env: NodeJS.ProcessEnv, holds = false) {
  const held: ServerResponse[] = [];
  let onHeld = () => {};
  const serviceB = await listen((_request, response) => {
    if (!holds) return answerWork(response);
    held.push(response);
    onHeld();
  });
  t.after(() => serviceB[Symbol.dispose]());
  const collector = await collectSpans();
  t.after(() => collector[Symbol.dispose]());
  const service = await startService({
    LOG_LEVEL: 'info',
    SERVICE_B_URL: serviceB.url,
    SERVICE_B_TIMEOUT_MS: '30000',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    // How much of a flood fits into the queue is not what is tested here.
    OTEL_BSP_MAX_QUEUE_SIZE: '100000',
    ...env,
  });
  t.after(() => service[Symbol.asyncDispose]());
  return {
    service,
    collector,
    waitForHeld: (count: number) =>
      new Promise<void>((resolve) => {
        onHeld = () => {
          if (held.length >= count) resolve();
        };
        onHeld();
      }),
    release: () => held.splice(0).forEach(answerWork),
  };
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

function ask(url: string, agent: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, async (response: IncomingMessage) => {
      const body = await text(response);
      resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'], body });
    }).on('error', reject);
  });
}

/** One sound request, and the SERVER spans that are there once the service has stopped, by status. */
async function endWith(
  service: Service,
  spans: readonly ExportedSpan[],
): Promise<Readonly<Record<string, number>>> {
  const agent = new Agent();
  assert.equal((await ask(`${service.url}/call-b`, agent)).status, 200, 'it still does its work');
  agent.destroy();
  assert.deepEqual(await service.stop(), { code: 0, signal: null });
  const statuses = spans
    .filter(({ kind }) => kind === SERVER)
    .map(({ attributes }) => {
      const { value } = attributes.find(({ key }) => key === 'http.response.status_code') ?? {};
      return String(value?.intValue);
    });
  return Object.fromEntries([...Map.groupBy(statuses, String)].map(([status, all]) => [status, all.length]));
}

for (const [name, bytes, told] of [
  ['heads', 'GET /call-b HTTP/1.1\r\nHost: a\r\nX-Slow: ', 408],
  [
    'bodies',
    'POST /call-b HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99999\r\n\r\n{',
    404,
  ],
] as const) {
  test(`slow ${name}`, async (t) => {
    const { service, collector } = await start(t, { MAX_CONNECTIONS: '100', REQUEST_TIMEOUT_MS: '2000' });
    const clients = await Promise.all(Array.from({ length: 200 }, () => openRaw(service.url, bytes)));
    t.after(() => clients.forEach((client) => void client[Symbol.dispose]()));
    const drip = setInterval(() => clients.forEach(({ socket }) => void socket.write('a')), 50);
    t.after(() => clearInterval(drip));
    assert.equal(await askHealth(service.url, health), health);
    const ends = await Promise.all(clients.map(({ closed }) => closed));
    const answered = ends.filter((end) => end.startsWith(`HTTP/1.1 ${told}`)).length;
    assert.ok(answered > 0, 'whoever is not closed to make room is told why');
    if (told === 408) assert.ok(answered <= 100, 'room is made by closing the oldest');
    t.diagnostic(
      `slow ${name}: 200 connections, all closed by the service, ${answered} after ${told}; healthz answered ${health} of ${health}`,
    );
    const spans = await endWith(service, collector.spans);
    assert.equal(spans[200], 1);
    // A reset can overtake an answer, so that some may not have been read.
    if (told === 404) assert.ok((spans[404] ?? 0) >= answered, 'each answer has its span');
  });
}

test('answers that are not read', async (t) => {
  const app = buildApp(readConfig({ LOG_LEVEL: 'silent', REQUEST_TIMEOUT_MS: '500', MAX_REQUESTS: '1' }));
  t.after(() => app.close());
  // More than the buffers of both sides hold.
  app.get('/large', () => 'x'.repeat(20_000_000));
  const url = await app.listen();
  const cut = new Promise((resolve) => {
    app.server.once('connection', (socket) => socket.once('close', resolve));
  });
  using client = await openRaw(url, 'GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
  client.socket.pause();
  assert.equal(await askHealth(url, health), health);
  await cut;
  t.diagnostic(`answers that are not read: cut by the service, healthz answered ${health} of ${health}`);
  assert.equal((await fetch(`${url}/large`)).status, 200, 'its place is free again');
});

test('a flood of connections', async (t) => {
  const { service, collector, waitForHeld, release } = await start(t, { MAX_CONNECTIONS: '50' }, true);
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const before = ask(`${service.url}/call-b`, agent);
  await waitForHeld(1);
  const clients: RawClient[] = [];
  t.after(() => clients.forEach((client) => void client[Symbol.dispose]()));
  let healthy = 0;
  for (let round = 0; round < health; round += 1) {
    clients.push(...(await Promise.all(Array.from({ length: 20 }, () => openRaw(service.url, '')))));
    healthy += await askHealth(service.url, 1);
  }
  assert.equal(healthy, health);
  const closed = await Promise.all(clients.slice(0, -50).map((client) => client.closed));
  assert.ok(
    closed.every((said) => said === ''),
    'the oldest are closed to make room, before their time is over',
  );
  release();
  assert.equal((await before).status, 200, 'a request in progress is not cut off to make room');
  t.diagnostic(
    `a flood of connections: ${20 * health} for 50 places, healthz answered ${healthy} of ${health}`,
  );
  await service.stop();
  assert.equal(collector.spans.filter(({ kind }) => kind === SERVER).length, 1);
});

for (const PROPAGATION of ['auto', 'manual'] as const) {
  describe(`a flood of requests, with PROPAGATION=${PROPAGATION}`, () => {
    test('what is too much is refused with 503 and Retry-After, and each answer has its span', async (t) => {
      const { service, collector, waitForHeld, release } = await start(
        t,
        { PROPAGATION, MAX_REQUESTS: '10' },
        true,
      );
      const agent = new Agent({ keepAlive: true });
      t.after(() => agent.destroy());
      const taken = Array.from({ length: 10 }, () => ask(`${service.url}/call-b`, agent));
      await waitForHeld(10);
      const refused = await Promise.all(
        Array.from({ length: 190 }, () => ask(`${service.url}/call-b`, agent)),
      );
      assert.equal(await askHealth(service.url, health), health);
      for (const answer of refused) {
        assert.deepEqual(answer, {
          status: 503,
          retryAfter: '1',
          body: '{"error":"overloaded","message":"too much to do; try again in 1 s"}',
        });
      }
      release();
      assert.ok((await Promise.all(taken)).every(({ status }) => status === 200));
      assert.deepEqual(await service.stop(), { code: 0, signal: null });
      t.diagnostic(
        `a flood of requests: 200 for 10 places, 10 answered, 190 refused, healthz answered ${health} of ${health}`,
      );
      const byTrace = Map.groupBy(collector.spans, ({ traceId }) => traceId);
      assert.equal(byTrace.size, 200);
      assert.ok(
        [...byTrace.values()].every((trace) => trace.filter(({ kind }) => kind === SERVER).length === 1),
      );
    });
  });
}

test('a flood of requests that are all answered loses no span', async (t) => {
  const { service, collector } = await start(t, {});
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  t.after(() => agent.destroy());
  const flood = Promise.all(Array.from({ length: 2_000 }, () => ask(`${service.url}/call-b`, agent)));
  const healthy = await askHealth(service.url, health);
  const answers = await flood;
  assert.equal(healthy, health);
  const answered = answers.filter(({ status }) => status === 200).length;
  const refused = answers.filter(({ status }) => status === 503).length;
  assert.equal(answered + refused, 2_000);
  t.diagnostic(
    `a flood of requests: ${answered} answered, ${refused} refused, healthz answered ${healthy} of ${health}`,
  );
  const { 200: ok = 0, 503: busy = 0 } = await endWith(service, collector.spans);
  assert.deepEqual([ok, busy], [answered + 1, refused]);
});

test('heads and bodies that are too large, and framing that is ambiguous', async (t) => {
  const { service, collector } = await start(t, { REQUEST_TIMEOUT_MS: '2000' });
  const cases = [
    [`GET /call-b HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`, 431],
    [`GET /${'x'.repeat(17_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
    [
      `POST /call-b HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 17000\r\n\r\n`,
      404,
    ],
    ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
    ['GET /call-b HTTP/1.1\r\nHost: a\r\nX: a\u0000b\r\n\r\n', 400],
    ['CONNECT b:443 HTTP/1.1\r\nHost: b\r\n\r\n', null],
    ['\u0016\u0003\u0001\u0002', 400],
  ] as const;
  for (const [bytes, status] of cases) {
    using client = await openRaw(service.url, bytes);
    const [, answered = null] = /^HTTP\/1\.1 (\d{3})/.exec(await client.closed) ?? [];
    assert.equal(answered === null ? null : Number(answered), status, JSON.stringify(bytes.slice(0, 80)));
  }
  const { 200: answered } = await endWith(service, collector.spans);
  assert.equal(answered, 1);
});

test('while the process runs late, requests are refused and health is not; then it recovers', async (t) => {
  const app = buildApp(
    readConfig({
      LOG_LEVEL: 'silent',
      SERVICE_B_URL: 'http://127.0.0.1:9',
      MAX_EVENT_LOOP_DELAY_MS: '500',
    }),
  );
  t.after(() => app.close());
  await app.ready();
  const statusOf = async (url: string) => (await app.inject(url)).statusCode;
  assert.equal(await statusOf('/call-b'), 502);
  while (!app.isUnderPressure()) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
    await new Promise(setImmediate);
  }
  const refused = await app.inject('/call-b');
  assert.deepEqual([refused.statusCode, refused.headers['retry-after']], [503, '1']);
  assert.equal(await statusOf('/healthz'), 200);
  while ((await statusOf('/call-b')) === 503) await new Promise(setImmediate);
  assert.equal(await statusOf('/call-b'), 502);
});
