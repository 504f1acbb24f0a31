import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isForwarded, type RequestHead } from '../../src/rules/missing-call-causes.ts';
import { drawChain, drawClient, drawServer, judgeDrawing, listCauses } from './judge-drawing.ts';

const head = 'expect web -> orders\n';
const report = (at: number, agent = 'curl') =>
  `web SERVER "GET /report" ${at}..${at + 100} http.request.method=GET url.path=/report ${agent === '' ? '' : `user_agent.original=${agent}`}`;
const work = (at: number, agent = 'legacy', more = '') =>
  drawServer({
    from: at + 20,
    to: at + 80,
    extra: `${agent === '' ? '' : `user_agent.original=${agent}`} ${more}`,
  });

suite('requests of which some have a call', () => {
  const whole = [-5000, -4000]
    .map((at, index) =>
      drawChain(
        index + 1,
        report(at).replaceAll('report', 'page'),
        drawClient({ from: at + 10, to: at + 90 }),
        work(at, 'node'),
      ),
    )
    .join('');
  const draw = (outer: string, inner: string, callers: (at: number) => readonly string[] = () => []) =>
    head +
    whole +
    [0, 1000]
      .map(
        (at, index) =>
          drawChain(10 + index, ...callers(at), report(at, outer)) + drawChain(20 + index, work(at, inner)),
      )
      .join('');
  const found = ['error client-not-instrumented web -> orders 2'];

  test('each contain a root of another program, unless one program may have sent both', () => {
    assert.deepEqual(judgeDrawing(draw('curl', 'legacy')), found);
    const gateway = (at: number) => [
      drawClient({ from: at - 5, to: at + 105, service: 'gateway' }, 'web/report'),
    ];
    assert.deepEqual(judgeDrawing(draw('curl', 'legacy', gateway)), found);
    assert.deepEqual(judgeDrawing(draw('axios', 'legacy', gateway)), found);
    assert.deepEqual(judgeDrawing(draw('axios', 'axios', gateway)), []);
    assert.deepEqual(judgeDrawing(draw('', 'legacy')), []);
    assert.deepEqual(judgeDrawing(draw('', '')), []);
  });

  test('are judged by each program that sent roots', () => {
    const outsider = drawChain(30, work(2000, 'probe')) + drawChain(31, work(3000, 'probe'));
    assert.deepEqual(judgeDrawing(draw('curl', 'legacy') + outsider), found);
    const crowd = Array.from({ length: 4 }, (_, at) => drawChain(40 + at, work(20 + at, 'probe'))).join('');
    assert.deepEqual(judgeDrawing(draw('curl', 'legacy') + crowd), found);
  });

  test('exclude the programs that begin traces at the caller, and no others', () => {
    const agent = 'user_agent.original=legacy';
    const other = report(5000, 'legacy').replaceAll('report', 'other');
    const ofGateway = drawClient({ from: 4990, to: 5110, service: 'gateway' }, 'web/other');
    assert.deepEqual(judgeDrawing(draw('curl', 'legacy') + drawChain(30, other)), []);
    assert.deepEqual(judgeDrawing(draw('curl', 'legacy') + drawChain(30, ofGateway, other)), found);
    const job = drawClient({ from: 6000, to: 6010, extra: agent }, 'partner.example/items');
    assert.deepEqual(judgeDrawing(draw('curl', 'legacy') + drawChain(31, job)), found);
  });

  test('must be requests: jobs and calls contain roots by chance', () => {
    const job = (text: string) => text.replaceAll(/SERVER "GET \/report"/g, 'INTERNAL "report"');
    assert.deepEqual(judgeDrawing(job(draw('curl', 'legacy'))), []);
  });
});

