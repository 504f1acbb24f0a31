import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { collectSpans, SERVER } from './support/collect-spans.ts';
import { fetchJson } from './support/fetch-json.ts';
import { askHealth, openRaw, type RawClient } from './support/raw-client.ts';
import { type Service, startService } from './support/start-service.ts';

const health = 50;

/** A service with these limits, and the spans that it exports. */
async function start(t: TestContext, env: NodeJS.ProcessEnv) {
  const collector = await collectSpans();
  t.after(() => collector[Symbol.dispose]());
  const service = await startService({
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    ...env,
  });
  t.after(() => service[Symbol.asyncDispose]());
  return { service, collector };
}

async function openMany(t: TestContext, { url }: Service, count: number): Promise<readonly RawClient[]> {
  const head = 'GET /work HTTP/1.1\r\nHost: b\r\nX-Slow: ';
  const clients = await Promise.all(Array.from({ length: count }, () => openRaw(url, head)));
  t.after(() => clients.forEach((client) => void client[Symbol.dispose]()));
  return clients;
}

test('slow heads', async (t) => {
  const { service } = await start(t, { MAX_CONNECTIONS: '100', REQUEST_TIMEOUT_MS: '2000' });
  const clients = await openMany(t, service, 200);
  assert.equal(await askHealth(service.url, health), health);
  const ends = await Promise.all(clients.map(({ closed }) => closed));
  const told = ends.filter((end) => end.startsWith('HTTP/1.1 408')).length;
  assert.ok(told > 0 && told <= 100, `${told} were told that their time is over`);
  t.diagnostic(
    `slow heads: 200 connections, all closed by the service, ${told} after 408; healthz answered ${health} of ${health}`,
  );
  assert.equal((await fetchJson(`${service.url}/work`)).status, 200, 'it still does its work');
});

for (const PROPAGATION of ['auto', 'manual'] as const) {
  test(`more requests at one time than allowed, with PROPAGATION=${PROPAGATION}`, async (t) => {
    const { service, collector } = await start(t, { PROPAGATION, MAX_REQUESTS: '1' });
    const request = 'GET /work HTTP/1.1\r\nHost: b\r\n\r\n';
    const last = 'GET /healthz HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n';
    using client = await openRaw(service.url, `${request.repeat(100)}${last}`);
    const answers = await client.closed;
    const count = (pattern: RegExp) => answers.match(pattern)?.length ?? 0;
    const [answered, refused] = [count(/HTTP\/1\.1 200 /g) - 1, count(/HTTP\/1\.1 503 /g)];
    assert.equal(answered + refused, 100);
    assert.ok(answered > 0 && refused > 0);
    assert.equal(count(/^retry-after: 1\r$/gm), refused);
    assert.match(answers, /\{"status":"ok"\}$/, 'health is no request that could be too much');
    t.diagnostic(`100 requests in one packet: ${answered} answered, ${refused} refused`);
    await service.stop();
    assert.equal(
      collector.spans.filter(({ kind }) => kind === SERVER).length,
      100,
      'each answer has its span',
    );
  });
}
