import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { suite, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { decodeBytes } from '../../src/decode/detect-format.ts';
import { encodeOtlpProtobuf } from '../../src/decode/encode-otlp-protobuf.ts';
import { findOtherSignal, listOtherSignals } from '../../src/decode/other-signals.ts';
import { readSpanStore } from '../../src/source/read-span-store.ts';
import { readFixtureDrawing } from '../engine/read-fixture-drawing.ts';
import { logsRequest, metricsRequest } from './encode-other-signals.ts';
import { frame } from './frame.ts';

const traces = encodeOtlpProtobuf(readFixtureDrawing('split-trace/broken.txt').spans);
const metrics = '{"resourceMetrics":[{"resource":{},"scopeMetrics":[]}]}';
const logs = '{"resourceLogs":[]}';

async function readSignals(bytes: string | Uint8Array) {
  const stdin = Readable.from([Buffer.from(bytes)]);
  const { store, otherSignals } = await readSpanStore('-', { stdin });
  return store.size === 0 ? otherSignals : `${store.size} spans`;
}

suite('a file without spans', () => {
  const forms: readonly (readonly [form: string, bytes: string | Uint8Array, signals: readonly string[]])[] =
    [
      ['JSON', metrics, ['metrics']],
      ['JSON Lines', `${logs}\n${metrics}\n`, ['metrics', 'logs']],
      ['protobuf of metrics', metricsRequest, ['metrics']],
      ['protobuf of logs', logsRequest, ['logs']],
      ['protobuf with lengths', frame(logsRequest, logsRequest), ['logs']],
      ['nothing', '{"resourceSpans":[]}', []],
    ];
  for (const [form, bytes, signals] of forms)
    test(`the signal is found in content without spans: ${form}`, async () => {
      assert.deepEqual(await readSignals(bytes), signals);
      assert.deepEqual(await readSignals(gzipSync(bytes)), signals);
    });
});

test('requests of other signals among those of traces are left out', async () => {
  const spans = decodeBytes(traces).spans.length;
  assert.equal(await readSignals(frame(metricsRequest, traces, logsRequest)), `${spans} spans`);
  assert.equal(decodeBytes(frame(metricsRequest, traces, logsRequest)).spans.length, spans);
});

test('a damaged request of traces is not taken for another signal', () => {
  assert.equal(findOtherSignal(metricsRequest), 'metrics');
  assert.equal(findOtherSignal(logsRequest), 'logs');
  for (let at = 0; at < traces.length; at += 1)
    for (const byte of [0x09, 0x59, 0xff]) {
      const damaged = Uint8Array.from(traces);
      damaged[at] = byte;
      assert.equal(findOtherSignal(damaged), null, `byte ${at}`);
      assert.equal(findOtherSignal(damaged.subarray(0, at)), null, `up to byte ${at}`);
    }
});

test('the beginning of a file shows its signal, even if it ends within a record', () => {
  for (const [request, signal] of [
    [metricsRequest, 'metrics'],
    [logsRequest, 'logs'],
  ] as const) {
    assert.deepEqual(listOtherSignals(request.subarray(0, 120)), [signal]);
    assert.deepEqual(listOtherSignals(frame(request).subarray(0, 120)), [signal]);
    assert.deepEqual(listOtherSignals(request.subarray(0, 20)), []);
  }
});
