import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeOtlpLines } from '../../src/span/encode-otlp-lines.ts';
import type { Span } from '../../src/span/span.ts';
import { drawTrace } from '../draw-trace.ts';
import { breakCalls, callOrders, type DrivenJudge, makeJudge } from './make-judge.ts';

test('memory is bounded: the traces that have been quiet longest are judged early, and all are counted', () => {
  const maxBytes = 5_000_000;
  const sink = makeJudge({ maxBytes });
  let most = 0;
  for (let second = 0; second < 40; second += 1) {
    sink.send(callOrders(500, sink.now, second * 500 + 1));
    most = Math.max(most, sink.judge.bytes);
    sink.advance(1_000);
  }
  assert.ok(sink.judge.totals.closed.memory > 1_000, JSON.stringify(sink.judge.totals));
  assert.ok(most <= maxBytes, `${most} bytes`);
  sink.finish();
  assert.deepEqual(sink.list(), ['web → orders intact: 20000']);
});

test('memory is released where single traces stay longer than all others', () => {
  const sink = makeJudge();
  const sizes: number[] = [];
  for (let round = 0; round < 40; round += 1) {
    sink.send(callOrders(1_000, sink.now, round * 1_000 + 1));
    sink.send(drawTrace(`INTERNAL loop turn  b1 <- a1  ${sink.now}..${sink.now + 5}`));
    sink.advance(10_000);
    sizes.push(sink.judge.bytes);
  }
  const [middle, end] = [Math.max(...sizes.slice(15, 25)), Math.max(...sizes.slice(30))];
  assert.ok(end <= middle * 1.1, `${middle} bytes, and ${end} at the end`);
});

test('all broken calls are counted when there are more than the window can hold', () => {
  const sink = makeJudge();
  const [rounds, calls] = [8, 450];
  for (let round = 0; round < rounds; round += 1) {
    const from = round * calls * 2 + 1;
    const broken = breakCalls(callOrders(calls, sink.now, from));
    sink.send(broken.filter(({ serviceName }) => serviceName === 'orders'));
    sink.send(callOrders(calls, sink.now, from + calls));
    sink.send(broken.filter(({ serviceName }) => serviceName === 'web'));
    sink.advance(5_000);
  }
  sink.advance(120_000);
  assert.deepEqual(sink.list(), [
    `web → orders broken split-trace: ${rounds * calls}`,
    `web → orders intact: ${rounds * calls}`,
  ]);
});

test('a trace may have more calls to one silent callee than a function takes arguments', () => {
  const sink = makeJudge();
  const [root, call] = drawTrace(`
    INTERNAL job import   a1  0..100000
      CLIENT job POST     a2  0..1 http.request.method=POST url.full=https://mail.example.com/send http.response.status_code=200`);
  assert.ok(root !== undefined && call !== undefined);
  const calls = 130_000;
  const make = (_: unknown, index: number) => ({
    ...call,
    spanId: (0x1000000 + index).toString(16).padStart(16, '0'),
  });
  sink.send([root, ...Array.from({ length: calls }, make)]);
  sink.finish();
  assert.deepEqual(sink.list(), [`job → mail.example.com:443 undecided uninstrumented-peer: ${calls}`]);
});

test('refused exports do not keep memory', () => {
  const sink = makeJudge();
  const different = callOrders(3_000).map((span, index) => ({
    ...span,
    attributes: new Map([['url.path', `/items/${index}/${'x'.repeat(300)}`]]),
  }));
  const [line = ''] = encodeOtlpLines(different).split('\n');
  const body = Buffer.from(line.slice(0, -9));
  for (let count = 0; count < 12; count += 1)
    assert.throws(() => sink.judge.take({ signal: 'traces', type: 'application/json', body }, sink.now));
  assert.ok(sink.judge.bytes < 2 * body.length, `${sink.judge.bytes} of ${body.length}`);
});

test('a stop judges traces in the order of their ends, although a service exports two seconds after its callers', () => {
  checkOrder(makeJudge());
});

test('the same on a machine whose clock stood still while it slept', () => {
  checkOrder(makeJudge({}, 3_600_000));
});

function checkOrder(sink: DrivenJudge): void {
  const [seconds, callers, perSecond] = [16, 10, 50];
  const waiting: (readonly Span[])[] = [];
  for (let second = 0; second < seconds; second += 1) {
    const from = (second * (callers + 1) + 1) * perSecond;
    const broken = breakCalls(callOrders(perSecond, sink.now, from));
    const whole = callShop(callers, perSecond, sink.now, from + perSecond);
    const spans = [...broken, ...whole];
    sink.advance(1_000);
    sink.send(spans.filter((span) => !isOfOrders(span)));
    waiting.push(spans.filter(isOfOrders));
    if (waiting.length > 2) sink.send(waiting.shift() ?? []);
  }
  for (const spans of waiting) sink.send(spans);
  sink.finish();
  assert.deepEqual(sink.list(), [
    `shop → orders intact: ${seconds * callers * perSecond}`,
    `web → orders broken split-trace: ${seconds * perSecond}`,
  ]);
}

test('all broken calls are counted where a batch ends between the halves of a call', () => {
  const sink = makeJudge({ closeAfterMs: 1_000 });
  const [seconds, callers, perSecond] = [9, 26, 100];
  for (let second = 0; second < seconds; second += 1) {
    const from = (second * (callers + 1) + 1) * perSecond;
    const spans = [
      ...breakCalls(callOrders(perSecond, sink.now, from)).map(workOn),
      ...callShop(callers, perSecond, sink.now, from + perSecond),
    ];
    sink.advance(1_000);
    sink.send(spans);
  }
  sink.finish();
  assert.ok(sink.judge.totals.batches > 3, JSON.stringify(sink.judge.totals));
  assert.deepEqual(sink.list(), [
    `shop → orders intact: ${seconds * callers * perSecond}`,
    `web → orders broken split-trace: ${seconds * perSecond}`,
  ]);
});

test('calls without their other half make others doubtful, also where one late export fills a batch', () => {
  const sink = makeJudge();
  const spans = breakCalls(callOrders(5_040));
  const lost = new Set(spans.filter(isOfOrders).slice(40));
  sink.advance(120_000);
  sink.send(spans.filter((span) => !lost.has(span)));
  sink.finish();
  const broken = sink.list().filter((line) => line.includes('broken'));
  assert.deepEqual(broken, []);
});

/** Lets the caller continue after its call, so that the halves of many calls are in two different batches. */
function workOn(span: Span): Span {
  const isCaller = span.parentSpanId === null && span.serviceName === 'web';
  return isCaller ? { ...span, endTimeUnixNano: span.endTimeUnixNano + 60_000_000n } : span;
}

/** Healthy calls from shop to orders. Beside so many of them only the nearly equal counts of loose ends show that web loses its context. */
function callShop(callers: number, calls: number, at: number, from: number): readonly Span[] {
  return Array.from({ length: callers }, (_, caller) =>
    callOrders(calls, at + caller, from + caller * calls).map((span) =>
      isOfOrders(span) ? span : { ...span, ...shop },
    ),
  ).flat();
}

function isOfOrders({ serviceName }: Span): boolean {
  return serviceName === 'orders';
}

const shop = { serviceName: 'shop', resource: new Map([['service.name', 'shop']]) };
