import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeDrawing } from './judge-drawing.ts';

const request = (from: number, to: number, service = 'web') =>
  `${service} SERVER "GET /call" ${from}..${to} http.request.method=GET url.path=/call`;
const call = (from: number, to: number, more = '') =>
  `web CLIENT "GET" ${from}..${to} http.request.method=GET url.full=http://api.example/ http.response.status_code=200 ${more}`;

const served = 'orders SERVER "GET /" 20..70 http.request.method=GET url.path=/';

/** A whole call of `web` whose parent is missing, in a trace with the given request; `web` delivered spans before and after. */
const draw = (outer: string, lost: string): string =>
  `trace 1\n  ${outer}\n    lost\n      ${lost}\n        ${served}\ntrace 2\n  web INTERNAL "tick" -50..-49\ntrace 3\n  web INTERNAL "tick" 900..901\n`;

const found = (line: string): boolean => line.includes('span-lost-in-service');
const lost = ['warning span-lost-in-service web -> web 1'];

test('without flags, a call during a request of its service is below a span of that service', () => {
  assert.deepEqual(judgeDrawing(draw(request(0, 100), call(10, 90))), lost);
  assert.deepEqual(judgeDrawing(draw(request(0, 100), call(10, 100))), lost);
});

test("not a call that ends later than the request, or lies within another service's request or none", () => {
  for (const outer of [
    request(0, 80),
    request(0, 100, 'shop'),
    request(20, 100),
    'web INTERNAL "job" 0..100',
  ]) {
    assert.deepEqual(judgeDrawing(draw(outer, call(10, 90))).filter(found), []);
  }
});

test('flags say whether the parent is in another process', () => {
  assert.deepEqual(judgeDrawing(draw(request(0, 80), call(10, 90, 'flags:0x101'))), lost);
  assert.deepEqual(judgeDrawing(draw(request(0, 100), call(10, 90, 'flags:0x301'))).filter(found), []);
});

test('each service is reported separately', () => {
  const shop =
    'trace 7\n  lost\n    shop INTERNAL "work" 10..90 flags:0x101\n  shop INTERNAL "tick" 0..1\n  shop INTERNAL "tick" 900..901\n';
  assert.deepEqual(judgeDrawing(draw(request(0, 100), call(10, 90)) + shop), [
    ...lost,
    'warning span-lost-in-service shop -> shop 1',
  ]);
});
