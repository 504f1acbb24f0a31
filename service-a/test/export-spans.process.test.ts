/** Real service A exports its spans despite an outage of the Collector and its own exit. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { answerWith, findFreePort, startReceiver } from 'otlp-durable-exporter/test';
import { runToEnd, startService } from 'service-kit/testing';

const exporting = {
  OTEL_TRACES_EXPORTER: 'otlp',
  OTEL_BSP_SCHEDULE_DELAY: '50',
  OTEL_EXPORTER_OTLP_TIMEOUT: '500',
  // `fetch` blocks this port: the call fails at once and makes no span.
  SERVICE_B_URL: 'http://127.0.0.1:9',
};

for (const end of ['an error that nothing handles', 'SIGTERM'] as const) {
  test(`a service that ends by ${end} during an outage of the Collector leaves its spans to the next process, which counts them`, async (t) => {
    const folder = await makeFolder(t);
    const port = await findFreePort();
    const env = {
      ...exporting,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      SPAN_SPOOL_DIR: folder,
    };
    const fault = "process.on('SIGUSR2', () => { throw new Error('unforeseen'); })";
    await using first = await startService('service-a', {
      ...env,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(fault)}`,
    });
    await callTimes(first.url, 10);
    const ended = once(first.process, 'close');
    first.process.kill(end === 'SIGTERM' ? end : 'SIGUSR2');
    assert.deepEqual(await ended, [end === 'SIGTERM' ? 0 : 1, null]);
    const fatal = first.lines.filter(({ level, msg }) => level === 60 && msg === 'unforeseen');
    assert.equal(fatal.length, end === 'SIGTERM' ? 0 : 1);
    assert.equal((await readdir(folder)).length, 1);

    await using receiver = await startReceiver(undefined, port);
    const metricsPort = await findFreePort();
    await using second = await startService('service-a', { ...env, METRICS_PORT: `${metricsPort}` });
    await callTimes(second.url, 5);
    await receiver.until(() => receiver.accepted.filter((name) => name === 'GET /call-b').length === 15);
    // The counter changes only after the Collector's answer has arrived.
    let counters = await readCounters(metricsPort);
    while (counters.queued > 0) counters = await readCounters(metricsPort);
    const { exported, finished, dropped, queued } = counters;
    assert.equal(exported, receiver.accepted.length);
    assert.deepEqual({ finished, dropped, queued }, { finished: exported - 10, dropped: 0, queued: 0 });
    // `GET` would be the name of a SERVER span without a route: reading the counters makes no span.
    assert.equal(receiver.accepted.includes('GET'), false);
    assert.deepEqual(await second.stop(), { code: 0, signal: null });
    assert.deepEqual(await readdir(folder), []);
  });
}

/** An answer that rejects one span: `ExportTraceServiceResponse` of opentelemetry-proto, and its JSON mapping. */
const partly = {
  'http/json': {
    contentType: 'application/json',
    body: JSON.stringify({ partialSuccess: { rejectedSpans: '1', errorMessage: 'too old' } }),
  },
  'http/protobuf': {
    contentType: 'application/x-protobuf',
    body: '\x0a\x0b\x08\x01\x12\x07too old',
  },
} as const;

for (const [protocol, { contentType, body }] of Object.entries(partly)) {
  test(`${protocol}: the log says which spans the Collector rejects`, async () => {
    await using receiver = await startReceiver(answerWith(200, { 'content-type': contentType }, body));
    await using service = await startService('service-a', {
      ...exporting,
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    });
    await callTimes(service.url, 1);
    await receiver.until(() => receiver.received.length > 0);
    await service.stop();
    assert.deepEqual(receiver.accepted, ['GET /call-b']);
    assert.equal(receiver.received[0]?.headers['content-type'], contentType);
    assert.match(
      service.text.stderr,
      new RegExp(`"1 spans are lost: ${receiver.url} rejected them, \\\\"too old\\\\"\\."`),
    );
  });
}

test('a counters port that is in use is refused', async () => {
  await using receiver = await startReceiver();
  const { code, stderr } = await runToEnd('service-a', { ...exporting, METRICS_PORT: `${receiver.port}` });
  assert.equal(code, 2);
  assert.match(stderr, /^service-a: .*METRICS_PORT=.*\n$/);
});

async function makeFolder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'span-spool-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function callTimes(url: string, times: number): Promise<void> {
  for (let request = 0; request < times; request += 1) await (await fetch(`${url}/call-b`)).text();
}

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
