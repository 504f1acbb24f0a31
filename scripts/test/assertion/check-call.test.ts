import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { openSource, type Source, type Span, startOtlpReceiver } from 'propagation-check';
import { encodeOtlpLines } from 'propagation-check/kit';
import { traceId } from 'propagation-check/test';
import { callServiceA } from '../../assertion/call-service-a.ts';
import { type CheckOptions, checkCall } from '../../assertion/check-call.ts';
import { checkCalls } from '../../assertion/check-calls.ts';
import type { Call } from '../../assertion/run.ts';
import { healthySpans as healthy, healthyAnswer, splitSpans as split, splitAnswer } from './answers.ts';

/** A port without a listener, because the system assigns no port below 1024. */
const nowhere = new URL('http://127.0.0.1:2');

describe('with an embedded receiver', () => {
  it('passes as soon as the last span has arrived', async (t) => {
    const { receiver, send, check } = await startChecking(t, { timeoutMs: 60_000 });
    const checked = check(answered(healthyAnswer));
    for (const span of healthy) await send([span]);
    const { verdict, spans } = await checked;
    assert.equal(verdict, 'intact');
    assert.equal(spans.length, 3);
    assert.equal(receiver.revision, 3);
  });

  it('fails early when all spans of the call have arrived', async (t) => {
    const { send, check } = await startChecking(t, { timeoutMs: 60_000, settleMs: 60_000 });
    const checked = check(answered(splitAnswer(null)));
    for (const span of split) await send([span]);
    assert.equal((await checked).verdict, 'broken');
  });

  it('fails before the deadline when a failure is certain and no new spans arrive', async (t) => {
    const { send, check } = await startChecking(t, { timeoutMs: 60_000, settleMs: 0 });
    await send(split.filter(({ kind }) => kind === 'SERVER'));
    const { verdict, statements } = await check(answered(splitAnswer(null)));
    assert.equal(verdict, 'broken');
    assert.equal(statements[4]?.found, 'no CLIENT span from A to B has arrived');
  });

  it('fails at the deadline when a span is missing', async (t) => {
    const { send, check } = await startChecking(t, { timeoutMs: 1 });
    await send(healthy.filter(({ kind }) => kind !== 'CLIENT'));
    const { verdict, silence } = await check(answered(healthyAnswer));
    assert.deepEqual([verdict, silence], ['broken', null]);
  });

  it('reads once even after the deadline', async (t) => {
    const { send, check } = await startChecking(t, { timeoutMs: 1 });
    await send(healthy);
    assert.equal((await check({ ...answered(healthyAnswer), answeredAt: 0 })).verdict, 'intact');
  });

  it('decides when no more spans can arrive', async (t) => {
    const { send, check } = await startChecking(t, { timeoutMs: 60_000, noMoreSpans: AbortSignal.abort() });
    await send(healthy.slice(0, 2));
    const { verdict, statements } = await check(answered(healthyAnswer));
    assert.equal(verdict, 'broken');
    assert.deepEqual(statements.find(({ state }) => state === 'failed')?.number, 6);
  });

  it('gives no verdict, and names the service that exported nothing', async (t) => {
    const { check } = await startChecking(t, { timeoutMs: 60_000, noMoreSpans: AbortSignal.abort() });
    const { verdict, silence } = await check(answered(healthyAnswer));
    assert.equal(verdict, 'unknown');
    assert.equal(silence?.hop, 'service A');
    assert.match(silence?.reason ?? '', /neither service A nor service B has exported/);
  });

  it('reports that the trace is not sampled', async (t) => {
    const { check } = await startChecking(t, { timeoutMs: 1 });
    const traceparent_header = healthyAnswer.traceparent_header?.replace(/01$/, '00') ?? null;
    const { silence } = await check(answered({ ...healthyAnswer, traceparent_header }));
    assert.match(silence?.reason ?? '', /sampled flag 0/);
  });

  it('names the Collector when no span of either service has ever arrived', async (t) => {
    const { check } = await startChecking(t, { timeoutMs: 1 });
    const { verdict, silence } = await check(answered(healthyAnswer));
    assert.deepEqual([verdict, silence?.hop], ['unknown', 'Collector']);
  });

  it('rejects when it is interrupted', async (t) => {
    const interrupted = new AbortController();
    const { check } = await startChecking(t, { timeoutMs: 60_000, signal: interrupted.signal });
    const checked = check(answered(healthyAnswer));
    interrupted.abort(new Error('enough'));
    await assert.rejects(checked, /enough/);
  });

  it('checks many calls and finds the broken one', async (t) => {
    const { receiver, send } = await startChecking(t, {});
    await send([...healthy, ...split.map((span) => ({ ...span, traceId: traceId(`c${span.traceId[0]}`) }))]);
    const other = { service_a_trace_id: traceId('ca'), service_b_trace_id: traceId('cb') };
    const broken = { ...splitAnswer(null), ...other };
    const calls = [answered(healthyAnswer), answered(broken), answered(healthyAnswer)];
    const run = await checkCalls(calls, { ...defaults, source: receiver, concurrency: 2, timeoutMs: 60_000 });
    assert.equal(run.verdict, 'broken');
    assert.deepEqual(
      run.checks.map(({ verdict }) => verdict),
      ['intact', 'broken', 'intact'],
    );
  });
});

