import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { expectPath, noExpectation } from '../../src/expect/expectation.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from './read-drawing.ts';

const get = 'http.request.method=GET';

/** Requests every 2000 ms, each with a whole call to `orders`, and requests for prices that begin traces at the given times. */
function draw(prices: readonly (readonly [from: number, to: number])[]): string {
  const requests = prices.map((_, at) => {
    const from = at * 2000;
    return `trace ${at + 1}
  web SERVER "GET /shop" ${from}..${from + 200} ${get} url.path=/shop
    web CLIENT "GET" ${from + 5}..${from + 60} ${get} url.full=http://orders/orders
      orders SERVER "GET /orders" ${from + 6}..${from + 58} ${get} url.path=/orders`;
  });
  const roots = prices.map(
    ([from, to], at) => `trace ${at + 101}
  orders SERVER "GET /price" ${from}..${to} ${get} url.path=/price`,
  );
  return [...requests, ...roots, ''].join('\n');
}

function listUnjudged(drawing: string, path: readonly string[] = []) {
  const expectation = { ...noExpectation, edges: path.length === 0 ? [] : expectPath([...path]) };
  const { verdict, unjudged = [], findings } = checkTraces(readDrawing(drawing).spans, { expectation });
  assert.deepEqual([verdict, findings.length], ['intact', 0]);
  return unjudged.filter(({ client }) => client !== null);
}

const at = Array.from({ length: 8 }, (_, index) => index * 2000);

suite('traces within requests that have another call', () => {
  test('at another endpoint, once in each request that waited for it: not judged', () => {
    const drawing = draw(at.map((from) => [from + 65, from + 195]));
    const named = [{ client: 'web', peer: 'orders', calls: 8 }];
    assert.deepEqual(listUnjudged(drawing), named);
    assert.deepEqual(listUnjudged(drawing, ['web', 'orders']), named);
  });

  test('at other times than the requests, with a call open, or with none in most requests: callers from outside', () => {
    const anywhere = at.map((from, index) => [from + index * 223 + 65, from + index * 223 + 195] as const);
    assert.deepEqual(listUnjudged(draw(anywhere)), []);
    assert.deepEqual(listUnjudged(draw(at.map((from) => [from + 10, from + 150]))), []);
    const late = at.map((from, index) => (index % 2 === 0 ? from + 65 : from + 1000));
    assert.deepEqual(listUnjudged(draw(late.map((from) => [from, from + 130]))), []);
  });

  test('as many again at other times: callers from outside', () => {
    const both = at.map((from) => [from + 65, from + 195] as const);
    const others = at.map(
      (from, index) => `trace ${index + 201}
  orders SERVER "GET /price" ${from + 1000}..${from + 1130} ${get} url.path=/price`,
    );
    assert.deepEqual(listUnjudged(`${draw(both)}${others.join('\n')}\n`), []);
  });
});
