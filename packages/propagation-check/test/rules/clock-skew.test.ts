import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkDrawing } from '../engine/read-fixture-drawing.ts';
import { drawChain, drawClient, drawServer, explainDrawing, judgeDrawing } from './judge-drawing.ts';

const replica = (name: string): string => `resource:service.instance.id=${name}`;
/** A whole call of `web` to a service whose clock is ahead by the given time. */
const drawCall = (number: number, ahead: number, extra = '', service = 'orders'): string => {
  const at = number * 1000;
  return drawChain(
    number,
    drawClient({ from: at + 10, to: at + 90 }, `${service}:8082/work`),
    drawServer({ from: at + 20 + ahead, to: at + 80 + ahead, service, extra }),
  );
};
const drawBusy = (number: number): string =>
  drawChain(number, ...Array.from({ length: 9 }, (_, at) => `web INTERNAL "load" ${at}..90`));

function listSaid(drawing: string): readonly string[] {
  return checkDrawing(drawing).findings.flatMap(({ evidence }) => evidence.map(({ says }) => says));
}

test('each service has a clock of its own', () => {
  const stock = [3, 4].map((number) => drawCall(number, -3000, '', 'stock')).join('');
  const orders = drawCall(1, 5000) + drawCall(2, 5000);
  assert.deepEqual(judgeDrawing(orders + stock + drawBusy(9)), [
    'warning clock-skew web -> stock 2',
    'warning clock-skew web -> orders 2',
  ]);
});

test('a replica is named if a service has several', () => {
  assert.deepEqual(listSaid(drawCall(1, 5000, replica('one')) + drawBusy(9)), [
    'the clock of orders is 5000 ms ahead',
  ]);
  const both = drawCall(1, 5000, replica('one')) + drawCall(2, 0, replica('two')) + drawBusy(9);
  assert.deepEqual(listSaid(both), ['the clock of orders (one) is 5000 ms ahead']);
});

test('a call of another clock shows nothing of a replica that keeps the time', () => {
  const both = drawCall(1, 5000, replica('one')) + drawCall(2, 0, replica('two')) + drawBusy(9);
  const ofShop = drawChain(
    30,
    drawClient({ from: 12_010, to: 12_090, service: 'shop' }, 'orders:8082/work'),
    drawServer({ from: 9020, to: 9080, extra: replica('two') }),
  );
  assert.deepEqual(judgeDrawing(both + ofShop), [
    'warning clock-skew web -> orders 1',
    'warning clock-skew shop -> orders 1',
  ]);
});

test('a small offset is not reported, but explains the loose ends of the service', () => {
  const apart = drawCall(1, 95, replica('one')) + drawCall(2, 95, replica('one')) + drawBusy(9);
  const left = [
    `orders PRODUCER "send" 5000..5080 messaging.system=kafka ${replica('one')}`,
    drawServer({ from: 7000, to: 7080, extra: replica('one') }, '/other'),
    'web PRODUCER "send" 9000..9080 messaging.system=kafka',
  ];
  const drawing = apart + left.map((line, at) => drawChain(20 + at, line)).join('');
  assert.deepEqual(judgeDrawing(drawing), []);
  assert.deepEqual(
    explainDrawing(drawing).filter((line) => line.includes('clock-skew')),
    ['PRODUCER', 'SERVER'].map(
      (kind) =>
        `${kind} of orders: clock-skew: a clock offset is large enough to notice: the clock of orders (one) is 95 ms ahead`,
    ),
  );
});

test('calls between services that keep the same time show no difference', () => {
  const starts = [0, 1370, 2110, 4520, 5230];
  const split = starts.flatMap((at, number) => [
    drawChain(10 + number, drawClient({ from: at, to: at + 90 })),
    drawChain(
      20 + number,
      drawServer({ from: at + 310, to: at + 380 }),
      drawClient({ from: at + 320, to: at + 370, service: 'orders' }, 'billing:8082/pay'),
      drawServer({ from: at + 330, to: at + 360, service: 'billing' }, '/pay'),
    ),
  ]);
  const drawing = split.join('') + drawBusy(9) + drawBusy(8);
  assert.deepEqual(judgeDrawing(drawing), ['warning split-trace web -> orders 5']);
  assert.deepEqual(judgeDrawing(`expect web -> orders\n${drawing}`), ['error split-trace web -> orders 5']);
});
