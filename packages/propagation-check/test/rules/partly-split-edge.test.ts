import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { drawChain, judgeDrawing } from './judge-drawing.ts';

const span = (service: string, name: string, from: number, to: number, kind = 'INTERNAL'): string =>
  `${service} ${kind} "${name}" ${from}..${to}`;

/** Requests that `web` accepts and `orders` books: `whole` ones in one trace each, `split` ones in two. */
function drawEdge(
  whole: number,
  split: number,
  kind = 'INTERNAL',
  book: readonly [number, number] = [20, 80],
): string {
  const [start, end] = book;
  return Array.from({ length: whole + split }, (_, at) => {
    const from = at * 200;
    const accept = span('web', 'accept', from, from + 100, kind);
    return at < whole
      ? drawChain(at + 1, accept, span('orders', 'book', from + 20, from + 80, kind))
      : drawChain(at + 1, accept) +
          drawChain(at + 101, span('orders', 'book', from + start, from + end, kind));
  }).join('');
}

/** As many spans in separate traces beside them. */
function drawBeside(count: number, service: string, name: string, kind = 'INTERNAL'): string {
  return Array.from({ length: count }, (_, at) =>
    drawChain(at + 201, span(service, name, 9000 + at * 300, 9100 + at * 300, kind)),
  ).join('');
}

const reported = ['error split-trace web -> orders 3'];

suite('an edge between spans without kinds', () => {
  test('is judged whether its spans are INTERNAL or have no kind', () => {
    assert.deepEqual(judgeDrawing(`expect web -> orders\n${drawEdge(4, 3)}`), reported);
    assert.deepEqual(judgeDrawing(`expect web -> orders\n${drawEdge(4, 3, 'UNSPECIFIED')}`), reported);
  });

  test('is judged only if it is expected and mostly whole', () => {
    assert.deepEqual(judgeDrawing(drawEdge(4, 3)), []);
    assert.deepEqual(judgeDrawing(`may web -> orders\n${drawEdge(4, 3)}`), []);
    assert.deepEqual(judgeDrawing(`expect web -> orders\n${drawEdge(3, 3)}`), []);
  });

  test('needs roots within the spans that have no call', () => {
    assert.deepEqual(judgeDrawing(`expect web -> orders\n${drawEdge(4, 3, 'INTERNAL', [20, 105])}`), []);
    assert.deepEqual(judgeDrawing(`expect web -> orders\n${drawEdge(4, 3, 'INTERNAL', [-30, 80])}`), []);
  });

  test('is not judged by spans with other names, other kinds, or a parent', () => {
    for (const beside of [
      drawBeside(5, 'web', 'sweep'),
      drawBeside(5, 'orders', 'sweep'),
      drawBeside(5, 'web', 'accept', 'CONSUMER'),
      drawBeside(5, 'orders', 'book', 'CONSUMER'),
      drawChain(301, span('orders', 'sweep', 9000, 9900), span('orders', 'book', 9010, 9090)),
    ]) {
      assert.deepEqual(judgeDrawing(`expect web -> orders\n${drawEdge(4, 3)}${beside}`), reported, beside);
    }
    assert.deepEqual(
      judgeDrawing(`expect web -> orders\n${drawEdge(4, 3)}${drawBeside(1, 'web', 'accept')}`),
      [],
    );
    assert.deepEqual(
      judgeDrawing(`expect web -> orders\n${drawEdge(4, 3)}${drawBeside(1, 'orders', 'book')}`),
      [],
    );
  });
});
