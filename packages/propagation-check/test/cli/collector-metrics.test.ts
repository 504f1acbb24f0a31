import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseCollectorCounters, readCollectorCounters } from '../../src/source/collector-metrics.ts';
import { SourceError } from '../../src/source/source.ts';
import { startHttpServer } from '../source/http-server.ts';
import { healthyCapture, readCapture } from './captures.ts';
import { executeCli, makeFolder } from './run-cli.ts';

/** Metrics as Collector 0.162 writes them: with the default reader, and with one that appends types and units. */
const lines = (
  suffix: string,
) => `# HELP otelcol_receiver_refused_spans${suffix} Number of spans that could not be pushed
# TYPE otelcol_receiver_refused_spans${suffix} counter
otelcol_receiver_refused_spans${suffix}{receiver="otlp",transport="http"} 3
otelcol_receiver_refused_spans${suffix}{receiver="a} 7",transport="grpc"} 4
otelcol_receiver_accepted_spans${suffix}{receiver="otlp",transport="http"} 3304
otelcol_exporter_sent_spans${suffix}{exporter="otlp_http/jaeger",url_path="/v1/traces"} 1e2
otelcol_exporter_send_failed_spans${suffix}{exporter="otlp_http/jaeger"} 5 1770000000000
otelcol_exporter_enqueue_failed_spans${suffix} 6
otelcol_exporter_queue_size{exporter="otlp_http/jaeger"} 9
target_info{service_name="otelcol-contrib"} 1
`;

test('counters are summed, with or without suffixes in their names', () => {
  for (const suffix of ['', '_total', '__spans_', '__spans__total']) {
    assert.deepEqual(
      parseCollectorCounters('x', lines(suffix)),
      { accepted: 3304, refused: 7, sent: 100, sendFailed: 5, enqueueFailed: 6 },
      suffix,
    );
  }
});

test('spans that memory_limiter refuses are counted once', () => {
  const text = 'otelcol_receiver_refused_spans 5\notelcol_processor_memory_limiter_refused_spans 5\n';
  assert.equal(parseCollectorCounters('x', text).refused, 5);
});

test('values that are not numbers count nothing, absent counters are 0', () => {
  const none = { accepted: 0, refused: 0, sent: 0, sendFailed: 0, enqueueFailed: 0 };
  assert.deepEqual(
    parseCollectorCounters('x', 'otelcol_exporter_sent_spans NaN\notelcol_process_uptime +Inf\n'),
    none,
  );
});

test('an answer that is not of a Collector is refused', () => {
  assert.throws(
    () => parseCollectorCounters('x', '<html>\u001b[2J'),
    /x: no otelcol_ metric in the answer \(“<html>\\u001b\[2J”\)/,
  );
  assert.throws(() => parseCollectorCounters('x', ''), SourceError);
});

test('the error names an answer that is a web page', async (t) => {
  for (const [status, says] of [
    [200, 'answered a web page, not metrics'],
    [404, 'answered 404: a web page'],
  ] as const) {
    const url = await startHttpServer(t, (_, response) =>
      response.writeHead(status).end('<!DOCTYPE html><title>Shop</title>'),
    );
    await assert.rejects(readCollectorCounters(url), {
      message: `collector=${url.origin}/metrics: ${says}; use the address of the Collector’s own metrics (service.telemetry.metrics.readers, port 8888 by default)`,
    });
  }
});

test('the error names no option for credentials, because none are sent', async (t) => {
  const url = await startHttpServer(t, (_, response) => response.writeHead(401).end('no'));
  await assert.rejects(readCollectorCounters(url), {
    message:
      /: asks for credentials \(401\): “no”; --collector-metrics sends no credentials: ask at an address that needs none/,
  });
});

test('the endpoint is /metrics unless the URL says otherwise', async (t) => {
  const asked: (string | undefined)[] = [];
  const url = await startHttpServer(t, (request, response) => {
    asked.push(request.url);
    response.end(lines(''));
  });
  const { name, refused } = await readCollectorCounters(url);
  assert.deepEqual([name, refused], [`collector=${url.origin}/metrics`, 7]);
  await readCollectorCounters(new URL('/own/path?x=1', url));
  assert.deepEqual(asked, ['/metrics', '/own/path?x=1']);
});

test('the report shows what the Collector lost', async (t) => {
  const url = await startHttpServer(t, (_request, response) => response.end(lines('_total')));
  const folder = await makeFolder(t, { spans: readCapture(healthyCapture) });
  const args = ['file', join(folder, 'spans'), '--collector-metrics', url.href] as const;
  const { code, stdout } = await executeCli(...args);
  assert.equal(code, 0);
  assert.match(
    stdout.replace(/\s+/g, ' '),
    /7 spans refused, 5 given up by exporters, 6 dropped from full queues/,
  );
  assert.equal(JSON.parse((await executeCli(...args, '--json')).stdout).collector.sendFailed, 5);
});