describe('with a source that is polled', () => {
  it('names Jaeger when it cannot be reached', async (t) => {
    const source = await openSource(`jaeger=${nowhere.href}`);
    t.after(() => source.close());
    const { verdict, silence } = await checkCall(answered(healthyAnswer), {
      ...defaults,
      source,
      sourcePatienceMs: 0,
    });
    assert.deepEqual([verdict, silence?.hop], ['unknown', 'Jaeger']);
    assert.match(silence?.reason ?? '', /connection refused/);
  });

  it('continues after Jaeger was down for a while, and reads both traces', async (t) => {
    const asked = new Set<string>();
    const server = createServer((request, response) => {
      const id = /\/traces\/([0-9a-f]+)/.exec(request.url ?? '')?.[1] ?? '';
      const isFirst = !asked.has(id);
      asked.add(id);
      if (isFirst) {
        response.destroy();
        return;
      }
      const spans = split.filter(({ traceId }) => traceId === id);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ result: toExportRequest(spans) }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const source = await openSource(`jaeger=http://127.0.0.1:${portOf(server.address())}`);
    t.after(async () => {
      await source.close();
      server.close();
    });
    const { verdict, spans } = await checkCall(answered(splitAnswer(null)), { ...defaults, source });
    assert.equal(verdict, 'broken');
    assert.equal(spans.length, 3);
    assert.equal(asked.size, 2);
  });
});

describe('calls to service A', () => {
  for (const [name, status, body, hop, reason] of [
    ['502', 502, '{"error":"service_b_unreachable","message":"b is down"}', 'service B', /b is down/],
    ['504', 504, '{"error":"service_b_timeout","message":"b is slow"}', 'service B', /b is slow/],
    [
      "a gateway's 502",
      502,
      '<html>Bad Gateway</html>',
      'service A',
      /a gateway in front of it\?\): <html>Bad/,
    ],
    [
      "a gateway's 504",
      504,
      '{"message":"upstream timed out"}',
      'service A',
      /not in the words of service A/,
    ],
    ['500', 500, 'oops', 'service A', /answered 500: oops/],
    ['another JSON', 200, '{}', 'service A', /same_trace/],
    ['no JSON', 200, '<html>', 'service A', /not JSON/],
    [
      'no trace id',
      200,
      JSON.stringify({ ...healthyAnswer, service_a_trace_id: null }),
      'service A',
      /names no trace/,
    ],
  ] as const) {
    it(`${name}: ${hop} stayed silent`, async (t) => {
      const url = await answerWith(t, status, body);
      const [call] = await callServiceA({ serviceA: url, requests: 1, concurrency: 1, timeoutMs: 60_000 });
      assert.equal(call?.silence?.hop, hop);
      assert.match(call.silence.reason, reason);
      const { verdict, statements } = await checkCall(call, { ...defaults, source: noSource });
      assert.equal(verdict, 'unknown');
      assert.deepEqual(
        statements.filter(({ state }) => state === 'failed').map(({ number }) => number),
        [1],
      );
    });
  }

  it('service A cannot be reached', async () => {
    const [call] = await callServiceA({ serviceA: nowhere, requests: 1, concurrency: 1, timeoutMs: 60_000 });
    assert.equal(call?.silence?.hop, 'service A');
    assert.match(call.silence.reason, /ECONNREFUSED/);
  });

  it('service A sends an endless answer', async (t) => {
    const endless = createServer((request, response) => {
      const more = () => {
        while (!request.socket.destroyed && response.write(Buffer.alloc(64_000, ' ')));
      };
      response.on('drain', more);
      more();
    });
    await new Promise<void>((resolve) => endless.listen(0, '127.0.0.1', resolve));
    t.after(() => endless.close());
    const serviceA = new URL(`http://127.0.0.1:${portOf(endless.address())}`);
    const [call] = await callServiceA({ serviceA, requests: 1, concurrency: 1, timeoutMs: 60_000 });
    assert.deepEqual(call?.silence, {
      hop: 'service A',
      reason: `${serviceA}call-b answered, but not as service A does: more than 1048576 bytes`,
    });
  });

  it('sends every request, with the path of the URL as prefix', async (t) => {
    const paths: string[] = [];
    const url = await answerWith(t, 200, JSON.stringify(healthyAnswer), (path) => paths.push(path));
    const serviceA = new URL('/base', url);
    const calls = await callServiceA({ serviceA, requests: 5, concurrency: 2, timeoutMs: 60_000 });
    assert.deepEqual(
      paths,
      Array.from({ length: 5 }, () => '/base/call-b'),
    );
    assert.deepEqual(
      calls.map(({ answer }) => answer),
      Array.from({ length: 5 }, () => healthyAnswer),
    );
  });
});

