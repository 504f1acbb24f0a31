import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { test } from 'node:test';
import { fetchJson } from './support/fetch-json.ts';
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
    new RegExp(`^service-b: cannot listen on HOST=127\\.0\\.0\\.1 PORT=${port} \\(.*EADDRINUSE.*\\n$`),
  );
});

test('stops within its time and with exit code 0 although a client keeps its connection and the Collector is away', async () => {
  await using service = await startService({
    OTEL_TRACES_EXPORTER: 'otlp',
    // The discard port: nothing listens, the connection is refused, and the exporter retries.
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
  });
  const agent = new Agent({ keepAlive: true });
  const [response] = await once(get(`${service.url}/work`, { agent }), 'response');
  response.resume();
  await once(response, 'end');
  const watchdog = setTimeout(() => service.process.kill('SIGKILL'), 8_000);
  const ending = await service.stop();
  clearTimeout(watchdog);
  agent.destroy();
  assert.deepEqual(ending, { code: 0, signal: null });
  assert.ok(service.lines.some(({ msg }) => String(msg).startsWith('not all spans are delivered')));
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} ends an idle service with exit code 0`, async () => {
    await using service = await startService({});
    const ended = once(service.process, 'exit');
    service.process.kill(signal);
    assert.deepEqual(await ended, [0, null]);
  });
}

test('LOG_SPANS=true prints each finished span', async () => {
  await using service = await startService({ LOG_SPANS: 'true' });
  const { body: work } = await fetchJson(`${service.url}/work`);
  await service.stop();
  const spans = service.lines.filter(({ msg }) => msg === 'span');
  assert.deepEqual(
    spans.map(({ kind, name }) => `${kind} ${name}`),
    ['INTERNAL handler - work', 'INTERNAL request', 'SERVER GET /work'],
  );
  const server = spans.at(-1);
  assert.deepEqual(
    [server?.trace_id, server?.span_id, server?.parent_span_id],
    [work.trace_id, work.span_id, work.parent_span_id],
  );
});
