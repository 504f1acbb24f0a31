import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  drawChain,
  drawClient,
  drawServer,
  explainDrawing,
  guessCause,
  judgeDrawing,
} from './judge-drawing.ts';

const call = drawClient({ from: 10, to: 90 });
const request = drawServer({ from: 20, to: 80 });

/** A request of `web` with a call and, in the same trace, a request of `orders` whose parent is missing. */
function drawReplaced(client: string, server: string, head = ''): string {
  return `${head}trace 1\n  web SERVER "GET /call" 0..100 http.request.method=GET\n    ${client}\n  lost\n    ${server}\n`;
}

const reported = ['error missing-client web -> orders 1'];

test('a call without a child and a request of the same trace differ in the span id alone', () => {
  assert.deepEqual(judgeDrawing(drawReplaced(call, request)), reported);
  assert.equal(guessCause(drawReplaced(call, request)), 'header-rewritten');
});

test("if the call is another request's, or its service is not the expected caller, the CLIENT span is missing", () => {
  const other = drawReplaced(call, drawServer({ from: 20, to: 80 }, '/play'));
  assert.equal(guessCause(other), 'client-span-lost');
  const expected = drawReplaced(call, request, 'expect shop -> orders\n');
  assert.deepEqual(judgeDrawing(expected), ['error missing-client shop -> orders 1']);
  assert.equal(guessCause(expected), 'client-span-lost');
});

test('a service is not its own caller, and a parent of its own process is no caller', () => {
  assert.deepEqual(judgeDrawing(drawReplaced(call, drawServer({ from: 20, to: 80, service: 'web' }))), []);
  assert.deepEqual(judgeDrawing(drawReplaced(call, `${request} flags:0x101`)), []);
});

test("in a trace that began outside the capture, a call to another address may be somebody else's", () => {
  const fromOutside = (client: string, server: string, head = '') =>
    `${head}trace 1\n  lost\n    web SERVER "GET /call" 0..100 http.request.method=GET\n      ${client}\n  lost\n    ${server}\n`;
  const legacy = drawClient({ from: 10, to: 90 }, 'legacy:9000/work');
  const named = drawServer({ from: 20, to: 80, extra: 'server.address=orders' });
  assert.deepEqual(judgeDrawing(fromOutside(call, request)), reported);
  assert.deepEqual(judgeDrawing(fromOutside(legacy, named)), ['warning missing-client web -> orders 1']);
  assert.deepEqual(judgeDrawing(fromOutside(legacy, named, 'expect web -> orders\n')), reported);
  const untold = 'orders SERVER "GET" 20..80 http.request.method=GET server.address=orders';
  assert.deepEqual(judgeDrawing(fromOutside(legacy, untold)), []);
  assert.deepEqual(judgeDrawing(drawReplaced(legacy, named)), reported);
});

test('a capture that ends before the missing parent proves nothing', () => {
  const whole = drawChain(5, drawClient({ from: -900, to: -810 }), drawServer({ from: -880, to: -820 }));
  const cut = (to: number) =>
    `trace 1\n  ${drawClient({ from: 10, to: 50 })}\n  lost\n    ${drawServer({ from: 20, to })}\n`;
  assert.deepEqual(judgeDrawing(whole + cut(95)), []);
  // The caller's spans end 10 ms after those of `orders`.
  assert.deepEqual(judgeDrawing(whole + cut(45)), []);
  assert.deepEqual(judgeDrawing(whole + cut(40)), reported);
});

test('a missing parent is due if one of several callers delivered later spans', () => {
  const callOf = (number: number, service: string, from: number) =>
    drawChain(
      number,
      drawClient({ from, to: from + 90, service }),
      drawServer({ from: from + 10, to: from + 80 }),
    );
  const callers = callOf(5, 'web', -900) + callOf(6, 'shop', -600);
  const cut = `trace 1\n  ${drawClient({ from: 10, to: 50 })}\n  lost\n    ${drawServer({ from: 20, to: 95 })}\n`;
  assert.deepEqual(judgeDrawing(callers + cut), []);
  const later = drawChain(7, 'shop INTERNAL "tick" 200..201');
  assert.deepEqual(judgeDrawing(callers + cut + later), ['warning missing-client web -> orders 1']);
});

/** Spans of every service before and after, so that no service is cut off at an end of the capture. */
const frame = ['web', 'orders', 'gateway', 'shop', 'stock']
  .flatMap((service, at) =>
    [-9000, 9000].map((from) =>
      drawChain(100 + at + (from > 0 ? 50 : 0), `${service} INTERNAL "tick" ${from}..${from + 1}`),
    ),
  )
  .join('');

