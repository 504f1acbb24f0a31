/** Clients that take more than their share, on real sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { get as getOverTls, Agent as TlsAgent } from 'node:https';
import { text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { readServiceConfig } from 'service-kit/config';
import {
  addHealth,
  addLimits,
  addServerSpans,
  createServerOptions,
  createTlsOptions,
} from 'service-kit/server';
import { askHealth, issueTlsFiles, openRaw, type RawClient } from 'service-kit/testing';

const health = 50;

/** A service with these limits, whose `/work` waits for `release` where it is asked to. */
async function start(t: TestContext, variables: Readonly<Record<string, string>>, holds = false) {
  const unset = { name: 'service', port: 0, trustIncoming: 'never' } as const;
  // A busy machine delays the event loop by more than the default.
  const calm = { LOG_LEVEL: 'silent', PORT: '0', MAX_EVENT_LOOP_DELAY_MS: '60000' };
  const config = readServiceConfig({ ...calm, ...variables }, unset);
  const options = createServerOptions(config, 0);
  const { tls, limits } = config;
  const https =
    tls === null ? null : { ...options.http, ...createTlsOptions(tls, limits.requestTimeoutMillis) };
  const app = fastify({ ...options, https });
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  addServerSpans(app, provider.getTracer('test'));
  addLimits(app, limits);
  addHealth(app);

  const held: FastifyReply[] = [];
  let onHeld = () => {};
  // More than the buffers of both sides hold.
  app.get('/large', () => 'x'.repeat(20_000_000));
  app.get('/work', (_request, reply) => {
    if (holds) held.push(reply);
    else reply.send('done');
    onHeld();
  });
  t.after(() => {
    app.server.closeAllConnections();
    return app.close();
  });
  await app.listen();
  const [address] = app.addresses();
  assert.ok(typeof address === 'object');
  return {
    app,
    url: `http://127.0.0.1:${address.port}`,
    waitForHeld: (count: number) =>
      new Promise<void>((resolve) => {
        onHeld = () => {
          if (held.length >= count) resolve();
        };
        onHeld();
      }),
    /** How many SERVER spans have each status. */
    countSpans: (): Readonly<Record<string, number>> => {
      const statuses = exporter
        .getFinishedSpans()
        .map(({ attributes }) => attributes['http.response.status_code']);
      return Object.fromEntries(
        [...Map.groupBy(statuses, String)].map(([status, all]) => [status, all.length]),
      );
    },
    release: () => held.splice(0).forEach((reply) => void reply.send('done')),
  };
}

function keepOpen(t: TestContext, clients: readonly RawClient[]): readonly RawClient[] {
  t.after(() => clients.forEach((client) => void client[Symbol.dispose]()));
  return clients;
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

function ask(url: string, agent: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get(`${url}/work`, { agent }, async (response: IncomingMessage) => {
      const body = await text(response);
      resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'], body });
    }).on('error', reject);
  });
}

async function askOnce(url: string): Promise<number> {
  return (await fetch(`${url}/work`)).status;
}

