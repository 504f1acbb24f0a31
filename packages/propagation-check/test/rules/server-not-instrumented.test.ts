import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { drawChain, drawClient, drawServer, judgeDrawing } from './judge-drawing.ts';

suite('a service without SERVER spans, whose calls began traces', () => {
  const web = drawChain(1, drawClient({ from: 10, to: 90 }));
  const fetch = (from: number): string =>
    drawChain(
      2,
      drawClient({ from, to: from + 40, service: 'orders' }, 'stock:8083/items'),
      drawServer({ from: from + 10, to: from + 30, service: 'stock' }, '/items'),
    );
  const judge = (...traces: readonly string[]): readonly string[] =>
    judgeDrawing(`expect web -> orders -> stock\n${traces.join('')}`);

  test('made the calls while its caller waited', () => {
    assert.deepEqual(judge(web, fetch(30)), ['error server-not-instrumented web -> orders 1']);
  });

  test('made the calls while somebody else waited', () => {
    const shop = drawChain(3, drawClient({ from: 1010, to: 1090, service: 'shop' }, 'pay:80/work'));
    assert.deepEqual(judge(web, fetch(1030), shop), ['error missing-server web -> orders 1']);
  });
});

suite('a service that names its span in every answer', () => {
  const call = drawChain(1, drawClient({ from: 10, to: 90, extra: 'id:call' }));
  const valid = 'traceparent=00-<1>-<call>-01';
  const judge = (answered: string, { spans = call, header = valid } = {}): readonly string[] =>
    judgeDrawing(
      `expect web -> orders\ntraceresponse orders\n${spans}tap 15..85 GET /work 200 sent ${header} received ${header} answered ${answered}\n`,
    );

  test('made no span for the request if the answer names none', () => {
    assert.deepEqual(judge('-'), ['error server-not-instrumented web -> orders 1']);
  });

  test('made a span if the answer names it; a hop may have named the CLIENT span', () => {
    const named = judge('traceresponse=00-<1>-b7ad6b7169203331-01');
    assert.deepEqual(named, ['error server-span-lost web -> orders 1']);
    const echoed = judge('traceresponse=00-<1>-<call>-01');
    assert.deepEqual(echoed, ['error missing-server web -> orders 1']);
  });

  test('made a span if it is in the capture, below a missing one', () => {
    const spans = `${call}trace 2\n  lost\n    ${drawServer({ from: 20, to: 80 })}\n`;
    assert.deepEqual(judge('-', { spans, header: 'b3=<1>-<call>-1' }), ['error split-trace web -> orders 1']);
  });
});
