import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawChain, drawClient, drawServer, judgeDrawing } from './judge-drawing.ts';

const call = drawClient({ from: 10, to: 90 });
const request = drawServer({ from: 20, to: 80 });

/** A trace of spans without parents. */
const beside = (number: number, ...lines: readonly string[]) =>
  `trace ${number}\n${lines.map((line) => `  ${line}\n`).join('')}`;

const dropped = ['error parent-dropped web -> orders 1'];

test("a second root of the trace, in another service during the call, is the call's request", () => {
  assert.deepEqual(judgeDrawing(beside(1, call, request)), dropped);
  assert.deepEqual(
    judgeDrawing(beside(1, call, request, drawServer({ from: 30, to: 40, service: 'web' }))),
    dropped,
  );
  assert.deepEqual(judgeDrawing(beside(1, call, drawServer({ from: 20, to: 80, service: 'web' }))), []);
  assert.deepEqual(judgeDrawing(beside(1, call, drawServer({ from: 120, to: 180 }))), []);
  assert.deepEqual(judgeDrawing(drawChain(1, call) + drawChain(2, request)), [
    'error split-trace web -> orders 1',
  ]);
});

test("a request of another trace is not the call's, nor is a call that began a trace", () => {
  const mail = drawClient({ from: 5, to: 100 }, 'mail/send');
  assert.deepEqual(judgeDrawing(beside(1, call) + beside(2, mail, request)), [
    'error split-trace web -> orders 1',
  ]);
  const other = drawClient({ from: 20, to: 80, service: 'gateway' });
  assert.deepEqual(judgeDrawing(beside(1, call, other)), []);
});

test('a call that starts within the rounding of clocks counts as before its request', () => {
  assert.deepEqual(judgeDrawing(beside(1, call, drawServer({ from: 9.9995, to: 80 }))), dropped);
});

test('the request must fit the call, and must be no message', () => {
  assert.deepEqual(judgeDrawing(beside(1, call, drawServer({ from: 20, to: 80 }, '/play'))), []);
  const queue = 'messaging.system=kafka messaging.destination.name=jobs';
  const message = [`web PRODUCER "send" 10..90 ${queue}`, `orders CONSUMER "take" 20..80 ${queue}`];
  assert.deepEqual(judgeDrawing(beside(1, ...message)), []);
  assert.deepEqual(judgeDrawing(`expect shop -> orders\n${beside(1, call, request)}`), [
    'error missing-call shop -> orders 1',
  ]);
});

test('each pair of services is reported separately', () => {
  const items = drawClient({ from: 2010, to: 2090 }, 'stock/items');
  const stock = 'stock SERVER "GET" 2020..2080 http.request.method=GET url.path=/items';
  const again = [drawClient({ from: 1010, to: 1090 }), drawServer({ from: 1020, to: 1080 })];
  assert.deepEqual(judgeDrawing(beside(1, call, request) + beside(2, ...again, items, stock)), [
    'error parent-dropped web -> orders 2',
    'error parent-dropped web -> stock 1',
  ]);
});
