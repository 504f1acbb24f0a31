import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drainStack } from '../chaos/drain-stack.ts';
import type { EndedSpan } from '../chaos/ledger.ts';
import type { Stack } from '../chaos/stack.ts';
import type { Witness } from '../chaos/witness.ts';
import { CommandError } from '../run-command.ts';
import { createSource, createStack, toSpan } from './chaos-samples.ts';

const first = createEnded('1');
const second = createEnded('2');
const signal = new AbortController().signal;
/** No test waits as long as this patience. */
const options = { patienceMs: 60_000, signal };

describe('a stack that drains', () => {
  it('is read when its queues are empty', async () => {
    const queued = [5, 3, 0];
    const stack = createCountedStack(() => counters(queued.shift() ?? 0));
    const asked: number[] = [];
    const source = createSource((traceId) => {
      asked.push(queued.length);
      return [toSpan(traceId === first.traceId ? first : second)];
    });
    const drain = await drainStack(stack, source, createWitness([first, second]), [], options);
    assert.deepEqual(asked, [0, 0]);
    assert.deepEqual([drain.found.length, drain.said.queued, drain.said.unread], [2, 0, []]);
  });

  it('is read again when spans arrived during the reading, because spans may have been delivered twice', async () => {
    const more = { ...first, spanId: '3'.repeat(16) };
    let reads = 0;
    const source = createSource((traceId) => {
      if (traceId === second.traceId) return [toSpan(second)];
      reads += 1;
      return reads === 1 ? [toSpan(first)] : [toSpan(first), toSpan(more)];
    });
    const doubled = createSource(async (traceId) => {
      const spans = await source.readTrace(traceId);
      // The second trace is complete when it is first read. Its spans are delivered again, with the missing span of the first trace.
      return traceId === second.traceId && reads > 1 ? [...spans, ...spans] : spans;
    });
    const witness = createWitness([first, more, second]);
    const { found } = await drainStack(
      createCountedStack(() => counters(0)),
      doubled,
      witness,
      [],
      options,
    );
    assert.equal(found.filter(({ traceId }) => traceId === second.traceId).length, 2);
  });

  it('is read again when more spans have ended', async () => {
    const ledgers = [[first], [first, second]];
    const witness = { ...createWitness([]), readEnded: async () => ledgers.shift() ?? [first, second] };
    const source = createSource((traceId) => [toSpan(traceId === first.traceId ? first : second)]);
    const { ended, found } = await drainStack(
      createCountedStack(() => counters(0)),
      source,
      witness,
      [],
      options,
    );
    assert.deepEqual([ended.length, found.length], [2, 2]);
  });

  it('is not quiet when its counters cannot be read', async () => {
    const fail = () => {
      throw new CommandError('no such container');
    };
    const stack = createCountedStack(fail, fail);
    const source = createSource(() => [toSpan(first)]);
    const drain = await drainStack(stack, source, createWitness([first]), [], { ...options, patienceMs: 1 });
    assert.deepEqual(drain.said.unread, ['service-a', 'service-b', 'otel-collector']);
  });
});

/** Counters of a service or of the Collector with `queued` spans in the queue. */
function counters(queued: number): string {
  return [
    'otel_sdk_exporter_span_exported_total 1',
    'otel_sdk_processor_span_queue_size 0',
    `otelcol_exporter_queue_size ${queued}`,
  ].join('\n');
}

/** @param read the counters of the Collector */
function createCountedStack(read: () => string, readService = () => counters(0)): Stack {
  return createStack({
    runNode: async (service) => (service === 'otel-collector' ? read() : readService()),
  });
}

function createWitness(ended: readonly EndedSpan[]): Witness {
  return {
    readEnded: async () => ended,
    stopService: async () => undefined,
    accidents: () => [],
    save: async () => undefined,
  };
}

function createEnded(digit: string): EndedSpan {
  return {
    service: 'service-a',
    traceId: digit.repeat(32),
    spanId: digit.repeat(16),
    parentSpanId: null,
    kind: 'SERVER',
    name: 'GET /call-b',
  };
}