test('a root within a request with other calls begins while none of these is open', () => {
  const agent = 'user_agent.original=curl';
  const draw = (
    root: readonly [from: number, to: number],
    stock?: readonly [from: number, to: number],
    first = 12,
  ) =>
    head +
    [1, 29, 54, 82, 110, 135]
      .map((at, index) =>
        [
          `trace ${index + 1}`,
          `  web SERVER "GET /both" ${at}..${at + 25} http.request.method=GET url.path=/both ${agent}`,
          `    ${drawClient({ from: at + 1, to: at + first })}`,
          `      ${drawServer({ from: at + 2, to: at + first - 1 })}`,
          ...(stock === undefined
            ? []
            : [
                `    ${drawClient({ from: at + stock[0], to: at + stock[1] }, 'stock/items').replaceAll('GET', 'POST')}`,
              ]),
          `trace ${index + 101}`,
          `  ${drawServer({ from: at + root[0], to: at + root[1] }, '/items')}`,
          '',
        ].join('\n'),
      )
      .join('');
  const found = ['error client-not-instrumented web -> orders 6'];
  assert.deepEqual(judgeDrawing(draw([14, 24])), found);
  assert.deepEqual(judgeDrawing(draw([14, 24], [13, 25])), []);
  assert.deepEqual(judgeDrawing(draw([7, 20], [21, 24], 6)), found);
  assert.deepEqual(judgeDrawing(draw([5, 20], [21, 24], 6)), []);
});

suite('a caller without calls', () => {
  const requests = (inner: (at: number) => string = (at) => work(at, '')) =>
    [0, 1000]
      .map((at, index) => drawChain(10 + index, report(at)) + drawChain(20 + index, inner(at)))
      .join('');

  test('is not instrumented, unless spans of other services are directly below its requests', () => {
    assert.deepEqual(judgeDrawing(head + requests()), ['error client-not-instrumented web -> orders 2']);
    const stock = (service: string) =>
      drawChain(
        30,
        report(5000).replace('web', service),
        'stock SERVER "GET /items" 5010..5020 http.request.method=GET',
      );
    const beside = (service: string) => `${head}expect web -> stock\n${requests()}${stock(service)}`;
    assert.ok(judgeDrawing(beside('web')).includes('error missing-call web -> orders 2'));
    assert.ok(judgeDrawing(beside('shop')).includes('error client-not-instrumented web -> orders 2'));
  });

  const found = ['error client-not-instrumented web -> orders 2'];

  test('is reported despite INTERNAL spans, or a whole call to another service', () => {
    const beside = (below: (at: number) => readonly string[]) =>
      judgeDrawing(
        `${head}expect web -> stock\n${[0, 1000]
          .map(
            (at, index) =>
              drawChain(10 + index, report(at), ...below(at)) + drawChain(20 + index, work(at, '')),
          )
          .join('')}`,
      ).filter((line) => line.includes('orders'));
    const toStock = (at: number) => [
      drawClient({ from: at + 10, to: at + 90 }, 'stock/items').replaceAll('GET', 'POST'),
      `stock SERVER "POST /items" ${at + 20}..${at + 80} http.request.method=POST`,
    ];
    assert.deepEqual(
      beside((at) => [`web INTERNAL "render" ${at + 10}..${at + 90}`]),
      found,
    );
    assert.deepEqual(beside(toStock), found);
  });

  test('may have made the call with a span that ended before the root began, if neither side records details', () => {
    const draw = (call: string, root: string) =>
      judgeDrawing(
        head +
          [0, 1000]
            .map(
              (at, index) =>
                drawChain(10 + index, report(at), `web CLIENT "start" ${at + 10}..${at + 15} ${call}`) +
                drawChain(20 + index, `orders SERVER "run" ${at + 20}..${at + 80} ${root}`),
            )
            .join(''),
      );
    assert.deepEqual(draw('', ''), ['error split-trace web -> orders 2']);
    assert.deepEqual(draw('', 'http.request.method=GET'), found);
    const told = 'http.request.method=POST url.full=http://mail/send http.response.status_code=200';
    assert.deepEqual(draw(told, ''), found);
  });

  test('is not called uninstrumented if some of the roots are messages, for which it does not wait', () => {
    const message = drawChain(30, 'orders CONSUMER "process" 5020..5080 messaging.system=kafka');
    assert.deepEqual(judgeDrawing(head + requests() + message), ['error missing-call web -> orders 3']);
  });

  test('is not the caller of the roots if its calls failed, unless one was answered', () => {
    const failed = (at: number, status: string) =>
      drawChain(
        50 + at,
        `web CLIENT "GET" ${at * 100 + 9000}..${at * 100 + 9010} http.request.method=GET url.full=http://stock/items ${status}`,
      );
    const [refused, answered] = ['error.type=timeout status:ERROR', 'http.response.status_code=200'];
    const judge = (...calls: readonly string[]) =>
      judgeDrawing(head + requests() + calls.join('')).filter((line) => line.startsWith('error'));
    assert.deepEqual(judge(failed(0, refused)), []);
    const message = drawChain(52, 'web PRODUCER "send" 9200..9205 messaging.system=kafka');
    assert.deepEqual(judge(failed(0, refused), message), []);
    assert.deepEqual(judge(failed(0, refused), failed(1, answered)), [
      'error client-not-instrumented web -> orders 2',
    ]);
    assert.deepEqual(
      judgeDrawing(`${head}${requests()}${drawChain(50, 'web CLIENT "SELECT" 9000..9010 db.system=mysql')}`),
      ['error client-not-instrumented web -> orders 2'],
    );
  });

  test('is not the caller of roots in whose traces it is called itself', () => {
    const calling = (trace: number, at: number) =>
      drawChain(
        trace,
        work(at),
        drawClient({ from: at + 30, to: at + 60, service: 'orders' }, 'web/back'),
        `web SERVER "GET /back" ${at + 32}..${at + 58} http.request.method=GET url.path=/back`,
      );
    assert.deepEqual(judgeDrawing(head + calling(1, 0) + calling(2, 1000)), [
      'error missing-call web -> orders 0',
    ]);
    assert.deepEqual(judgeDrawing(head + calling(1, 0) + drawChain(2, work(1000))), [
      'error missing-call web -> orders 1',
    ]);
  });
});