describe('slow clients', { concurrency: true }, () => {
  for (const [name, bytes, told] of [
    ['heads', 'GET /work HTTP/1.1\r\nHost: a\r\nX-Slow: ', 408],
    [
      'bodies',
      'POST /work HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99999\r\n\r\n{',
      404,
    ],
  ] as const) {
    test(`slow ${name}`, async (t) => {
      const { url, countSpans } = await start(t, { MAX_CONNECTIONS: '20', REQUEST_TIMEOUT_MS: '8000' });
      const clients = keepOpen(t, await Promise.all(Array.from({ length: 40 }, () => openRaw(url, bytes))));
      const drip = setInterval(() => clients.forEach(({ socket }) => void socket.write('a')), 50);
      t.after(() => clearInterval(drip));
      assert.equal(await askHealth(url, health), health);
      const ends = await Promise.all(clients.map(({ closed }) => closed));
      const answered = ends.filter((end) => end.startsWith(`HTTP/1.1 ${told}`)).length;
      assert.ok(answered > 0, 'clients that are not closed to make room are told why');
      if (told === 408) assert.ok(answered <= 20, 'room is made by closing the oldest');
      assert.equal(await askOnce(url), 200, 'it still does its work');
      // A reset can overtake an answer, so that some may not have been read.
      if (told === 404) assert.ok((countSpans()[404] ?? 0) >= answered, 'each answer has its span');
    });
  }

  test('answers that are not read', async (t) => {
    const { app, url } = await start(t, { REQUEST_TIMEOUT_MS: '4000', MAX_REQUESTS: '1' });
    const cut = new Promise((resolve) => {
      app.server.once('connection', (socket) => socket.once('close', resolve));
    });
    using client = await openRaw(url, 'GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
    client.socket.pause();
    assert.equal(await askHealth(url, health), health);
    await cut;
    assert.equal(await askOnce(url), 200, 'its place is free again');
  });

  test('heads and bodies that are too large, and framing that is ambiguous', async (t) => {
    const { url } = await start(t, { REQUEST_TIMEOUT_MS: '2000' });
    const cases = [
      [`GET /work HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`, 431],
      [`GET /${'x'.repeat(17_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
      [
        `POST /work HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 17000\r\n\r\n`,
        404,
      ],
      ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
      ['GET /work HTTP/1.1\r\nHost: a\r\nX: a\u0000b\r\n\r\n', 400],
      ['CONNECT b:443 HTTP/1.1\r\nHost: b\r\n\r\n', null],
      ['\u0016\u0003\u0001\u0002', 400],
    ] as const;
    for (const [bytes, status] of cases) {
      using client = await openRaw(url, bytes);
      const [, answered = null] = /^HTTP\/1\.1 (\d{3})/.exec(await client.closed) ?? [];
      assert.equal(answered === null ? null : Number(answered), status, JSON.stringify(bytes.slice(0, 80)));
    }
    assert.equal(await askOnce(url), 200);
  });

  test('connections have a bound with TLS too, and a slow handshake is closed as a slow request is', async (t) => {
    await using files = await issueTlsFiles();
    const { url } = await start(t, { ...files.env, MAX_CONNECTIONS: '5', REQUEST_TIMEOUT_MS: '2000' });
    const { authority: ca, certificate: cert, key } = files.credentials;
    const { port } = new URL(url);
    const agent = new TlsAgent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    const askOverTls = async (through: TlsAgent | false) => {
      const asked = getOverTls(`https://localhost:${port}/work`, { ca, cert, key, agent: through });
      const [answer] = await once(asked, 'response');
      await text(answer);
      return answer.statusCode;
    };
    assert.equal(await askOverTls(agent), 200);
    const [kept] = Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? []);
    assert.ok(kept);
    const closed = once(kept, 'close');
    // The beginning of a handshake: a record of 256 bytes is said to follow.
    const bytes = ['', '\u0016\u0003\u0001\u0001\u0000'];
    const slow = Array.from({ length: 10 }, (_, index) => openRaw(url, bytes[index % 2] ?? ''));
    const clients = keepOpen(t, await Promise.all(slow));
    // The kept connection is idle, and the oldest.
    await closed;
    await Promise.all(clients.map((client) => client.closed));
    assert.equal(await askOverTls(false), 200);
  });
});

test('a flood of connections', async (t) => {
  const { url, waitForHeld, release } = await start(t, { MAX_CONNECTIONS: '50' }, true);
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const early = ask(url, agent);
  await waitForHeld(1);
  const clients: RawClient[] = [];
  keepOpen(t, clients);
  let healthy = 0;
  for (let round = 0; round < health; round += 1) {
    clients.push(...(await Promise.all(Array.from({ length: 20 }, () => openRaw(url, '')))));
    healthy += await askHealth(url, 1);
  }
  assert.equal(healthy, health);
  const closed = await Promise.all(clients.slice(0, -50).map((client) => client.closed));
  assert.ok(
    closed.every((said) => said === ''),
    'the oldest are closed to make room, before their time is over',
  );
  release();
  assert.equal((await early).status, 200, 'a request in progress is not cut off to make room');
});

test('requests beyond the bound are refused with 503 and Retry-After, and each answer has its span', async (t) => {
  const { url, waitForHeld, release, countSpans } = await start(t, { MAX_REQUESTS: '10' }, true);
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const taken = Array.from({ length: 10 }, () => ask(url, agent));
  await waitForHeld(10);
  const refused = await Promise.all(Array.from({ length: 190 }, () => ask(url, agent)));
  assert.equal(await askHealth(url, health), health);
  for (const answer of refused) {
    assert.deepEqual(answer, {
      status: 503,
      retryAfter: '1',
      body: '{"error":"overloaded","message":"too much to do; try again in 1 s"}',
    });
  }
  release();
  assert.ok((await Promise.all(taken)).every(({ status }) => status === 200));
  assert.deepEqual(countSpans(), { 200: 10, 503: 190 });
});

test('requests in one packet are counted as others are', async (t) => {
  const { url, countSpans } = await start(t, { MAX_REQUESTS: '1' });
  const request = 'GET /work HTTP/1.1\r\nHost: b\r\n\r\n';
  const last = 'GET /healthz HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n';
  using client = await openRaw(url, `${request.repeat(100)}${last}`);
  const answers = await client.closed;
  const count = (pattern: RegExp) => answers.match(pattern)?.length ?? 0;
  const [answered, refused] = [count(/HTTP\/1\.1 200 /g) - 1, count(/HTTP\/1\.1 503 /g)];
  assert.equal(answered + refused, 100);
  assert.ok(answered > 0 && refused > 0);
  assert.equal(count(/^retry-after: 1\r$/gm), refused);
  assert.match(answers, /\{"status":"ok"\}$/, 'a health check is never too much');
  assert.deepEqual(countSpans(), { 200: answered, 503: refused });
});

test('while the process runs late, requests are refused and health is not; then it recovers', async (t) => {
  const { app } = await start(t, { MAX_EVENT_LOOP_DELAY_MS: '500' });
  const statusOf = async (path: string) => (await app.inject(path)).statusCode;
  assert.equal(await statusOf('/work'), 200);
  // The delay is measured anew each second: a request may come after the next measurement.
  let refused = await askLate(app);
  while (refused.statusCode !== 503) refused = await askLate(app);
  assert.equal(refused.headers['retry-after'], '1');
  assert.equal(await statusOf('/healthz'), 200);
  while ((await statusOf('/work')) === 503) await new Promise(setImmediate);
  assert.equal(await statusOf('/work'), 200);
});

test('a delay below the bound refuses nothing, although the event loop turns too seldom to be measured', async (t) => {
  const { app } = await start(t, { MAX_EVENT_LOOP_DELAY_MS: '60000' });
  for (let turn = 0; turn < 2; turn += 1) assert.equal((await askLate(app)).statusCode, 200);
});

/** Asks after the process has run late by more than a second. */
async function askLate(app: FastifyInstance) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
  // A timer measures the delay. This one is due after it.
  await new Promise((resolve) => setTimeout(resolve));
  return app.inject('/work');
}
