/** Real service A stops without losing an answer or a span. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CLIENT,
  collectSpans,
  fetchJson,
  listen,
  runToEnd,
  SERVER,
  type Service,
  startService,
} from 'service-kit/testing';

test('a port in use is one line on stderr and exit code 2', async () => {
  using other = await listen(() => {});
  const { port } = new URL(other.url);
  const { code, stderr } = await runToEnd('service-a', { PORT: port });
  assert.equal(code, 2);
  assert.match(
    stderr,
    new RegExp(`^service-a: cannot listen on HOST=127\\.0\\.0\\.1 PORT=${port} \\(.*EADDRINUSE.*\\n$`),
  );
});

describe('the stop', { concurrency: true }, () => {
  for (const mode of ['auto', 'manual'] as const) {
    test(`calls of disconnected callers are aborted, others are answered, and all spans are exported, with PROPAGATION=${mode}`, async () => {
      await using system = await start(mode);
      const before = await system.call();
      before.caller.abort();
      await assert.rejects(before.answer);
      await before.left;

      const during = await system.call();
      const finished = await system.call();
      const ending = system.serviceA.stop();
      await waitForStop(system.serviceA);
      during.caller.abort();
      await assert.rejects(during.answer);
      await during.left;
      finished.response
        .setHeader('content-type', 'application/json')
        .end('{"received_traceparent":null,"trace_id":null,"parent_span_id":null}');
      assert.equal((await finished.answer).status, 200);

      assert.deepEqual(await ending, { code: 0, signal: null });
      assert.deepEqual(system.countSpans(), { [SERVER]: 3, [CLIENT]: 3 });
      assert.equal(system.serviceA.text.stderr, '');
    });

    test(`a request that outlasts the stop is cut off, and its spans are exported, with PROPAGATION=${mode}`, async () => {
      await using system = await start(mode);
      const { answer } = await system.call();
      const rejected = assert.rejects(answer);
      assert.deepEqual(await system.serviceA.stop(), { code: 0, signal: null });
      await rejected;
      assert.deepEqual(system.countSpans(), { [SERVER]: 1, [CLIENT]: 1 });
      const cut = system.serviceA.lines.filter(({ msg }) =>
        String(msg).startsWith('requests in flight are cut off'),
      );
      assert.equal(cut.length, 1);
    });
  }
});

for (const mode of ['auto', 'manual'] as const) {
  test(`refused requests have spans too, and a flood loses none, with PROPAGATION=${mode}`, async () => {
    // A large queue, because this test is not about a full queue.
    await using system = await start(mode, { MAX_REQUESTS: '10', OTEL_BSP_MAX_QUEUE_SIZE: '100000' });
    const taken = await Promise.all(Array.from({ length: 10 }, () => system.call()));
    const flood = await Promise.all(
      Array.from({ length: 500 }, () => fetch(`${system.serviceA.url}/call-b`)),
    );
    assert.ok(flood.every(({ status }) => status === 503));
    for (const { response } of taken) response.writeHead(500).end();
    for (const { answer } of taken) assert.equal((await answer).status, 502);
    await system.serviceA.stop();
    assert.deepEqual(system.countSpans(), { [SERVER]: 510, [CLIENT]: 10 });
  });
}

/** Starts a service A whose calls wait until the test answers them. */
async function start(mode: 'auto' | 'manual', env: NodeJS.ProcessEnv = {}) {
  const asked: ((response: ServerResponse) => void)[] = [];
  const serviceB = await listen((_request, response) => asked.shift()?.(response));
  const collector = await collectSpans();
  const serviceA = await startService('service-a', {
    PROPAGATION: mode,
    SERVICE_B_URL: serviceB.url,
    SERVICE_B_TIMEOUT_MS: '600000',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    ...env,
  });
  return {
    serviceA,
    /** Calls A, and waits until A has called B. */
    call: async () => {
      const caller = new AbortController();
      const { promise, resolve } = Promise.withResolvers<ServerResponse>();
      asked.push(resolve);
      const answer = fetchJson(`${serviceA.url}/call-b`, { signal: caller.signal });
      // The test awaits this promise later.
      answer.catch(() => undefined);
      const response = await promise;
      const left = new Promise((resolveLeft) => response.once('close', resolveLeft));
      return { caller, answer, response, left };
    },
    countSpans: () => {
      const byKind = Map.groupBy(collector.spans, ({ kind }) => kind);
      return Object.fromEntries([...byKind].map(([kind, spans]) => [kind, spans.length]));
    },
    [Symbol.asyncDispose]: async () => {
      await serviceA[Symbol.asyncDispose]();
      serviceB[Symbol.dispose]();
      collector[Symbol.dispose]();
    },
  };
}

/** Resolves when the service begins to stop. Requests in flight then have some seconds. */
async function waitForStop({ lines }: Service): Promise<void> {
  while (!lines.some(({ msg }) => msg === 'stopping')) await delay(10);
}
