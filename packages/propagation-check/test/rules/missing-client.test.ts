import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawChain, drawClient, drawServer, guessCause, judgeDrawing } from './judge-drawing.ts';

const call = drawClient({ from: 10, to: 90 });
const request = drawServer({ from: 20, to: 80 });

/** A request of `web` that calls, and in the same trace a request of `orders` whose parent is nowhere. */
function drawReplaced(client: string, server: string, head = ''): string {
  return `${head}trace 1\n  web SERVER "GET /call" 0..100 http.request.method=GET\n    ${client}\n  lost\n    ${server}\n`;
}

const reported = ['error missing-client web -> orders 1'];

test('a call without a child and a request of the same trace differ in the span id alone', () => {
  assert.deepEqual(judgeDrawing(drawReplaced(call, request)), reported);
  assert.equal(guessCause(drawReplaced(call, request)), 'header-rewritten');
});

test('what tells of another request, or is of no caller that is expected, leaves the CLIENT span missing', () => {
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

test('in a trace that began outside of the data, only a call to the address of the server counts', () => {
  const fromOutside = (client: string, server: string) =>
    `trace 1\n  lost\n    web SERVER "GET /call" 0..100 http.request.method=GET\n      ${client}\n  lost\n    ${server}\n`;
  const legacy = drawClient({ from: 10, to: 90 }, 'legacy:9000/work');
  const named = drawServer({ from: 20, to: 80, extra: 'server.address=orders' });
  assert.deepEqual(judgeDrawing(fromOutside(call, request)), reported);
  assert.deepEqual(judgeDrawing(fromOutside(legacy, named)), []);
  assert.deepEqual(judgeDrawing(drawReplaced(legacy, named)), reported);
});

test('a capture that ends before the missing parent proves nothing', () => {
  const whole = drawChain(5, drawClient({ from: -900, to: -810 }), drawServer({ from: -880, to: -820 }));
  const cut = (to: number) =>
    `trace 1\n  ${drawClient({ from: 10, to: 50 })}\n  lost\n    ${drawServer({ from: 20, to })}\n`;
  assert.deepEqual(judgeDrawing(whole + cut(95)), []);
  assert.deepEqual(judgeDrawing(whole + cut(40)), reported);
});