const defaults = { mode: 'auto', timeoutMs: 60_000, settleMs: 60_000, sourcePatienceMs: 60_000 } as const;

const noSource: Source = {
  name: 'none',
  readTrace: async () => assert.fail('there is no trace to read'),
  searchTraces: async () => assert.fail('there is nothing to search'),
  close: async () => undefined,
};

function answered(answer: NonNullable<Call['answer']>): Call {
  return { answer, silence: null, sentAt: Date.now(), answeredAt: Date.now() };
}

async function startChecking(t: TestContext, options: Partial<CheckOptions>) {
  const receiver = await startOtlpReceiver({ port: 0 });
  t.after(() => receiver.close());
  return {
    receiver,
    check: (call: Call) => checkCall(call, { ...defaults, source: receiver, feed: receiver, ...options }),
    send: async (spans: readonly Span[]) => {
      const response = await fetch(`${receiver.url}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(toExportRequest(spans)),
      });
      assert.equal(response.status, 200);
      await response.text();
    },
  };
}

async function answerWith(
  t: TestContext,
  status: number,
  body: string,
  onRequest: (path: string) => void = () => undefined,
): Promise<URL> {
  const server = createServer((request, response) => {
    onRequest(request.url ?? '');
    response.writeHead(status, { connection: 'close' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return new URL(`http://127.0.0.1:${portOf(server.address())}`);
}

function portOf(address: ReturnType<ReturnType<typeof createServer>['address']>): number {
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

/** Encodes drawn spans as an OTLP/JSON export request. */
function toExportRequest(spans: readonly Span[]): object {
  const lines = encodeOtlpLines(spans)
    .split('\n')
    .filter((line) => line !== '');
  return { resourceSpans: lines.flatMap((line) => JSON.parse(line).resourceSpans) };
}