test('a forwarded request keeps method, path and user agent; a prefix may be removed only if both record the agent', () => {
  const request = { method: 'GET', path: '/api/work', userAgent: 'curl' };
  const inner = (more: Partial<RequestHead>) => isForwarded(request, { ...request, ...more });
  assert.ok(inner({}));
  assert.ok(inner({ userAgent: null }));
  assert.ok(inner({ path: '/work' }));
  assert.ok(!inner({ path: '/work', userAgent: null }));
  assert.ok(!inner({ path: '/play' }));
  assert.ok(!inner({ path: '/' }));
  assert.ok(!inner({ path: null }));
  assert.ok(!inner({ userAgent: 'node' }));
  assert.ok(!inner({ method: 'POST' }));
  const untold = { ...request, path: null };
  assert.ok(!isForwarded(untold, untold));
  assert.ok(!isForwarded(untold, request));
  assert.ok(isForwarded({ ...request, userAgent: null }, request));
});

suite('a root in the trace of the request that made the call', () => {
  const draw = (number: number, at: number): string =>
    `trace ${number}\n  gateway SERVER "GET /a" ${at}..${at + 100} http.request.method=GET url.path=/a\n  orders SERVER "GET /b" ${at + 20}..${at + 80} http.request.method=GET url.path=/b\n`;

  test('had the header, and lost only the parent', () => {
    const drawing = `expect gateway -> orders\n${draw(1, 0)}${draw(2, 1000)}`;
    assert.deepEqual(judgeDrawing(drawing), ['error missing-call gateway -> orders 2']);
    assert.equal(listCauses(drawing)[0], 'parent-dropped');
  });

  test('had it too if the requests overlap, so that times pair them with the root of another', () => {
    const crossed = (draw(1, 0) + draw(2, 3))
      .replace('20..80', '5..45')
      .replace('3..103', '3..50')
      .replace('23..83', '5..40');
    assert.equal(listCauses(`expect gateway -> orders\n${crossed}`)[0], 'parent-dropped');
  });

  test('is not known to have had it if some roots are in other traces', () => {
    const apart = draw(2, 1000).replace('  orders', 'trace 3\n  orders');
    const drawing = `expect gateway -> orders\n${draw(1, 0)}${apart}`;
    assert.deepEqual(judgeDrawing(drawing), ['error client-not-instrumented gateway -> orders 2']);
  });
});
