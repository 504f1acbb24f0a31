import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { drawChain, drawClient, drawServer, judgeDrawing } from './judge-drawing.ts';

const seconds = 1000;
const web = (from: number) =>
  `web SERVER "GET /call" ${from}..${from + 100} http.request.method=GET url.path=/call`;

const whole = (number: number, from: number, service = 'web') =>
  drawChain(
    number,
    web(from).replace('web', service),
    drawClient({ from: from + 10, to: from + 90, service }),
    drawServer({ from: from + 20, to: from + 80 }),
  );

/** A call whose SERVER span names a parent that is missing. */
const replaced = (number: number, from: number) =>
  `trace ${number}\n  ${web(from)}\n    ${drawClient({ from: from + 10, to: from + 90 })}\n    lost\n      ${drawServer({ from: from + 20, to: from + 80 })}\n`;

const tick = (number: number, from: number, service = 'web') =>
  drawChain(number, `${service} INTERNAL "tick" ${from}..${from + 1}`);

/** A capture in which the caller exported spans before and after all of these. */
const draw = (calls: readonly string[]) =>
  judgeDrawing(`expect web -> orders\n${tick(90, -200)}${calls.join('')}${tick(91, 51 * seconds)}`);
const error = ['error missing-client web -> orders 1'];
const warning = ['warning missing-client web -> orders 1'];

suite('calls of the first and the last export of a capture', () => {
  const between = [1, 2, 3, 4].map((number) => whole(number, number * 10 * seconds));

  test('may lack their other spans if all other calls are whole', () => {
    assert.deepEqual(draw([replaced(9, 0), ...between]), warning);
    assert.deepEqual(draw([...between, replaced(9, 50 * seconds)]), warning);
    assert.deepEqual(draw([replaced(8, 0), ...between, replaced(9, 50 * seconds)]), [
      'warning missing-client web -> orders 2',
    ]);
    assert.deepEqual(draw([replaced(7, 0), replaced(8, 200), ...between]), [
      'warning missing-client web -> orders 2',
    ]);
  });

  test('may be of an unnamed service beside whole calls of their caller', () => {
    const lost = `trace 9\n  ${web(0)}\n    ${drawClient({ from: 10, to: 90 })}\n      lost\n        - INTERNAL "work" 30..70\n`;
    const unnamed = [lost, tick(92, -200, '-'), tick(93, 51 * seconds, '-')];
    assert.equal(draw([...unnamed, ...between])[0], 'warning server-span-lost web -> null 1');
    const ofShop = [1, 2, 3, 4].map((number) => whole(number, number * 10 * seconds, 'shop'));
    assert.equal(draw([...unnamed, ...ofShop])[0], 'error server-span-lost web -> null 1');
  });

  test('are no exception if calls in the middle are broken as well', () => {
    assert.deepEqual(draw([...between, replaced(9, 25 * seconds)]), error);
    assert.deepEqual(draw([replaced(8, 0), ...between, replaced(9, 25 * seconds)]), [
      'error missing-client web -> orders 2',
    ]);
    assert.deepEqual(draw([...between, replaced(8, 17 * seconds), replaced(9, 50 * seconds)]), [
      'error missing-client web -> orders 2',
    ]);
  });

  test('are no exception if they are many, or the whole ones few', () => {
    const first = [0, 200, 400, 600, 800].map((from, at) => replaced(10 + at, from));
    assert.deepEqual(draw([...first, ...between]), ['error missing-client web -> orders 5']);
    assert.deepEqual(draw([replaced(9, 0), ...between.slice(0, 2)]), error);
  });

  test('are no exception if whole calls lie before them as well', () => {
    const early = [1, 2].map((number) => whole(number, number * 300));
    const late = [3, 4].map((number) => whole(number, number * 20 * seconds));
    assert.deepEqual(draw([...early, replaced(9, seconds), ...late]), error);
  });

  test('are compared with calls of the same service only', () => {
    const others = [1, 2, 3, 4].map((number) =>
      drawChain(
        number,
        web(number * 10 * seconds),
        drawClient({ from: number * 10 * seconds + 10, to: number * 10 * seconds + 90 }, 'stock/items'),
        `stock SERVER "GET /items" ${number * 10 * seconds + 20}..${number * 10 * seconds + 80} http.request.method=GET url.path=/items`,
      ),
    );
    assert.deepEqual(draw([replaced(9, 0), ...others]), error);
  });
});