/** A whole call at another time. */
function drawWhole(number: number, client: string, server: string, target = 'orders:8082/work'): string {
  const from = number * 1000;
  return drawChain(
    number,
    drawClient({ from, to: from + 90, service: client }, target),
    drawServer({ from: from + 10, to: from + 80, service: server }, target.slice(target.indexOf('/'))),
  );
}

test('if whole calls show another service in between, its spans may be the missing ones', () => {
  const replaced = frame + drawReplaced(call, request);
  const hop = ['warning missing-client web -> orders 1'];
  assert.deepEqual(judgeDrawing(replaced + drawWhole(2, 'gateway', 'orders')), hop);
  assert.deepEqual(judgeDrawing(replaced + drawWhole(2, 'web', 'gateway')), hop);
  assert.deepEqual(judgeDrawing(replaced + drawWhole(2, 'web', 'gateway', 'orders:8082/play')), reported);
  assert.deepEqual(judgeDrawing(replaced + drawWhole(2, 'shop', 'gateway')), reported);
  const both = drawWhole(2, 'gateway', 'orders') + drawWhole(3, 'web', 'orders');
  assert.deepEqual(judgeDrawing(replaced + both), reported);
  assert.deepEqual(
    judgeDrawing(
      `expect web -> orders\nmay gateway -> orders\n${replaced}${drawWhole(2, 'gateway', 'orders')}`,
    ),
    reported,
  );
});

test('a single call that no other service can have forwarded makes it an error', () => {
  const other = drawReplaced(
    drawClient({ from: 10, to: 90 }, 'orders:8082/play'),
    drawServer({ from: 20, to: 80 }, '/play'),
  ).replace('trace 1', 'trace 3');
  const drawing = frame + drawReplaced(call, request) + drawWhole(2, 'web', 'gateway') + other;
  assert.deepEqual(judgeDrawing(drawing), ['error missing-client web -> orders 2']);
});

test('each pair of services is reported separately', () => {
  const stock = drawReplaced(
    drawClient({ from: 10, to: 90 }, 'stock/items'),
    drawServer({ from: 20, to: 80, service: 'stock' }, '/items'),
  );
  assert.deepEqual(judgeDrawing(frame + drawReplaced(call, request) + stock.replace('trace 1', 'trace 2')), [
    ...reported,
    'error missing-client web -> stock 1',
  ]);
});

test('an orphan says that no expectation names its caller', () => {
  const orphan =
    'trace 1\n  lost\n    orders SERVER "GET /work" 20..80 http.request.method=GET url.path=/work\n';
  const whyNot = (head: string): string | undefined =>
    explainDrawing(head + orphan).find((line) =>
      line.startsWith('SERVER of orders: missing-client: another side is there'),
    );
  const unnamed = ', and no expectation names a caller of the service';
  assert.ok(whyNot('')?.endsWith(`: 0 calls without a child in its trace${unnamed}`));
  assert.ok(whyNot('may web -> orders\n')?.endsWith(unnamed));
  assert.ok(whyNot('expect web -> stock\n')?.endsWith(unnamed));
  assert.equal(whyNot(`expect web -> orders\n${drawWhole(2, 'web', 'orders')}`), undefined);
});

test('a PRODUCER span that is open when a message is received belongs to another message', () => {
  const message = (service: string, span: string) =>
    `${service} ${span} messaging.system=kafka messaging.destination.name=jobs`;
  const drawing = `trace 1\n  web INTERNAL "job" 0..100\n    ${message('web', 'PRODUCER "jobs publish" 10..90')}\n  lost\n    ${message('orders', 'CONSUMER "jobs process" 20..80')}\n`;
  assert.equal(guessCause(drawing), 'client-span-lost');
});

test("the header was passed through only if every request has the caller's parent", () => {
  const passedOn = `trace 1\n  lost id:out\n    web SERVER "GET /call" 0..100 http.request.method=GET\n      ${call}\n    ${request}\n`;
  const replaced = drawReplaced(
    drawClient({ from: 210, to: 290 }),
    drawServer({ from: 220, to: 280 }),
  ).replace('trace 1', 'trace 2');
  assert.equal(guessCause(passedOn), 'header-passed-through');
  assert.equal(guessCause(passedOn + replaced), 'header-rewritten');
});

test('both sides of a pair say that the capture should hold the parent', () => {
  const whole = drawChain(5, drawClient({ from: -900, to: -810 }), drawServer({ from: -880, to: -820 }));
  const cut = `trace 1\n  ${drawClient({ from: 10, to: 50 })}\n  lost\n    ${drawServer({ from: 20, to: 95 })}\n`;
  const needs = 'missing-client: a span is a root, or the capture should hold its parent';
  const said = explainDrawing(whole + cut).filter((line) => line.includes(needs));
  assert.deepEqual(
    said.map((line) => line.split(':')[0]),
    ['CLIENT of web', 'SERVER of orders'],
  );
});
