import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { CLIENT, collectSpans, SERVER } from './support/collect-spans.ts';
import { fetchJson } from './support/fetch-json.ts';
import { listen } from './support/listen.ts';
import { runToEnd } from './support/run-to-end.ts';
import { startService } from './support/start-service.ts';

test('a port in use is one line on stderr and exit code 2', async () => {
  await using service = await startService({});
  const { port } = new URL(service.url);
  const { code, stderr } = await runToEnd({ PORT: port });
  await service.stop();
  assert.equal(code, 2);
  assert.match(
    stderr,
    new RegExp(`^service-a: cannot listen on HOST=127\\.0\\.0\\.1 PORT=${port} \\(.*EADDRINUSE.*\\n$`),
  );
});

for (const mode of ['auto', 'manual'] as const) {
  test(`finishes a request in flight and exports its spans, with PROPAGATION=${mode}`, async () => {
    const asked = Promise.withResolvers<ServerResponse>();
    using serviceB = await listen((_request, response) => asked.resolve(response));
    using collector = await collectSpans();
    await using serviceA = await startService({
      PROPAGATION: mode,
      SERVICE_B_URL: serviceB.url,
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    });

    const answer = fetchJson(`${serviceA.url}/call-b`);
    const work = await asked.promise;
    const ending = serviceA.stop();
    await waitForRefusal(serviceA.url);
    work
      .setHeader('content-type', 'application/json')
      .end('{"received_traceparent":null,"trace_id":null,"parent_span_id":null}');

    assert.equal((await answer).status, 200);
    assert.deepEqual(await ending, { code: 0, signal: null });
    assert.deepEqual(
      collector.spans.filter(({ kind }) => kind === SERVER || kind === CLIENT).map(({ name }) => name),
      ['GET', 'GET /call-b'],
    );
  });
}

for (const mode of ['auto', 'manual'] as const) {
  test(`a request that outlasts the stop is cut off, and its spans are exported, with PROPAGATION=${mode}`, async () => {
    const asked = Promise.withResolvers<void>();
    using serviceB = await listen(() => asked.resolve());
    using collector = await collectSpans();
    await using serviceA = await startService({
      PROPAGATION: mode,
      SERVICE_B_URL: serviceB.url,
      SERVICE_B_TIMEOUT_MS: '60000',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    });
    const answer = assert.rejects(fetch(`${serviceA.url}/call-b`));
    await asked.promise;
    assert.deepEqual(await serviceA.stop(), { code: 0, signal: null });
    await answer;
    assert.deepEqual(
      collector.spans
        .filter(({ kind }) => kind === SERVER || kind === CLIENT)
        .map(({ name }) => name)
        .toSorted(),
      ['GET', 'GET /call-b'],
    );
    assert.ok(serviceA.lines.some(({ msg }) => String(msg).startsWith('requests in flight are cut off')));
  });
}

test('a request that its caller gives up during the stop has its spans exported', async () => {
  const asked = Promise.withResolvers<void>();
  using serviceB = await listen(() => asked.resolve());
  using collector = await collectSpans();
  await using serviceA = await startService({
    SERVICE_B_URL: serviceB.url,
    SERVICE_B_TIMEOUT_MS: '60000',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
  });
  const caller = new AbortController();
  const answer = assert.rejects(fetch(`${serviceA.url}/call-b`, { signal: caller.signal }));
  await asked.promise;
  const ending = serviceA.stop();
  await waitForRefusal(serviceA.url);
  caller.abort();
  await answer;
  assert.deepEqual(await ending, { code: 0, signal: null });
  assert.deepEqual(
    collector.spans
      .filter(({ kind }) => kind === SERVER || kind === CLIENT)
      .map(({ name }) => name)
      .toSorted(),
    ['GET', 'GET /call-b'],
  );
});

test('says in one line that the Collector is away, and stops with exit code 0', async () => {
  await using service = await startService({
    OTEL_TRACES_EXPORTER: 'otlp',
    // The discard port: nothing listens there.
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    SERVICE_B_URL: 'http://127.0.0.1:9',
  });
  await fetchJson(`${service.url}/call-b`);
  const watchdog = setTimeout(() => service.process.kill('SIGKILL'), 8_000);
  const ending = await service.stop();
  clearTimeout(watchdog);
  assert.deepEqual(ending, { code: 0, signal: null });
  assert.equal(
    service.lines.filter(({ msg }) => String(msg).startsWith('not all spans are delivered')).length,
    1,
  );
});

/** Until the service no longer accepts connections, which is how it shows that it is stopping. */
async function waitForRefusal(url: string): Promise<void> {
  for (;;) {
    try {
      await fetch(`${url}/healthz`);
    } catch {
      return;
    }
  }
}
