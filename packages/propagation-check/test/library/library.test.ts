import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import {
  check,
  expectPropagation,
  matchers,
  PropagationError,
  type Receiver,
  readBaseline,
  startReceiver,
} from '../../src/index.ts';
import { exportSpans } from '../cli/trace-store.ts';

/** Missing spans are judged after this time. */
const quick = { settleMs: 50, waitMs: 2_000 };

async function open(t: TestContext): Promise<Receiver> {
  const receiver = await startReceiver();
  t.after(() => receiver.close());
  return receiver;
}

/** One request: `web` calls `orders`, which continues the trace or not. */
async function request({ url }: Receiver, digit: string, propagates: boolean): Promise<void> {
  const start = Date.now();
  const traceId = digit.repeat(32);
  const attributes = { 'http.request.method': 'GET', 'url.path': '/work', 'url.full': 'http://orders/work' };
  await exportSpans(
    Number(new URL(url).port),
    {
      ...{ traceId, spanId: '1'.repeat(16), service: 'web', kind: 'SERVER', name: 'GET' },
      ...{ start, end: start + 9, attributes: { 'http.request.method': 'GET', 'url.path': '/' } },
    },
    {
      ...{
        traceId,
        spanId: '2'.repeat(16),
        parentSpanId: '1'.repeat(16),
        service: 'web',
        kind: 'CLIENT',
        name: 'GET',
      },
      ...{ start: start + 1, end: start + 8, attributes },
    },
    {
      ...(propagates ? { traceId, parentSpanId: '2'.repeat(16) } : { traceId: 'f'.repeat(32) }),
      ...{ spanId: '3'.repeat(16), service: 'orders', kind: 'SERVER', name: 'GET' },
      ...{ start: start + 2, end: start + 7, attributes },
    },
  );
}

test('the path of a request', async (t) => {
  const receiver = await open(t);
  await request(receiver, 'a', true);
  await expectPropagation(receiver, 'web -> orders', quick);
});

test('a setting that is undefined leaves the default, as in JavaScript', async (t) => {
  const port: object = { port: undefined };
  const receiver = await startReceiver(port);
  t.after(() => receiver.close());
  await request(receiver, 'a', false);
  const times: object = { waitMs: undefined, settleMs: undefined };
  await assert.rejects(expectPropagation(receiver, 'web -> orders', times), PropagationError);
});

test('a span that is still under way is waited for', async (t) => {
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

test('what is broken elsewhere does not fail a path, and the whole check', async (t) => {
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

test('what one test caused is none of the next one’s', async (t) => {
  const receiver = await open(t);
  await request(receiver, 'a', true);
  receiver.clear();
  await request(receiver, 'a', true);
  await assert.rejects(expectPropagation(receiver, 'web -> orders', quick), /CANNOT TELL {2}no span arrived/);
  assert.deepEqual(receiver.complaints, []);
  await request(receiver, 'b', true);
  await expectPropagation(receiver, 'web -> orders', quick);
});

test('spans that are at hand are checked at once', async (t) => {
  const receiver = await open(t);
  await request(receiver, 'a', true);
  const spans = receiver.readAll();
  await expectPropagation(spans, 'web -> orders');
  await assert.rejects(expectPropagation(spans, 'web -> stock'), /missing-call|missing-server/);
  await assert.rejects(expectPropagation(spans, 'web'), { name: 'ExpectationError' });
});

test('an empty list is told from a broken path', async () => {
  await assert.rejects(
    expectPropagation([], 'web -> orders'),
    /^PropagationError: CANNOT TELL {2}no span is in the list/,
  );
});

suite('arguments of programs without types', () => {
  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ['a misspelt setting', { waitMS: 5 }, /^TypeError: unknown setting waitMS; did you mean waitMs\?$/],
    [
      'a setting of another tool',
      { retries: 5 },
      /^TypeError: unknown setting retries; expected expect, expectation, waitMs/,
    ],
    ['a severity', { failOn: 'warn' }, /^TypeError: failOn is "warn"; expected "error" or "warning"$/],
    ['a time with its unit', { waitMs: '5s' }, /^TypeError: waitMs is "5s"; expected a number$/],
    ['a time below 0', { waitMs: -1 }, /^RangeError: waitMs is -1; expected milliseconds, 0 or more$/],
    [
      'an expectation as text',
      { expectation: 'web -> orders' },
      /^TypeError: expectation is "web -> orders"; expected what readExpectation/,
    ],
    ['a path that is none', { expect: [1] }, /^TypeError: expect is a list; expected a path/],
    [
      'a baseline as text',
      { baseline: 'known.yaml' },
      /^TypeError: baseline is "known.yaml"; expected what readBaseline/,
    ],
    ['no settings', null, /^TypeError: expected an object of settings, not null$/],
  ];
  for (const [name, settings, message] of wrong) {
    test(name, () => assert.rejects(Reflect.apply(check, null, [[], settings]), message));
  }

  test('spans and paths', async () => {
    const reject = (message: RegExp, ...args: readonly unknown[]) =>
      assert.rejects(Reflect.apply(expectPropagation, null, args), message);
    await reject(
      /^TypeError: expected a receiver of startReceiver, or a list of spans, not undefined$/,
      undefined,
      'a -> b',
    );
    await reject(
      /^TypeError: item 0 of the list is no span but "x"; decodeBytes reads an export$/,
      ['x'],
      'a -> b',
    );
    await reject(
      /^TypeError: the path is undefined; expected services with arrows between them: "web -> orders"$/,
      [],
    );
  });

  test('options of the receiver', async () => {
    const start = (options: object) => Reflect.apply(startReceiver, null, [options]);
    await assert.rejects(start({ ports: [0] }), /^TypeError: unknown setting ports; did you mean port\?$/);
    await assert.rejects(start({ port: '4318' }), /^TypeError: port is "4318"; expected a number, or a list/);
  });
});

test('the matcher says whether, and throws where nothing tells', async (t) => {
  const receiver = await open(t);
  await assert.rejects(matchers.toPropagate(receiver, 'web -> orders', quick), /no span arrived/);
  await request(receiver, 'a', false);
  const { pass, message } = await matchers.toPropagate(receiver, 'web -> orders', quick);
  assert.equal(pass, false);
  assert.match(message(), /split-trace/);
});

test('what the baseline knows does not fail, and what is fixed is said', async (t) => {
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

test('a time that is none is refused', async () => {
  await assert.rejects(check([], { waitMs: Number.NaN }), RangeError);
  await assert.rejects(check([], { settleMs: -1 }), RangeError);
});
