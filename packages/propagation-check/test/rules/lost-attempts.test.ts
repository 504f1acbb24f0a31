import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { checkDrawing } from '../engine/read-fixture-drawing.ts';
import {
  drawChain,
  drawClient,
  drawServer,
  explainDrawing,
  judgeDrawing,
  listFacts,
} from './judge-drawing.ts';

const status = (code: number): string => `http.response.status_code=${code}`;
const first = (extra = status(503), times = '15..30'): string => {
  const [from = 0, to = 0] = times.split('..').map(Number);
  return drawServer({ from, to, extra });
};
/** A root of orders with the same request. */
const root = (number: number, from: number, to: number, extra = status(200), path?: string): string =>
  drawChain(number, drawServer({ from, to, extra }, path));
const call = (at = 0): string => drawClient({ from: at + 10, to: at + 90 });
const attempt = drawChain(1, call(), first());
/** A call that ended with another status than its child. */
const drawChange = (number: number, at: number): string =>
  drawChain(number, call(at), drawServer({ from: at + 15, to: at + 30, extra: status(503) }));
const lost = ['error missing-call web -> orders 1'];

suite('a second attempt within a CLIENT span whose first attempt arrived', () => {
  test('is reported with and without an expectation, and named as one', () => {
    const drawing = attempt + root(2, 50, 80);
    assert.deepEqual(judgeDrawing(drawing), lost);
    assert.deepEqual(judgeDrawing(`expect web -> orders\n${drawing}`), lost);
    assert.match(listFacts(drawing)[0] ?? '', /^the call is a second attempt within a CLIENT span/);
  });

  test('may be one of several', () => {
    const traces = Array.from(
      { length: 6 },
      (_, at) =>
        drawChain(
          1 + at,
          call(at * 1_000),
          drawServer({ from: at * 1_000 + 15, to: at * 1_000 + 30, extra: status(503) }),
        ) + root(20 + at, at * 1_000 + 50, at * 1_000 + 80),
    );
    assert.deepEqual(judgeDrawing(traces.join('')), ['error missing-call web -> orders 6']);
    assert.match(listFacts(traces.join(''))[0] ?? '', /^all 6 calls are second attempts/);
    const outside = Array.from({ length: 3 }, (_, at) => root(40 + at, at * 1_700 + 300, at * 1_700 + 330));
    assert.deepEqual(judgeDrawing(traces.join('') + outside.join('')), [
      'error missing-call web -> orders 6',
    ]);
  });

  test('needs several if others send such requests, and more than chance', () => {
    const starts = [0, 730, 1_910, 2_640, 4_870];
    const job = root(90, 3_300, 3_330);
    const draw = (times: readonly number[]): string =>
      times.map((at, place) => drawChange(1 + place, at) + root(20 + place, at + 50, at + 80)).join('');
    assert.deepEqual(judgeDrawing(draw(starts) + job), ['error missing-call web -> orders 5']);
    assert.deepEqual(judgeDrawing(draw(starts.slice(0, 4)) + job), []);
    const poller = Array.from({ length: 100 }, (_, at) => root(200 + at, at * 50 + 5, at * 50 + 20));
    assert.deepEqual(judgeDrawing(draw(starts) + poller.join('')), []);
  });

  test('may be missing for one of ten', () => {
    const traces = Array.from(
      { length: 10 },
      (_, at) =>
        drawChange(1 + at, at * 1_000) + (at === 4 ? '' : root(20 + at, at * 1_000 + 50, at * 1_000 + 80)),
    );
    assert.deepEqual(judgeDrawing(traces.join('')), ['error missing-call web -> orders 9']);
  });

  test('may fit one of two calls; then it takes several', () => {
    const overlap = drawChange(1, 0) + root(2, 50, 80) + drawChange(3, 5) + root(4, 52, 82);
    assert.deepEqual(judgeDrawing(overlap + drawChange(5, 700) + root(6, 750, 780)), []);
  });

  test('needs an answer that the first attempt did not give, and the second did', () => {
    for (const drawing of [
      drawChain(1, call(), first(status(200))) + root(2, 50, 80),
      drawChain(1, call(), first('')) + root(2, 50, 80),
      attempt + root(2, 50, 80, status(404)),
      attempt + root(2, 50, 80, ''),
      drawChain(1, call(), first(status(204))) + root(2, 50, 80),
      attempt.replace(status(200), '') + root(2, 50, 80, ''),
      attempt.replace(status(200), status(503)) + root(2, 50, 80, status(503)),
    ])
      assert.deepEqual(judgeDrawing(drawing), [], drawing);
  });

  test('begins after the first one, within the call, with the same request', () => {
    for (const drawing of [
      attempt + root(2, 20, 80),
      attempt + root(2, 50, 95),
      attempt + root(2, 50, 80, status(200), '/other'),
      attempt.replace('orders:8082', 'pay:80') + root(2, 50, 80, `server.address=orders ${status(200)}`),
      attempt + root(2, 50, 80).replace('orders', 'stock'),
      (attempt + root(2, 50, 80)).replaceAll('/work', '/healthz'),
      (attempt + root(2, 50, 80)).replaceAll(/orders(?= SERVER)/g, 'web'),
    ])
      assert.deepEqual(judgeDrawing(drawing), [], drawing);
    assert.deepEqual(judgeDrawing(attempt + root(2, 30, 80)), lost);
  });

  test('is of the program that sent the first one', () => {
    const agent = (name: string): string => `user_agent.original=${name}`;
    const sent = drawChain(1, call(), first(`${status(503)} ${agent('undici')}`));
    assert.deepEqual(judgeDrawing(sent + root(2, 50, 80, `${status(200)} ${agent('undici')}`)), lost);
    assert.deepEqual(judgeDrawing(sent + root(2, 50, 80, `${status(200)} ${agent('curl')}`)), []);
    assert.deepEqual(judgeDrawing(sent + root(2, 50, 80)), lost);
    assert.deepEqual(judgeDrawing(attempt + root(2, 50, 80, `${status(200)} ${agent('undici')}`)), lost);
  });

  test('is not reported if a later attempt arrived with its context', () => {
    const both = `trace 1\n  ${call()}\n    ${first()}\n    ${drawServer({ from: 35, to: 85, extra: status(200) })}\n`;
    assert.deepEqual(judgeDrawing(both + root(2, 50, 80)), []);
  });

  test('may be chance if others send such requests, or if other calls changed their status without one', () => {
    assert.deepEqual(judgeDrawing(attempt + root(2, 50, 80) + root(3, 300, 330)), []);
    assert.deepEqual(judgeDrawing(attempt + root(2, 50, 80) + root(3, 45, 85)), []);
    assert.deepEqual(
      judgeDrawing(attempt + root(2, 50, 80) + root(3, 300, 330, status(200), '/other')),
      lost,
    );
    const changed = drawChain(5, call(1_000), drawServer({ from: 1_015, to: 1_030, extra: status(503) }));
    assert.deepEqual(judgeDrawing(attempt + root(2, 50, 80) + changed), []);
    const why = explainDrawing(attempt + root(2, 50, 80) + changed).join('\n');
    assert.match(
      why,
      /nearly every call that ended with another status than its child has such a request: 1 of 2/,
    );
  });
});

test('without an answer that tells, second attempts stay unjudged, also on an expected edge', () => {
  const list = (head: string, drawing: string) => {
    return checkDrawing(head + drawing).unjudged?.map(({ client, peer, calls }) => [client, peer, calls]);
  };
  const drawing = drawChain(1, call(), first(status(200))) + root(2, 50, 80);
  assert.deepEqual(list('', drawing), [[null, 'orders', 1]]);
  assert.deepEqual(list('expect web -> orders\n', drawing), [['web', 'orders', 1]]);
  const before = drawChain(1, call(), first(status(200), '55..80')) + root(2, 20, 50);
  assert.equal(list('expect web -> orders\n', before), undefined);
  const after = drawChain(1, call(), first(status(200))) + root(2, 85, 120);
  assert.equal(list('expect web -> orders\n', after), undefined);
});
