import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Collected,
  type CollectOptions,
  collectTraces,
  type Waiting,
} from '../../src/collect/collect-traces.ts';
import { judgeCollected } from '../../src/collect/judge-trace.ts';
import { noExpectation } from '../../src/expect/expectation.ts';
import { selectTraces } from '../../src/source/select-spans.ts';
import type { Span } from '../../src/span/span.ts';
import { storeOf } from '../../src/span/span-writer.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';

/** The tap is next to the caller: it received the header and removed it. */
const { spans, expectation, headers } = readDrawing(`
expect web -> orders
trace 1
  web      SERVER "GET /call" 0..100 http.request.method=GET url.path=/call
    web    CLIENT "GET" 10..90 http.request.method=GET url.full=http://orders:8082/work id:call
trace 2
  orders   SERVER "GET /work" 20..80 http.request.method=GET url.path=/work server.port=8082
trace 3
  web      SERVER "GET /other" 200..300 http.request.method=GET url.path=/other
tap 12..88 GET /work 200 sent traceparent=00-<1>-<call>-01 received -
`);
const inputs = { expectation, wire: [] };
const traceIds = [...new Set(spans.map(({ traceId }) => traceId))];

function collect(named: readonly string[], options: Partial<CollectOptions> = {}): Promise<Collected> {
  return collectTraces({
    source: {
      name: 'memory',
      isInMemory: true,
      readTrace: async (id) => spans.filter(({ traceId }) => traceId === id),
      searchTraces: async (query) => selectTraces(spans, query),
      close: async () => {},
    },
    ...{ traceIds: named, services: [], readInputs: async () => inputs },
    ...{ waitMs: 0, settleMs: 0, signal: new AbortController().signal },
    ...options,
  });
}

function check(collected: readonly Span[], wire = inputs.wire) {
  return checkTraces(collected, { expectation, headers: { wire, received: [] } });
}

test('the judgement of the last look is reused if it covers all spans', async () => {
  const collected = await collect(traceIds.slice(0, 1));
  assert.equal(collected.spans.length, 3, 'the trace, and the other side of its call');
  const judged = judgeCollected(collected, inputs, null);
  assert.equal(judged, collected.judged);
  assert.deepEqual(judged.result, check(collected.spans));
});

test('a request without spans is not judged, and waits for its first span', async () => {
  const [, call] = spans;
  assert.ok(call);
  const request = { ...call, traceId: 'f'.repeat(32) };
  const ended = new AbortController();
  let awaited: Waiting['awaited'] | null = null;
  const onWait = (waiting: Waiting) => {
    awaited = waiting.awaited;
    ended.abort(new Error('ended'));
  };
  const forever = { waitMs: 3_600_000, signal: ended.signal, onWait };
  await assert.rejects(collect([request.traceId], { requests: [request], ...forever }), { message: 'ended' });
  assert.deepEqual(awaited, [{ kind: 'any-span' }]);
});

test('several traces are judged together', async () => {
  const collected = await collect(traceIds);
  assert.equal(collected.judged, null);
  assert.deepEqual(judgeCollected(collected, inputs, null).result, check(spans));
});

test('new tap records and counters of the Collector lead to a new judgement', async () => {
  const collected = await collect(traceIds.slice(0, 1));
  const { wire } = headers;
  const seen = judgeCollected(collected, { ...inputs, wire }, null).result;
  const list = ({ findings }: typeof seen) => findings.map(({ id }) => id);
  assert.deepEqual(list(seen), ['header-stripped']);
  assert.notDeepEqual(list(seen), list(judgeCollected(collected, inputs, null).result));
  const collector = { name: 'collector', accepted: 3, refused: 0, sent: 3, sendFailed: 0, enqueueFailed: 0 };
  assert.notEqual(judgeCollected(collected, inputs, collector), collected.judged);
});

test('a detached trace that shows no loss is left out, even if the last look covered it', () => {
  const drawn = readDrawing(`
trace 1
  web      SERVER "GET /call" 0..100 http.request.method=GET url.path=/call
    web    CLIENT "GET" 10..90 http.request.method=GET url.full=http://orders:8082/work
      orders SERVER "GET /work" 20..80 http.request.method=GET url.path=/work server.port=8082
trace 2
  job      CLIENT "GET" 30..60 http.request.method=GET url.full=http://stock:8083/all
    stock  SERVER "GET /all" 35..55 http.request.method=GET url.path=/all server.port=8083
`);
  const detached = new Set(
    drawn.spans.filter(({ serviceName }) => serviceName === 'job').map(({ traceId }) => traceId),
  );
  const look = {
    spans: drawn.spans,
    wire: inputs.wire,
    store: storeOf(drawn.spans),
    result: checkTraces(drawn.spans),
  };
  const none = { expectation: noExpectation, wire: inputs.wire };
  const judge = (some: ReadonlySet<string>) =>
    judgeCollected({ spans: drawn.spans, detached: some, judged: look }, none, null).result.edges.map(
      ({ client }) => client,
    );
  assert.deepEqual(judge(new Set()), ['web', 'job']);
  assert.deepEqual(judge(detached), ['web']);
});
