import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { drawChain, drawClient, drawServer, guessCause, judgeDrawing } from './judge-drawing.ts';

const web = (from: number, to: number, extra = '') =>
  `web SERVER "GET /call" ${from}..${to} http.request.method=GET url.path=/call ${extra}`;

/** A request of `web` and, in its trace, a request of `orders` whose parent is missing. */
function drawLost(number: number, outer: string, ...servers: readonly string[]): string {
  return `trace ${number}\n  ${outer}\n${servers.map((server) => `    lost\n      ${server}\n`).join('')}`;
}

const lost = (count: number) => [`error client-span-lost web -> orders ${count}`];

suite('the caller delivered a span around the missing one', () => {
  test('that ended with the request, or later', () => {
    const judge = (to: number) => judgeDrawing(drawLost(1, web(0, 100), drawServer({ from: 20, to })));
    assert.deepEqual(judge(80), lost(1));
    assert.deepEqual(judge(100), lost(1));
    assert.deepEqual(judge(120), []);
  });

  test('beside spans that ended earlier', () => {
    const inner = `trace 1\n  ${web(0, 100)}\n    web INTERNAL "work" 10..60\n      lost\n        ${drawServer({ from: 20, to: 80 })}\n`;
    assert.deepEqual(judgeDrawing(inner), lost(1));
  });

  test('in one request, which is evidence for the others', () => {
    const both = [drawServer({ from: 20, to: 80 }), drawServer({ from: 50, to: 120 })];
    assert.deepEqual(judgeDrawing(drawLost(1, web(0, 100), ...both)), lost(2));
  });

  test('and is not another service, which no expectation names', () => {
    const other = 'proxy SERVER "GET /work" 5..70 http.request.method=GET url.path=/work';
    const drawing = `expect web -> orders\ntrace 1\n  ${web(0, 60)}\n    ${other}\n    lost\n      ${drawServer({ from: 20, to: 65 })}\n`;
    assert.deepEqual(judgeDrawing(drawing), ['error missing-client web -> orders 1']);
  });

  test('whose parent is in the capture', () => {
    const orphan = `trace 1\n  web INTERNAL "begin" 0..1\n  lost\n    ${web(0, 100)}\n    lost\n      ${drawServer({ from: 20, to: 80 })}\n`;
    assert.ok(!judgeDrawing(orphan).some((line) => line.includes('client-span-lost')));
  });

  test('each pair of services is reported separately', () => {
    const stock = drawServer({ from: 20, to: 80, service: 'stock' });
    assert.deepEqual(judgeDrawing(drawLost(1, web(0, 100), drawServer({ from: 20, to: 80 }), stock)), [
      ...lost(1),
      'error client-span-lost web -> stock 1',
    ]);
  });
});

suite('a call that ended before the request', () => {
  const failed = 'http.request.method=GET error.type=timeout status:ERROR';
  const callHop = (from: number, to: number, target: string): string =>
    `    web CLIENT "GET" ${from}..${to} url.full=http://${target} ${failed}\n`;
  const serve = (from: number): string => `    lost\n      ${drawServer({ from, to: from + 30 })}\n`;
  const begin = (at: number): string => `trace ${at}\n  ${web(at, at + 100)}\n`;
  const hop = 'hop:9000/a';
  const known = begin(1) + callHop(10, 90, hop) + serve(20);
  const ofHop = 'warning missing-client web -> orders';

  test('went through the hop that open calls of its kind go through', () => {
    assert.deepEqual(judgeDrawing(known), [`${ofHop} 1`]);
    assert.deepEqual(judgeDrawing(known + begin(200) + callHop(210, 230, hop) + serve(240)), [`${ofHop} 2`]);
    assert.deepEqual(
      judgeDrawing(known + begin(200) + callHop(250, 260, hop) + callHop(210, 230, hop) + serve(240)),
      [`${ofHop} 2`],
    );
  });

  test('went through the hop of calls that were paired with requests', () => {
    const target = 'orders:8082/work';
    const paired = begin(1) + callHop(10, 90, target).replace(failed, 'http.request.method=GET') + serve(20);
    assert.deepEqual(judgeDrawing(paired), ['error missing-client web -> orders 1']);
    assert.deepEqual(judgeDrawing(paired + begin(200) + callHop(210, 230, target) + serve(240)), [
      `${ofHop} 1`,
      `${ofHop} 1`,
    ]);
  });

  for (const [what, calls] of [
    ['goes to another address', callHop(210, 230, 'ads:9001/b')],
    ['began after the request', callHop(250, 260, hop)],
    ['is of another trace', `${begin(300)}${callHop(310, 330, hop)}`],
  ] as const)
    test(`is another one if it ${what}`, () =>
      assert.deepEqual(judgeDrawing(known + begin(200) + serve(240) + calls), [`${ofHop} 1`, ...lost(1)]));
});

