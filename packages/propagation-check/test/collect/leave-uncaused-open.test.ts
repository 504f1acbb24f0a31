import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from '../../src/collect/judge.ts';
import { noExpectation } from '../../src/expect/expectation.ts';
import { storeOf } from '../../src/span/span-writer.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { drawChain, drawClient, drawServer } from '../rules/judge-drawing.ts';

/** A request of this tool to web, and traces that begin at orders at these times. */
function judgeRun(...begun: readonly number[]) {
  const run = drawChain(
    1,
    drawClient({ from: 0, to: 100, service: 'propagation-check' }),
    'web SERVER "GET /buy" 5..95 http.request.method=GET url.path=/buy',
  );
  const others = begun.map((at, index) => drawChain(index + 10, drawServer({ from: at, to: at + 5 })));
  const { spans } = readDrawing(run + others.join(''));
  return judge(storeOf(spans), { expectation: noExpectation, wire: [] }).result;
}

test('traces that began during requests of this tool at another service leave the verdict open', () => {
  const { verdict, undecided = [] } = judgeRun(20, 60);
  assert.equal(verdict, 'unknown');
  assert.deepEqual(
    undecided.map(({ client, server }) => [client, server]),
    [['web', 'orders']],
  );
});

test('traces of a service that begins traces at any time do not', () => {
  assert.equal(judgeRun(200, 400, 600, 20, 800).verdict, 'intact');
  assert.equal(judgeRun(200, 400).verdict, 'intact');
});
