import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runToEnd } from './support/run-to-end.ts';
import { makeFolder } from './support/start-delivery.ts';
import { answerWith, findFreePort, startReceiver } from './support/start-receiver.ts';
import { startService } from './support/start-service.ts';

const exporting = {
  OTEL_TRACES_EXPORTER: 'otlp',
  OTEL_BSP_SCHEDULE_DELAY: '50',
  // `fetch` asks nobody at this port: the call fails at once and makes no span.
  SERVICE_B_URL: 'http://127.0.0.1:9',
};

test('a service that stops while the Collector is away leaves its spans to the next one', async () => {
  await using folder = await makeFolder();
  const port = await findFreePort();
  const env = {
    ...exporting,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    SPAN_SPOOL_DIR: folder.path,
  };
  await using first = await startService(env);
  for (let request = 0; request < 10; request += 1) await (await fetch(`${first.url}/call-b`)).text();
  assert.deepEqual(await first.stop(), { code: 0, signal: null });
  assert.equal((await readdir(folder.path)).length, 1);

  await using receiver = await startReceiver(undefined, port);
  await using second = await startService(env);
  await receiver.until(() => receiver.accepted.filter((name) => name === 'GET /call-b').length === 10);
  assert.deepEqual(await second.stop(), { code: 0, signal: null });
  assert.deepEqual(await readdir(folder.path), []);
});

test('a fault that nothing handles ends the service, and its spans are left to the next one', async () => {
  await using folder = await makeFolder();
  const fault = "process.on('SIGUSR2', () => { throw new Error('unforeseen'); })";
  await using service = await startService({
    ...exporting,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await findFreePort()}`,
    SPAN_SPOOL_DIR: folder.path,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(fault)}`,
  });
  for (let request = 0; request < 3; request += 1) await (await fetch(`${service.url}/call-b`)).text();
  const ended = once(service.process, 'close');
  service.process.kill('SIGUSR2');
  assert.deepEqual(await ended, [1, null]);
  assert.equal((await readdir(folder.path)).length, 1);
  assert.equal(service.lines.filter(({ level, msg }) => level === 60 && msg === 'unforeseen').length, 1);
});

test('publishes counters that add up, and makes no span of who reads them', async () => {
  await using receiver = await startReceiver();
  const port = await findFreePort();
  await using service = await startService({
    ...exporting,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    METRICS_PORT: String(port),
  });
  await readCounters(port);
  for (let request = 0; request < 10; request += 1) await (await fetch(`${service.url}/call-b`)).text();
  await receiver.until(() => receiver.accepted.filter((name) => name === 'GET /call-b').length === 10);
  // The counter follows when the answer has arrived.
  let counters = await readCounters(port);
  while (counters.queued > 0) counters = await readCounters(port);
  const { exported, finished, dropped, queued } = counters;
  assert.equal(exported, receiver.accepted.length);
  assert.deepEqual({ finished, dropped, queued }, { finished: exported, dropped: 0, queued: 0 });
  // A SERVER span without a route has no other name.
  assert.equal(receiver.accepted.includes('GET'), false);
});

test('counts and says what the Collector rejects of the spans that it takes', async () => {
  const partly = JSON.stringify({ partialSuccess: { rejectedSpans: '1', errorMessage: 'too old' } });
  await using receiver = await startReceiver(answerWith(200, {}, partly));
  const port = await findFreePort();
  await using service = await startService({
    ...exporting,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    METRICS_PORT: String(port),
  });
  await (await fetch(`${service.url}/call-b`)).text();
  let counters = await readCounters(port);
  while (counters.queued > 0 || counters.finished === 0) counters = await readCounters(port);
  const { exported, finished, dropped } = counters;
  assert.equal(dropped, receiver.received.length);
  assert.equal(finished, exported + dropped);
  assert.match(service.text.stderr, /"1 spans are lost: http:.* rejected them, \\"too old\\"\."/);
});

test('refuses a port for counters that is taken, and a folder that is none', async () => {
  await using receiver = await startReceiver();
  await using folder = await makeFolder();
  const file = join(folder.path, 'file');
  await writeFile(file, '');
  for (const [name, value] of [
    ['METRICS_PORT', String(receiver.port)],
    ['SPAN_SPOOL_DIR', file],
  ] as const) {
    const { code, stderr } = await runToEnd({ ...exporting, [name]: value });
    assert.equal(code, 2);
    assert.match(stderr, new RegExp(`^service-a: .*${name}=.*\n$`));
  }
});

async function readCounters(port: number) {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const read = (pattern: RegExp) =>
    text
      .split('\n')
      .filter((line) => pattern.test(line))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  return {
    finished: read(/^otel_sdk_processor_span_processed_total/) + read(/^otel_sdk_processor_span_queue_size/),
    exported: read(/^otel_sdk_exporter_span_exported_total(?!.*error_type)/),
    dropped: read(/^otel_sdk_exporter_span_exported_total.*error_type/),
    queued: read(/^otel_sdk_exporter_span_inflight/) + read(/^otel_sdk_processor_span_queue_size/),
  };
}