suite('the expected caller', () => {
  test('is named even if another service has the span around the missing one', () => {
    const around = 'shop SERVER "GET /call" 0..100 http.request.method=GET url.path=/call';
    const drawing = drawLost(1, around, drawServer({ from: 20, to: 80 }));
    assert.deepEqual(judgeDrawing(`expect web -> stock\nexpect web -> orders\n${drawing}`), [
      'error missing-client web -> orders 1',
    ]);
    assert.deepEqual(
      judgeDrawing(`expect bff -> stock\n${drawing}`)[0],
      'error client-span-lost shop -> orders 1',
    );
  });
});

suite('a client of .NET sends context that no instrumentation made a span for', () => {
  const request = drawServer({ from: 20, to: 80 });
  const first = (outer: string, more = '') => guessCause(drawLost(1, outer, request) + more);

  test('if the service has no CLIENT span', () => {
    assert.equal(first(web(0, 100, 'resource:telemetry.sdk.language=dotnet')), 'client-not-instrumented');
    assert.equal(first(web(0, 100, 'scope:Microsoft.AspNetCore')), 'client-not-instrumented');
    const own = drawChain(2, 'web INTERNAL "job" 200..300 scope:Shop.Jobs');
    assert.equal(first(web(0, 100, 'scope:Microsoft.AspNetCore.Hosting'), own), 'client-not-instrumented');
    assert.equal(first(web(0, 100, 'resource:telemetry.sdk.language=java')), undefined);
    assert.equal(first(web(0, 100, 'scope:Shop.Microsoft.AspNetCore')), undefined);
  });

  test('but not if it has one', () => {
    const other = drawChain(
      2,
      drawClient({ from: 200, to: 300 }, 'stock/items'),
      'stock SERVER "GET /items" 210..290 http.request.method=GET url.path=/items',
    );
    assert.equal(first(web(0, 100, 'resource:telemetry.sdk.language=dotnet'), other), undefined);
  });
});

suite('a tap at the caller', () => {
  const tap = (header: string, drawing: string) =>
    judgeDrawing(
      `expect web -> orders\n${drawing}tap 15..85 GET /work 200 sent traceparent=${header} received traceparent=${header}\n`,
    );
  const alone = `trace 1\n  lost id:call\n    ${drawServer({ from: 20, to: 80 })}\n`;

  test('recorded the span id that the caller sent', () => {
    assert.deepEqual(tap('00-<1>-<call>-01', alone), lost(1));
  });

  test('recorded another id, or one that is in the capture', () => {
    assert.deepEqual(tap('00-<1>-b7ad6b7169203331-01', alone), ['error missing-client web -> orders 1']);
    const replaced = `trace 1\n  ${drawClient({ from: 10, to: 90, extra: 'id:own' })}\n  lost id:call\n    ${drawServer({ from: 20, to: 80 })}\n`;
    assert.deepEqual(
      tap('00-<1>-<call>-01', replaced).filter((line) => line.includes('client-span-lost')),
      [],
    );
  });
});

suite('a call whose attributes do not say what it calls', () => {
  const drawCall = (to: number): string =>
    `expect web -> orders\ntrace 1\n  ${web(0, 100)}\n    web CLIENT "place order" 10..${to} peer.service=orders\n    lost\n      ${drawServer({ from: 20, to: 80 })}\n`;

  test('may have led to the request, through a service that made a span of its own', () => {
    assert.deepEqual(judgeDrawing(drawCall(90)), ['error missing-client web -> orders 1']);
  });

  test('has not led to a request that outlasts it', () => {
    assert.deepEqual(judgeDrawing(drawCall(60)), lost(1));
  });
});
