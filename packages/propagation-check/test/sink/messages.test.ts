import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Span } from '../../src/span/span.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { orders, receivedAndProcessed } from '../engine/draw-messages.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { makeJudge } from './make-judge.ts';

const minute = 60_000;

/** @param pauses Milliseconds to wait after the spans whose names begin with `a`, with `b` and with `c`. */
function countInExports(drawing: string, pauses: readonly [number, number, number]): readonly string[] {
  const { spans } = readDrawing(drawing);
  const sink = makeJudge();
  for (const [at, pause] of pauses.entries()) {
    sink.send(spans.filter(({ name }) => name.startsWith('abc'.charAt(at))));
    sink.advance(pause);
  }
  sink.finish();
  return sink.list();
}

function countAtOnce(spans: readonly Span[]): readonly string[] {
  return checkTraces(spans).edges.map(
    ({ client, server, calls }) => `${client} → ${server} intact: ${calls}`,
  );
}

const below = `
trace 1
  web PRODUCER "a send" 0..2 ${orders}
    worker CONSUMER "b receive" 10..20 messaging.operation.type=receive ${orders}
      worker CONSUMER "c process" 30..40 messaging.operation.type=process ${orders}
`;
const beside = `
trace 1
  web PRODUCER "a send" 0..2 ${orders}
    worker CONSUMER "b receive" 10..20 messaging.operation.type=receive ${orders}
    worker CONSUMER "c process" 30..40 messaging.operation.type=process messaging.message.id=1 ${orders}
`;
const redelivered = `
trace 1
  web PRODUCER "a send" 0..2 ${orders}
    worker CONSUMER "c process" 10..20 messaging.message.id=1 ${orders}
    worker CONSUMER "b process" 30..40 messaging.message.id=1 ${orders}
    worker CONSUMER "c process" 50..60 messaging.message.id=1 ${orders}
`;
const batch = `
trace 1
  web PRODUCER "a send" 0..2 messaging.batch.message_count=2 ${orders}
    worker CONSUMER "b process" 10..20 ${orders}
    worker CONSUMER "c process" 30..40 ${orders}
    worker CONSUMER "c process" 50..60 ${orders}
`;
const subscribed = `
trace 1
  web PRODUCER "a send" 0..2 ${orders}
    worker CONSUMER "b process" 10..20 ${orders}
    audit CONSUMER "c process" 30..40 ${orders}
`;
const one = ['web → worker intact: 1'];
const drawings = { linked: receivedAndProcessed, below, beside, redelivered, batch, subscribed };

suite('a message is counted once', () => {
  for (const [name, drawing] of Object.entries(drawings)) {
    const expected = countAtOnce(readDrawing(drawing).spans).toSorted();
    test(`${name}: in one batch`, () => assert.deepEqual(countInExports(drawing, [0, 0, 0]), expected));
    test(`${name}: in several batches`, () =>
      assert.deepEqual(countInExports(drawing, [minute, minute, minute]), expected));
  }
  test('also when a span that arrives later began earlier', () => {
    const swapped = receivedAndProcessed.replace('b receive', 'c receive').replace('c process', 'b process');
    assert.deepEqual(countInExports(swapped, [minute, minute, minute]), one);
  });
});

suite('a counted message is not counted again when its trace has left the window', () => {
  const late = 10 * minute;
  for (const [name, drawing] of Object.entries({ linked: receivedAndProcessed, below, beside, redelivered }))
    test(name, () => assert.deepEqual(countInExports(drawing, [0, late, minute]), one));
  for (const [name, drawing] of Object.entries({ below, redelivered }))
    test(`${name}: without the PRODUCER span`, () =>
      assert.deepEqual(countInExports(drawing, [late, late, late]), [
        'unknown → worker undecided judged-apart: 1',
      ]));

  test('the same message that another service received is counted', () => {
    assert.deepEqual(countInExports(subscribed, [0, late, minute]), [
      'unknown → audit undecided judged-apart: 1',
      'web → worker intact: 1',
    ]);
  });
});

test('a request inside a request of the same service is no further call when its trace has left the window', () => {
  const nested = `
trace 1
  web CLIENT "a GET" 0..9 http.request.method=GET url.full=http://orders/work
    orders SERVER "b GET /work" 1..8 http.request.method=GET url.path=/work
      orders SERVER "c GET /work" 2..7 http.request.method=GET url.path=/work
`;
  const expected = ['web → orders intact: 1'];
  assert.deepEqual(countInExports(nested, [0, 0, 0]), expected);
  assert.deepEqual(countInExports(nested, [0, 10 * minute, minute]), expected);
});

test('a request that names two spans of its caller is counted once, also when one of them is late', () => {
  const request = `
trace 1
  web INTERNAL "a job" 0..9 id:job
    web CLIENT "c GET" 1..8 id:call http.request.method=GET url.full=http://orders/work
trace 2
  orders SERVER "b GET /work" 2..7 link:job link:call http.request.method=GET url.path=/work
`;
  const expected = ['web → orders intact: 1'];
  assert.deepEqual(countInExports(request, [0, 0, 0]), expected);
  assert.deepEqual(countInExports(request, [minute, minute, minute]), expected);
});

test('a broken call whose sides name each other is not counted as intact', () => {
  const cut = `
trace 1
  web SERVER "a GET /call" 0..100 http.request.method=GET url.path=/call
    web CLIENT "a GET" 10..90 http.request.method=GET url.full=http://orders/work id:call
trace 1/64-padded
  orders SERVER "a GET /work" 20..80 http.request.method=GET url.path=/work parent:call
`;
  assert.deepEqual(countInExports(cut, [0, 0, 0]), ['web → orders broken trace-id-truncated: 1']);
});
