import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  check,
  expectPath,
  expectPropagation,
  matchers,
  PropagationError,
  type Receiver,
  readBaseline,
  startReceiver,
} from '../../src/index.ts';
import { exportSpans, makeCall } from '../cli/trace-store.ts';

/** Missing spans are judged after this time. */
const quick = { settleMs: 50, waitMs: 2_000 };

async function open(t: TestContext): Promise<Receiver> {
  const receiver = await startReceiver();
  t.after(() => receiver.close());
  return receiver;
}

/** One request: `web` calls `orders`, which continues the trace where `propagates` is true. */
async function request({ url }: Receiver, digit: string, propagates: boolean): Promise<void> {
  const { request, client, server } = makeCall(Date.now(), digit.repeat(32));
  const { parentSpanId: _, ...root } = { ...server, traceId: 'f'.repeat(32) };
  await exportSpans(Number(new URL(url).port), request, client, propagates ? server : root);
}

test('an intact path passes', async (t) => {
  const receiver = await open(t);
  await request(receiver, 'a', true);
  await expectPropagation(receiver, 'web -> orders', quick);
});

test('a setting that is undefined has its default', async (t) => {
  const port: object = { port: undefined };
  const receiver = await startReceiver(port);
  t.after(() => receiver.close());
  await request(receiver, 'a', false);
  const times: object = { waitMs: undefined, settleMs: undefined };
  await assert.rejects(expectPropagation(receiver, 'web -> orders', times), PropagationError);
});

test('waits for a span that has not ended', async (t) => {
  const receiver = await open(t);
  const expected = expectPropagation(receiver, 'web -> orders', { waitMs: 10_000, settleMs: 10_000 });
  await request(receiver, 'a', true);
  await expected;
});

test('a broken path fails with the explanation of the command line', async (t) => {
  const receiver = await open(t);
  await request(receiver, 'a', false);
  await assert.rejects(expectPropagation(receiver, 'web -> orders', quick), (error: unknown) => {
    assert.ok(error instanceof PropagationError);
    assert.match(
      error.message,
      /^BROKEN {2}1 of 1 edge, 1 of 1 call .*✗ One request, two traces \(split-trace\)\n/s,
    );
    assert.equal(error.result.findings[0]?.id, 'split-trace');
    return true;
  });
});

test('a break elsewhere fails the whole check, but not the path', async (t) => {
  const receiver = await open(t);
  await request(receiver, 'a', false);
  await exportSpans(
    Number(new URL(receiver.url).port),
    {
      traceId: 'b'.repeat(32),
      spanId: '4'.repeat(16),
      service: 'web',
      kind: 'CLIENT',
      name: 'GET',
      start: 1,
      end: 9,
    },
    {
      ...{ traceId: 'b'.repeat(32), spanId: '5'.repeat(16), parentSpanId: '4'.repeat(16) },
      ...{ service: 'stock', kind: 'SERVER', name: 'GET', start: 2, end: 8 },
    },
  );
  await expectPropagation(receiver, 'web -> stock', quick);
  const { result, explanation } = await check(receiver, quick);
  assert.equal(result.verdict, 'broken');
  assert.match(explanation, /^BROKEN {2}1 of 2 edges/);
});

test('spans of one test do not belong to the next one', async (t) => {
  const receiver = await open(t);
  await request(receiver, 'a', true);
  receiver.clear();
  await request(receiver, 'a', true);
  await assert.rejects(expectPropagation(receiver, 'web -> orders', quick), /CANNOT TELL {2}no span arrived/);
  assert.deepEqual(receiver.complaints, []);
  await request(receiver, 'b', true);
  await expectPropagation(receiver, 'web -> orders', quick);
});

test('spans in memory are checked at once', async (t) => {
  const receiver = await open(t);
  await request(receiver, 'a', true);
  const spans = receiver.readAll();
  await expectPropagation(spans, 'web -> orders');
  await assert.rejects(expectPropagation(spans, 'web -> orders -> stock'), /missing-call|missing-server/);
  await assert.rejects(expectPropagation(spans, 'web -> stock'), /no span of stock is here, only of/);
  await assert.rejects(expectPropagation(spans, 'web'), { name: 'ExpectationError' });
});

test('the matcher passes or fails, and throws without a verdict', async (t) => {
  const receiver = await open(t);
  await assert.rejects(matchers.toPropagate(receiver, 'web -> orders', quick), /no span arrived/);
  await request(receiver, 'a', false);
  const { pass, message } = await matchers.toPropagate(receiver, 'web -> orders', quick);
  assert.equal(pass, false);
  assert.match(message(), /split-trace/);
});