test('a warning at an end of the capture says why it is no error', () => {
  const { spans, expectation } = readDrawing(
    `trace 1\n  ${web(0)}\n    lost\n      ${drawServer({ from: 20, to: 80 })}\n${tick(2, 500)}`,
  );
  const [finding] = checkTraces(spans, { expectation }).findings;
  assert.equal(finding?.doubt, 'The capture may begin or end between the two sides.');
  assert.equal(finding.decide?.[0], 'Capture for longer and check again.');
});

suite('the caller of a request, without an expectation', () => {
  const lost = (number: number, from: number) =>
    `trace ${number}\n  ${web(from)}\n    lost\n      ${drawServer({ from: from + 20, to: from + 80 })}\n`;
  const lostError = ['error client-span-lost web -> orders 1'];
  const lostWarning = ['warning client-span-lost web -> orders 1'];

  test('may have exported the missing span before the capture began', () => {
    assert.deepEqual(judgeDrawing(lost(1, 0) + tick(2, 500)), lostWarning);
    assert.deepEqual(judgeDrawing(lost(1, 0) + tick(2, 500) + tick(3, -500, 'orders')), lostWarning);
  });

  test('may have exported it after the capture ended', () => {
    const longer = replaced(1, 0).replace('20..80', '20..180') + tick(2, -500);
    assert.deepEqual(judgeDrawing(longer), ['warning missing-client web -> orders 1']);
    assert.deepEqual(judgeDrawing(longer + tick(3, 500)), ['error missing-client web -> orders 1']);
  });

  test('has exported spans from before and after: the span is lost', () => {
    assert.deepEqual(judgeDrawing(lost(1, 0) + tick(2, 500) + tick(3, -500)), lostError);
    assert.deepEqual(judgeDrawing(lost(1, 0) + tick(2, 500) + tick(3, 79)), lostError);
  });

  test('has no other trace: the capture is one whole trace', () => {
    assert.deepEqual(judgeDrawing(lost(1, 0)), lostError);
  });

  test('is missing in other traces with everything above it, as at a cut between the exports of services', () => {
    const ragged = (service: string) =>
      `trace 4\n  lost\n    ${drawServer({ from: 220, to: 280, service })}\n`;
    const inside = lost(1, 0) + tick(2, 500) + tick(3, -500);
    assert.deepEqual(judgeDrawing(inside + ragged('orders')), lostWarning);
    assert.deepEqual(judgeDrawing(inside + ragged('stock')), lostError);
    const begun = `trace 4\n  stock INTERNAL "job" 200..201\n  lost\n    ${drawServer({ from: 220, to: 280 })}\n`;
    assert.deepEqual(judgeDrawing(inside + begun), lostError);
    assert.deepEqual(judgeDrawing(`expect web -> orders\n${inside}${ragged('orders')}`)[0], lostError[0]);
    assert.deepEqual(judgeDrawing(`may web -> orders\n${inside}${ragged('orders')}`), lostWarning);
    assert.deepEqual(judgeDrawing(`expect web -> stock\n${inside}${ragged('orders')}`)[0], lostWarning[0]);
  });

  test('has lost its span in traces that another system began as well', () => {
    const external = (number: number) =>
      replaced(number, number * 1000)
        .replaceAll('\n  ', '\n    ')
        .replace('\n', '\n  lost\n');
    const ticks = tick(2, 9000) + tick(3, -500);
    const errors = ['error missing-client web -> orders 2'];
    assert.deepEqual(judgeDrawing(replaced(1, 0) + external(5) + ticks), errors);
    const ragged = drawServer({ from: 220, to: 280 });
    const both = external(5) + external(6) + ticks;
    assert.deepEqual(judgeDrawing(`${both}trace 4\n  lost\n    ${ragged}\n`), errors);
  });
});
