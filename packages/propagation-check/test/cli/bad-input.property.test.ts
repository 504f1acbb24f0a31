import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseWireRecords } from '../../src/cli/read-wire.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { readExpectation } from '../../src/expect/read-expectation.ts';
import { ExpectationError, readExpectedPath } from '../../src/expect/read-expected-path.ts';
import { parseTraceparent, splitTraceparents } from '../../src/headers/parse-traceparent.ts';
import { readWireContext } from '../../src/headers/read-wire-context.ts';
import { parseCollectorCounters } from '../../src/source/collector-metrics.ts';
import { SourceError } from '../../src/source/source.ts';
import { cases } from '../cases.ts';

/** A fixed seed, so that every run tries the same inputs. A failure prints a seed and a path, which are to be added here. */
const seed = 20261124;

/** A reader returns a value, or throws its own error with a message that is safe to print. Any other error is a bug. */
function assertContained(read: () => unknown, own: new (message: string) => Error): void {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof own, String(error instanceof Error ? error.stack : error));
    assert.ok(error.message.length < 2_000, 'a message is short');
  }
}

/** A valid text with a few characters changed, removed, repeated or inserted. */
function mutated(text: string): fc.Arbitrary<string> {
  const change = fc.tuple(
    fc.nat(text.length),
    fc.nat(5),
    fc.oneof(
      fc.constant(''),
      fc.string({ unit: 'binary', maxLength: 3 }),
      fc.constantFrom(...'{}[]":,-\n &*!#\0'),
    ),
  );
  return fc
    .array(change, { minLength: 1, maxLength: 5 })
    .map((changes) =>
      changes.reduce((before, [at, cut, put]) => before.slice(0, at) + put + before.slice(at + cut), text),
    );
}

const any = fc.string({ unit: 'binary', maxLength: 200 });

const context = {
  headers: [{ name: 'traceparent', value: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' }],
  contexts: [
    { format: 'tracecontext', state: 'valid', traceId: '4bf92f', spanId: '00f067', sampled: true },
    { format: 'b3', state: 'malformed', reason: 'invalid' },
    { format: 'xray', state: 'duplicated', count: 2 },
  ],
  baggage: [{ key: 'a', value: 'b' }],
};
const record = JSON.stringify({
  ...{
    time: '2026-01-01T00:00:00.000Z',
    durationMs: 1,
    tap: 't',
    target: 'http://b',
    client: 'a',
    server: null,
  },
  ...{ protocolVersion: '1.1', method: 'GET', path: '/', sent: context, received: context, faults: [] },
  ...{ status: 200, clientAborted: false, targetError: null },
});

test('records of a tap', () => {
  assert.equal(parseWireRecords(Buffer.from(`${record}\n`), 'x').length, 1);
  fc.assert(
    fc.property(fc.oneof(mutated(`${record}\n${record}\n`), any), (text) =>
      assertContained(() => parseWireRecords(Buffer.from(text), 'x'), UsageError),
    ),
    { seed, numRuns: cases(2_000) },
  );
});

const metrics = `# HELP otelcol_receiver_accepted_spans_total x
otelcol_receiver_accepted_spans_total{receiver="otlp",transport="http"} 42
otelcol_exporter_sent_spans__spans__total{exporter="otlp}"} 4.2e1 1700000000
otelcol_process_uptime NaN
`;

test('metrics of a Collector', () => {
  assert.equal(parseCollectorCounters('x', metrics).accepted, 42);
  fc.assert(
    fc.property(fc.oneof(mutated(metrics), any), (text) =>
      assertContained(() => {
        for (const value of Object.values(parseCollectorCounters('x', text)))
          assert.ok(Number.isFinite(value));
      }, SourceError),
    ),
    { seed, numRuns: cases(2_000) },
  );
});

const yaml = `edges:
  must:
    - web -> orders -> payments
  may: [orders -> cache]
baggage: { tenant: acme }
tolerated-peers:
  - api.example.com
`;

test('expectations', () => {
  assert.equal(readExpectation(yaml).edges.length, 3);
  // Each alias expands to ten of the previous one: a billion in all.
  const bomb = [
    'a0: &a0 x',
    ...Array.from({ length: 9 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n},`.repeat(10)}]`),
  ];
  assert.throws(() => readExpectation(bomb.join('\n')), ExpectationError);
  assert.throws(() => readExpectation(`edges: ${'['.repeat(100_000)}`), ExpectationError);
  fc.assert(
    fc.property(fc.oneof(mutated(yaml), any), (text) =>
      assertContained(() => readExpectation(text), ExpectationError),
    ),
    { seed, numRuns: cases(2_000) },
  );
  fc.assert(
    fc.property(fc.oneof(mutated('web -> orders -> payments'), any), (text) =>
      assertContained(() => readExpectedPath(text), ExpectationError),
    ),
    { seed, numRuns: cases(1_000) },
  );
});

test('headers on the wire', () => {
  const names = ['traceparent', 'tracestate', 'baggage', 'b3', 'X-B3-TraceId', 'x-b3-spanid', 'x-b3-sampled'];
  const others = ['uber-trace-id', 'x-amzn-trace-id', 'grpc-trace-bin', 'uberctx-a', '__proto__', 'cookie'];
  const value = fc.oneof(
    any,
    mutated('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'),
    mutated('4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1'),
    mutated('Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1'),
    mutated('a=%F0%9F%98%80;p=1,b=%zz,=c'),
  );
  const fields = fc.array(fc.record({ name: fc.constantFrom(...names, ...others), value }), { maxLength: 6 });
  fc.assert(
    fc.property(fields, (list) => {
      const { headers, contexts } = readWireContext(list);
      assert.ok(headers.every(({ name }) => name !== 'cookie'));
      for (const read of contexts) {
        if (read.state !== 'valid' || read.traceId === null) continue;
        assert.match(read.traceId, /^(?!0+$)([0-9a-f]{16}|[0-9a-f]{32})$/);
      }
      for (const { value: text } of list) {
        splitTraceparents([text]);
        parseTraceparent(text);
      }
    }),
    { seed, numRuns: cases(3_000) },
  );
});
