import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { balance, isBalanced, RestartError } from '../balance.ts';
import { type Counters, CountersError, parseCollectorCounters, parseServiceCounters } from '../counters.ts';
import { renderAccount } from '../render-account.ts';
import { settleCounters } from '../settle-counters.ts';

const service = (exported: number, change: Partial<Counters['serviceA']> = {}) => ({
  finished: exported,
  restored: 0,
  exported,
  dropped: 0,
  queued: 0,
  ...change,
});
const counters = (a: number, b: number, change: Partial<Counters> = {}): Counters => ({
  serviceA: service(a),
  serviceB: service(b),
  collector: { accepted: a + b, refused: 0, sent: a + b, failed: 0, queued: 0 },
  ...change,
});
const before = counters(40, 30);

describe('the account', () => {
  it('agrees when the counters of all hops agree', () => {
    const account = balance(before, counters(48, 36), 14);
    assert.equal(isBalanced(account), true);
    assert.match(renderAccount(account, { color: false }), /^service-a +8 +0 +8 +0 +0$/m);
    assert.match(renderAccount(account, { color: false }), /^ACCOUNT AGREES {2}no span is lost$/m);
  });

  it('counts spans that an earlier process left', () => {
    const after = counters(48, 36, { serviceA: service(48, { finished: 45, restored: 3 }) });
    const [first] = balance(before, after, 14).sums;
    assert.deepEqual([first?.left, first?.right], [8, 8]);
  });

  it('counts spans that were queued before', () => {
    const queued = counters(40, 30, { serviceA: service(40, { finished: 44, queued: 4 }) });
    const after = counters(48, 36, { serviceA: service(48) });
    const [first] = balance(queued, after, 14).sums;
    assert.deepEqual([first?.left, first?.right], [8, 8]);
  });

  const losses: Readonly<Record<string, readonly [Counters, number, RegExp]>> = {
    'dropped by a service': [
      counters(48, 36, {
        serviceA: service(48, { finished: 50, dropped: 2 }),
      }),
      14,
      /✗ nothing dropped.* 2 ≠ 0/,
    ],
    'lost without being counted': [
      counters(48, 36, { serviceA: service(48, { finished: 49 }) }),
      14,
      /✗ service-a: .* 9 ≠ 8/,
    ],
    'lost on the way to the Collector': [
      counters(48, 36, { collector: { accepted: 82, refused: 0, sent: 82, failed: 0, queued: 0 } }),
      12,
      /✗ exported by the services .* 14 ≠ 12/,
    ],
    'given up by the Collector': [
      counters(48, 36, { collector: { accepted: 84, refused: 0, sent: 83, failed: 1, queued: 0 } }),
      13,
      /✗ nothing dropped.* 1 ≠ 0/,
    ],
    'still queued': [
      counters(48, 36, { collector: { accepted: 84, refused: 0, sent: 80, failed: 0, queued: 4 } }),
      10,
      /✗ nothing dropped.* 4 ≠ 0/,
    ],
    'lost in the Collector': [
      counters(48, 36, { collector: { accepted: 84, refused: 0, sent: 80, failed: 0, queued: 0 } }),
      10,
      /✗ accepted = sent .* 14 ≠ 10/,
    ],
    'lost in the trace store': [counters(48, 36), 13, /✗ finished by the services .* 14 ≠ 13/],
  };
  for (const [loss, [after, found, line]] of Object.entries(losses)) {
    it(`does not agree about spans that are ${loss}`, () => {
      const account = balance(before, after, found);
      assert.equal(isBalanced(account), false);
      assert.match(renderAccount(account, { color: false }), line);
      assert.match(renderAccount(account, { color: false }), /^ACCOUNT DOES NOT AGREE$/m);
    });
  }

  it('is refused when a counter has decreased, because its process has restarted', () => {
    const restarted = { accepted: 3, refused: 0, sent: 3, failed: 0, queued: 0 };
    for (const [after, who] of [
      [counters(8, 36), 'service-a'],
      [counters(48, 6), 'service-b'],
      [counters(48, 36, { collector: restarted }), 'otel-collector'],
    ] as const) {
      assert.throws(
        () => balance(before, after, 14),
        new RestartError(`${who} has started anew while its spans were counted; run this again`),
      );
    }
  });

  const fresh = counters(0, 0);
  const meanings: Readonly<Record<string, readonly [Counters, Counters, number, readonly string[]]>> = {
    'the Collector started anew before it had counted anything': [
      fresh,
      counters(8, 6, { collector: { accepted: 10, refused: 0, sent: 10, failed: 0, queued: 0 } }),
      14,
      [
        'Perhaps the Collector has started anew, and its counters with it: run this again, or another receiver has them.',
      ],
    ],
    'a service started anew before it had counted anything': [
      fresh,
      counters(4, 6),
      14,
      [
        'Perhaps a service has started anew, and its counters with it: run this again, or the trace store has spans twice.',
      ],
    ],
    'somebody else sends requests': [
      before,
      counters(52, 39),
      14,
      ['Spans are missing in the trace store, or somebody else sent requests too.'],
    ],
    'the Collector lost what it had accepted': [
      before,
      counters(48, 36, { collector: { accepted: 84, refused: 0, sent: 80, failed: 0, queued: 0 } }),
      10,
      [
        'Spans are lost in the Collector; its log says why, unless its disk was full.',
        'Spans are missing in the trace store, or somebody else sent requests too.',
      ],
    ],
    'an answer of the Collector was lost': [
      before,
      counters(48, 36, { collector: { accepted: 88, refused: 0, sent: 88, failed: 0, queued: 0 } }),
      14,
      ['Batches were sent again after an answer was lost, or somebody else sends spans to the Collector.'],
    ],
    'an answer of Jaeger was lost': [
      before,
      counters(48, 36, { collector: { accepted: 84, refused: 0, sent: 88, failed: 0, queued: 0 } }),
      14,
      ['Batches were sent again after an answer of Jaeger was lost.'],
    ],
    'hops dropped, gave up and still have spans': [
      before,
      counters(48, 36, {
        serviceA: service(46, { finished: 48, dropped: 2 }),
        serviceB: service(33, { finished: 36, queued: 3 }),
        collector: { accepted: 79, refused: 0, sent: 74, failed: 1, queued: 4 },
      }),
      14,
      [
        'service-a dropped 2, otel-collector gave up 1, service-b still has 3, otel-collector still has 4. ' +
          'The log of the hop, or of the next one, says why.',
      ],
    ],
  };
  for (const [what, [first, last, found, says]] of Object.entries(meanings)) {
    it(`explains the difference when ${what}`, () => {
      const { sums } = balance(first, last, found);
      assert.deepEqual(
        sums.flatMap(({ otherwise }) => otherwise ?? []),
        says,
      );
    });
  }

  it('says that there was no span to lose', () => {
    const account = balance(before, before, 0);
    assert.match(renderAccount(account, { color: false }), /^ACCOUNT AGREES {2}there was no span to lose$/m);
  });
});

