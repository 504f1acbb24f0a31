import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { drawChain, drawClient, drawServer, explainDrawing, judgeDrawing } from './judge-drawing.ts';

const status = 'http.response.status_code=200';
const nginx = (from: number, to: number): string =>
  `gw SERVER "/" ${from}..${to} http.method=GET http.target=/work http.status_code=200 net.host.name=gw scope:nginx`;

/** A whole call of web. */
const call = (number: number, at: number): string =>
  drawChain(
    number,
    drawClient({ from: at, to: at + 80 }, 'gw/work'),
    drawServer({ from: at + 30, to: at + 50, extra: status }),
  );
/** A request that nginx joined to nothing, at the time of a call. */
const through = (number: number, at: number): string => drawChain(number, nginx(at + 20, at + 60));
const beside = (number: number, at: number): string => call(number, at) + through(number + 1, at);
const outside = (number: number, at: number): string => drawChain(number, nginx(at, at + 40));

const repeat = (count: number, draw: (number: number, at: number) => string): string =>
  Array.from({ length: count }, (_, at) => draw(1 + 2 * at, at * 1_000)).join('');
const expected = (drawing: string): string => `expect gw -> orders\nexpect web -> orders\n${drawing}`;
const error = (count: number) => [`error header-ignored web -> gw ${count}`];

suite('a proxy that joins its spans to nothing', () => {
  test('is reported if it has a span within each call', () => {
    for (const count of [1, 2, 6])
      assert.deepEqual(judgeDrawing(expected(repeat(count, beside))), error(count));
  });

  test('and also if others call it, or if not all calls go through it, by more than chance', () => {
    const others = outside(40, 1_300) + outside(41, 3_710);
    assert.deepEqual(judgeDrawing(expected(repeat(6, beside) + others)), error(6));
    assert.deepEqual(judgeDrawing(expected(repeat(6, beside) + call(40, 7_300))), error(6));
    assert.deepEqual(judgeDrawing(expected(repeat(5, beside) + outside(40, 1_300))), error(5));
    assert.deepEqual(judgeDrawing(expected(repeat(9, beside) + call(40, 9_300))), error(9));
  });

  test('and also beside requests of other paths', () => {
    const others = outside(40, 300).replace('/work', '/other');
    const direct = [1_300, 2_700].map((at, place) =>
      call(50 + place, at)
        .replaceAll('/work', '/other')
        .replaceAll('gw', 'orders'),
    );
    assert.deepEqual(judgeDrawing(expected(beside(1, 0) + others + direct.join(''))), error(1));
  });

  test('is expected if an expectation names it before one of the called services', () => {
    const stock = beside(3, 1_000).replace('orders', 'stock');
    assert.deepEqual(judgeDrawing(`expect gw -> orders\n${beside(1, 0) + stock}`), error(2));
  });
});

suite('a proxy beside calls that do not go through it', () => {
  test('made its own request for the caller of its span', () => {
    const own = drawChain(3, nginx(20, 60), drawServer({ from: 25, to: 55, extra: status }));
    assert.deepEqual(judgeDrawing(expected(call(1, 0) + own)), []);
  });

  test('handles requests of others at the same time by chance', () => {
    assert.deepEqual(judgeDrawing(repeat(6, call) + through(40, 0)), []);
    const few = beside(1, 0) + outside(40, 300) + outside(41, 710);
    assert.deepEqual(judgeDrawing(few), []);
    assert.ok(explainDrawing(few).some((line) => line.includes('has a request of nginx within it')));
    const busy = Array.from({ length: 300 }, (_, at) => outside(200 + at, at * 20 + (at % 3)));
    assert.deepEqual(judgeDrawing(repeat(6, beside) + busy.join('')), []);
  });

  test('ended before the called service did, or began after it', () => {
    for (const [from, to] of [
      [20, 40],
      [40, 60],
    ] as const)
      assert.deepEqual(judgeDrawing(call(1, 0) + drawChain(40, nginx(from, to))), []);
  });

  test('handles several requests during one call', () => {
    assert.deepEqual(judgeDrawing(beside(1, 0) + through(40, 1)), []);
  });
});
