import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { readFixtureText } from '../engine/read-fixture-drawing.ts';
import { drawClient, judgeDrawing } from './judge-drawing.ts';

/** A request with a span of the caller and a call beside it; the callee's request is below the span. */
function drawMisled(
  number: number,
  { address = 'orders', port = 8082, service = 'orders', target = 'orders:8082/work' } = {},
): string {
  const from = number * 1000;
  const path = target.slice(target.indexOf('/'));
  const lines = [
    `  web SERVER "GET /call" ${from}..${from + 100} http.request.method=GET url.path=/call`,
    `    web INTERNAL "work" ${from + 5}..${from + 95}`,
    `      ${service} SERVER "GET ${path}" ${from + 20}..${from + 80} http.request.method=GET url.path=${path} server.address=${address} server.port=${port}`,
    `    ${drawClient({ from: from + 10, to: from + 90 }, target)}`,
  ];
  return `trace ${number}\n${lines.join('\n')}\n`;
}

const elsewhere = { address: '10.0.0.7', port: 3000 };
const wrong = (count: number, server = 'orders') => [`error wrong-parent web -> ${server} ${count}`];
const isNamed = (line: string): boolean => line.includes('wrong-parent');

test('a request is beside the call to its address', () => {
  assert.deepEqual(judgeDrawing(drawMisled(1)), wrong(1));
});

test('a call within another request is not the parent of this one', () => {
  const [head = '', call = ''] = [
    drawMisled(1).split('\n').slice(0, 4).join('\n'),
    drawClient({ from: 1010, to: 1090 }),
  ];
  assert.deepEqual(judgeDrawing(`${head}\ntrace 2\n  ${call}\n`).filter(isNamed), []);
});

test('if addresses within a cluster differ, several calls must correspond one to one', () => {
  const misled = [1, 2, 3].map((number) => drawMisled(number, elsewhere)).join('');
  assert.deepEqual(judgeDrawing(misled), wrong(3));
  assert.deepEqual(judgeDrawing(drawMisled(1, elsewhere) + drawMisled(2, elsewhere)).filter(isNamed), []);
  const alone = drawMisled(4, elsewhere).split('\n').slice(0, 4).join('\n');
  assert.deepEqual(judgeDrawing(`${misled}${alone}\n`).filter(isNamed), []);
});

test('each pair of services is reported separately', () => {
  const stock = drawMisled(2, { address: 'stock', port: 80, service: 'stock', target: 'stock:80/items' });
  assert.deepEqual(judgeDrawing(drawMisled(1) + stock), [...wrong(1), ...wrong(1, 'stock')]);
});

test('a parent of another service is reported with that service, even if it has no name', () => {
  const answered = readFixtureText('wrong-parent/broken-answered-headers.txt');
  for (const [drawing, service] of [
    [answered, 'auth'],
    [answered.replace('auth SERVER', '- SERVER'), 'a service without a name'],
  ] as const) {
    const [finding] = checkTraces(readDrawing(drawing).spans).findings;
    assert.match(
      finding?.evidence[0]?.says ?? '',
      new RegExp(`^parent is SERVER "GET /check" of ${service} instead of CLIENT`),
    );
  }
});