describe('the counters before the requests', () => {
  const signal = new AbortController().signal;
  const during = counters(44, 30, {
    collector: { accepted: 70, refused: 0, sent: 70, failed: 0, queued: 0 },
  });

  it('are read when they no longer change: only one of two hops has counted a batch in flight', async () => {
    const readings = [before, during, counters(44, 30), counters(44, 30)];
    const read = async () => readings.shift() ?? assert.fail('read once too often');
    assert.deepEqual(await settleCounters(read, { timeoutMs: 60_000, signal }), counters(44, 30));
    // The first reading alone would give an account that does not agree.
    assert.equal(isBalanced(balance(during, counters(52, 36), 14)), false);
    assert.equal(isBalanced(balance(counters(44, 30), counters(52, 36), 14)), true);
  });

  it('cannot be read while another sender is active', async () => {
    let spans = 0;
    const read = async () => counters(spans++, 0);
    await assert.rejects(settleCounters(read, { timeoutMs: 1, signal }), {
      name: 'UsageError',
      message: /^the counters of the stack do not stand still within 0.001 s: somebody else sends requests\./,
    });
  });
});

describe('counters', () => {
  it('are read from a service', () => {
    const text = [
      '# TYPE otel_sdk_exporter_span_exported_total counter',
      'otel_sdk_exporter_span_exported_total{otel_component_name="span_delivery/0"} 80',
      'otel_sdk_exporter_span_exported_total{otel_component_name="span_delivery/0",error_type="backlog_full"} 5',
      'otel_sdk_exporter_span_exported_total{otel_component_name="span_delivery/0",error_type="refused"} 1',
      'otel_sdk_exporter_span_inflight{otel_component_name="span_delivery/0"} 7',
      'span_delivery_span_restored_total 3',
      'otel_sdk_processor_span_processed_total{otel_component_name="batching_span_processor/0"} 90',
      'otel_sdk_processor_span_processed_total{error_type="queue_full"} 2',
      'otel_sdk_processor_span_queue_size{otel_component_name="batching_span_processor/0"} 4',
    ].join('\n');
    assert.deepEqual(parseServiceCounters(text), {
      finished: 96,
      restored: 3,
      exported: 80,
      dropped: 8,
      queued: 11,
    });
  });

  it('are read from a Collector of any version', () => {
    for (const suffix of ['', '_total', '__spans__total']) {
      const text = [
        `otelcol_receiver_accepted_spans${suffix}{receiver="otlp",transport="http"} 140`,
        `otelcol_receiver_refused_spans${suffix}{receiver="otlp",transport="http"} 2`,
        `otelcol_exporter_sent_spans${suffix}{exporter="otlp_http/jaeger"} 130`,
        'otelcol_exporter_queue_size{exporter="otlp_http/jaeger"} 10',
        // With OBSERVE=on.
        `otelcol_exporter_sent_spans${suffix}{exporter="otlp_http/sink"} 120`,
        'otelcol_exporter_queue_size{exporter="otlp_http/sink"} 20',
      ].join('\n');
      const expected = { accepted: 140, refused: 2, sent: 130, failed: 0, queued: 10 };
      assert.deepEqual(parseCollectorCounters(text), expected);
    }
  });

  it('are refused when the text lacks them', () => {
    assert.throws(() => parseServiceCounters('<html>'), CountersError);
    assert.throws(() => parseCollectorCounters('up 1'), CountersError);
  });
});