test('known findings of the baseline do not fail, and fixed ones are noted', async (t) => {
  const receiver = await open(t);
  const baseline = readBaseline('known: [{ client: web, server: orders, finding: split-trace }]');
  await request(receiver, 'a', false);
  const broken = await check(receiver, quick);
  assert.deepEqual([broken.result.verdict, broken.outcome], ['broken', 'failed']);
  const { result, outcome, explanation } = await check(receiver, { ...quick, baseline });
  assert.deepEqual([result.verdict, outcome], ['intact', 'passed']);
  assert.match(explanation, /^INTACT {2}except what is known/);
  await expectPropagation(receiver, 'web -> orders', { ...quick, baseline });
  receiver.clear();
  await request(receiver, 'b', true);
  const fixed = await check(receiver, { ...quick, baseline });
  assert.match(fixed.explanation, /fixed: split-trace of web -> orders no longer occurs/);
});

test('an invalid time is refused', async () => {
  await assert.rejects(check([], { waitMs: Number.NaN }), RangeError);
  await assert.rejects(check([], { settleMs: -1 }), RangeError);
});

test('wrong arguments of callers without TypeScript are refused with the expected type', async () => {
  const pass = (from: unknown, settings: unknown): Promise<unknown> =>
    Reflect.apply(check, undefined, [from, settings]);
  const cases: readonly (readonly [from: unknown, settings: unknown, message: RegExp])[] = [
    [null, {}, /^the spans are null; expected a receiver or an array of spans$/],
    ['spans.json', {}, /^the spans are "spans\.json"; expected a receiver/],
    [[1], {}, /^the spans are an array; expected a receiver or an array of spans$/],
    [[], 5, /^the settings are 5; expected an object such as/],
    [[], { failon: 'warning' }, /^there is no setting failon; did you mean failOn\?$/],
    [[], { retries: 3 }, /^there is no setting retries; there are expect, expectation, waitMs,/],
    [[], { failOn: 'info' }, /^failOn is "info"; expected "error" or "warning"$/],
    [[], { expect: 5 }, /^expect is 5; expected a path such as "web -> orders", or several$/],
    [[], { expectation: 'web -> orders' }, /^expectation is "web -> orders"; expected an object, as/],
    [
      [],
      { expectation: { edges: [] } },
      /^expectation is an object; expected an object, as `readExpectation`/,
    ],
    [[], { signal: true }, /^signal is true; expected an AbortSignal$/],
    [[], { baseline: 'known.json' }, /^baseline is "known\.json"; expected what `readBaseline` returns$/],
    [[], { waitMs: '5s' }, /^waitMs is "5s"; expected milliseconds, 0 or more$/],
  ];
  for (const [from, settings, message] of cases)
    await assert.rejects(pass(from, settings), { name: 'TypeError', message });
});

test('a path without an edge is refused', async () => {
  for (const services of [[], ['web'], ['web', ''], ['web', ' '], ['web', undefined], 'web', undefined])
    assert.throws(() => Reflect.apply(expectPath, undefined, [services]), {
      name: 'TypeError',
      message: /is no path; expected two services or more, such as \["web", "orders"\]$/,
    });
  for (const path of [undefined, null, ['web', 'orders']]) {
    const refusal = { name: 'TypeError', message: /^the path is .*; expected services with arrows between/ };
    for (const expect of [expectPropagation, matchers.toPropagate]) {
      const pass = (): Promise<unknown> => Reflect.apply(expect, undefined, [[], path]);
      await assert.rejects(pass(), refusal);
    }
  }
});

test('an AbortSignal of another realm, such as that of jsdom, ends the wait', async (t) => {
  class ForeignSignal extends EventTarget {
    aborted = false;
    reason: unknown;
    abort(reason: Error) {
      this.aborted = true;
      this.reason = reason;
      this.dispatchEvent(new Event('abort'));
    }
  }
  const receiver = await open(t);
  const [during, before] = [new ForeignSignal(), new ForeignSignal()];
  const pass = (signal: ForeignSignal): Promise<unknown> =>
    Reflect.apply(check, undefined, [receiver, { signal, waitMs: 60_000, settleMs: 60_000 }]);
  const checked = pass(during);
  during.abort(new Error('enough'));
  await assert.rejects(checked, /^Error: enough$/);
  before.abort(new Error('too late'));
  await assert.rejects(pass(before), /^Error: too late$/);
});

test('without spans there is no verdict, whatever is expected', async () => {
  const { outcome, reason, result } = await check([], { expect: 'web -> orders' });
  assert.deepEqual([outcome, result.verdict, result.findings], ['unknown', 'unknown', []]);
  assert.match(reason ?? '', /^there are no spans: read them after the requests have ended/);
  await assert.rejects(expectPropagation([], 'web -> orders'), /there are no spans/);
});
