import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readSamples } from 'account';
import { isQuiet, sumUp } from '../chaos/counters.ts';

const service = (inflight: number, waiting: number, dropped = 0) =>
  [
    'otel_sdk_exporter_span_exported_total{otel_component_name="span_delivery/0"} 80',
    `otel_sdk_exporter_span_exported_total{otel_component_name="span_delivery/0",error_type="backlog_full"} ${dropped}`,
    `otel_sdk_exporter_span_inflight{otel_component_name="span_delivery/0"} ${inflight}`,
    `otel_sdk_processor_span_queue_size{otel_component_name="batching_span_processor/0"} ${waiting}`,
  ].join('\n');
const collector = (size: number, sending: number, failed = 0) =>
  [
    `otelcol_exporter_queue_size{exporter="otlp_http/jaeger"} ${size}`,
    `otelcol_exporter_in_flight_requests{exporter="otlp_http/jaeger"} ${sending}`,
    `otelcol_exporter_send_failed_spans{exporter="otlp_http/jaeger"} ${failed}`,
    `otelcol_exporter_enqueue_failed_spans_total{exporter="otlp_http/jaeger"} 7`,
  ].join('\n');

describe('the counters of the stack', () => {
  it('are summed over all services', () => {
    const said = sumUp([
      ['service-a', service(1, 2, 3)],
      ['service-b', service(4, 0, 5)],
      ['otel-collector', collector(8, 16, 32)],
    ]);
    assert.deepEqual(said, {
      queued: 31,
      sending: 16,
      dropped: 40,
      counters: {
        'service-a otel_sdk_exporter_span_exported_total backlog_full': 3,
        'service-b otel_sdk_exporter_span_exported_total backlog_full': 5,
        'otel-collector otelcol_exporter_send_failed_spans': 32,
        'otel-collector otelcol_exporter_enqueue_failed_spans': 7,
      },
      unread: [],
    });
    assert.equal(isQuiet(said), false);
  });

  it('are quiet when all queues are empty', () => {
    const said = sumUp([
      ['service-a', service(0, 0)],
      ['otel-collector', collector(0, 0)],
    ]);
    assert.equal(isQuiet(said), true);
  });

  for (const [what, text] of [
    ['cannot be asked', null],
    ['says nothing', ''],
    ['answers with something else', '<html>404 page not found</html>'],
  ] as const) {
    it(`are not quiet when one ${what}`, () => {
      for (const name of ['service-a', 'otel-collector'] as const) {
        const said = sumUp([
          ['service-b', service(0, 0)],
          [name, text],
        ]);
        assert.deepEqual(said.unread, [name]);
        assert.equal(isQuiet(said), false);
      }
    });
  }
});

describe('samples', () => {
  it('with the same counter and reason are summed over their other labels', () => {
    const text =
      '# HELP sent\nsent{a="1",b="x y"} 2\nsent{a="2"} 3\nsent{a="1",error_type="full"} 4\nother_total 1e3\nbad NaN\n';
    assert.deepEqual(readSamples(text), [
      { name: 'sent', reason: '', value: 5 },
      { name: 'sent', reason: 'full', value: 4 },
      { name: 'other_total', reason: '', value: 1000 },
    ]);
  });

  it('of the Collector have the same name in all of its versions', () => {
    const names = ['otelcol_x_spans', 'otelcol_x_spans_total', 'otelcol_x_spans__spans__total'];
    assert.deepEqual(
      names.flatMap((name) => readSamples(`${name} 1`)),
      names.map(() => ({ name: 'otelcol_x_spans', reason: '', value: 1 })),
    );
  });
});
