import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { drawChain, drawClient, drawServer, judgeDrawing, listUndecided } from './judge-drawing.ts';

const web = 'web SERVER "GET /call" 0..100 http.request.method=GET url.path=/call';
const shop = drawChain(3, 'shop SERVER "GET /buy" 0..100 http.request.method=GET');
const call = drawClient({ from: 10, to: 90 });
const request = drawServer({ from: 20, to: 80 });

suite('a pair whose callee has another expected caller', () => {
  const split = (head: string, more = '') =>
    judgeDrawing(`${head}${drawChain(1, call)}${drawChain(2, request)}${more}`);

  test('is plausible if that caller has spans but no call: a service without spans is in between', () => {
    assert.deepEqual(split('expect shop -> orders\n', shop), [
      'error split-trace web -> orders 1',
      'warning missing-call shop -> orders 0',
    ]);
    assert.deepEqual(split('may shop -> orders\n', shop), ['error split-trace web -> orders 1']);
    assert.deepEqual(split('may shop -> orders\nmay bff -> orders\n', shop), [
      'error split-trace web -> orders 1',
    ]);
  });

  test('is plausible if the expectations only forbid another caller', () => {
    assert.deepEqual(split('must-not shop -> orders\n'), ['error split-trace web -> orders 1']);
  });

  test('is a coincidence if that caller has no spans, has calls, or calls other services', () => {
    assert.deepEqual(split('expect shop -> orders\n'), ['error missing-call shop -> orders 1']);
    const calling = 'shop CLIENT "GET" 0..100 http.request.method=GET url.full=http://stock/items';
    assert.deepEqual(split('expect shop -> orders\n', drawChain(3, calling)), [
      'error missing-call shop -> orders 0',
    ]);
    assert.deepEqual(split('expect shop -> stock\nexpect bff -> orders\n', shop), [
      'error missing-call bff -> orders 1',
    ]);
    assert.deepEqual(split('expect bff -> orders\nmust-not shop -> orders\n', shop), [
      'error missing-call bff -> orders 1',
    ]);
  });
});

suite('an expected service without spans', () => {
  const between = (client: string, server: string, more = '') =>
    judgeDrawing(
      `expect web -> orders\n${drawChain(1, web.replace('web', client), drawClient({ from: 10, to: 90, service: client }), drawServer({ from: 20, to: 80, service: server }))}${more}`,
    ).filter((line) => !line.startsWith('warning'));

  test('may be the unnamed service on the other side of whole calls', () => {
    for (const name of ['-', 'unknown_service', 'unknown_service:node']) {
      assert.deepEqual(between('web', name), [], name);
      assert.deepEqual(between(name, 'orders'), [], name);
    }
    for (const name of ['my_unknown_service', 'unknown_services']) {
      assert.deepEqual(between('web', name), []);
      assert.deepEqual(judgeDrawing(drawChain(1, `${name} INTERNAL "work" 0..9`)), []);
    }
  });

  test('may be the unnamed service on the other side of calls that an error reports', () => {
    const split = (to: string, from = '') =>
      judgeDrawing(
        `expect web -> orders\n${drawChain(1, drawClient({ from: 10, to: 90 }, to))}${drawChain(2, drawServer({ from: 20, to: 80, service: '-', extra: from }))}`,
      );
    const unnamed = 'warning service-unnamed null -> null 1';
    assert.deepEqual(split('orders:8082/work'), ['error split-trace web -> null 1', unnamed]);
    assert.deepEqual(split('api.shop.example/work', 'server.address=api.pay.example'), [
      'warning split-trace web -> null 1',
      'error missing-call web -> orders 0',
      unnamed,
    ]);
  });

  test('is reported if both services have spans, and not if another service may be meant', () => {
    const unnamed = 'unknown_service:node';
    assert.deepEqual(between('web', unnamed, drawChain(3, 'orders INTERNAL "boot" 5..6')), [
      'error missing-call web -> orders 0',
    ]);
    assert.deepEqual(between('shop', unnamed), []);
    assert.deepEqual(between('shop', unnamed, drawChain(3, web.replace('0..100', '500..600'))), []);
    assert.deepEqual(between(unnamed, 'stock', drawChain(3, drawServer({ from: 0, to: 9 }))), [
      'error missing-call web -> orders 1',
    ]);
  });
});

suite('an expected edge without any call', () => {
  const items = (service: string) =>
    `${service} SERVER "GET /items" 30..60 http.request.method=GET url.path=/items`;
  const past = (service: string) => drawChain(1, web, call, items(service));
  const path = 'expect web -> orders -> stock\n';

  test('is whole through a service without spans if its caller and callee are connected', () => {
    assert.deepEqual(judgeDrawing(path + past('stock')), ['error missing-server web -> orders 1']);
    assert.deepEqual(judgeDrawing(path + past('tokens')), []);
    assert.deepEqual(judgeDrawing(`may web -> tokens\n${path}${past('tokens')}`), [
      'error missing-call web -> orders 0',
    ]);
    assert.deepEqual(judgeDrawing(path + past('-')), ['warning service-unnamed null -> null 1']);
    const boot = drawChain(5, 'orders INTERNAL "boot" 0..1');
    assert.deepEqual(judgeDrawing(path + past('stock') + boot), ['error missing-server web -> orders 1']);
    const unseen = ['error missing-call web -> orders 0', 'error missing-call orders -> stock 0'];
    assert.deepEqual(judgeDrawing(`expect web -> stock\n${path}${past('stock')}${boot}`), unseen);
    assert.deepEqual(judgeDrawing(`${path}${past('stock')}  orders INTERNAL "work" 20..25\n`), unseen);
    const other = drawChain(2, drawClient({ from: 10, to: 90, service: 'shop' }), items('stock'));
    assert.deepEqual(judgeDrawing(`${path}may shop -> stock\n${drawChain(1, web)}${other}`), [
      'error missing-call web -> orders 0',
    ]);
  });

  test('is a warning if the callee may not have been reached', () => {
    const refused = (service: string) =>
      `${service} CLIENT "GET" 10..20 http.request.method=GET url.full=http://orders:8082/work http.response.status_code=503`;
    const rpc = 'web CLIENT "o.O/Get" 10..20 rpc.system=grpc rpc.method=o.O/Get rpc.grpc.status_code=14';
    for (const line of [refused('web'), rpc]) {
      assert.deepEqual(judgeDrawing(`expect web -> orders\n${drawChain(1, web, line)}`), [
        'warning missing-server web -> orders 1',
      ]);
    }
    const other = `expect web -> orders\nmay shop -> orders\n${drawChain(1, web)}${drawChain(2, refused('shop'))}`;
    assert.deepEqual(judgeDrawing(other), ['error missing-call web -> orders 0']);
  });

  test('has no lost SERVER span if no call got a connection', () => {
    const call = (status: string) =>
      `web CLIENT "GET" 10..20 http.request.method=GET url.full=http://orders:8082/work ${status}`;
    const refused = call('status:ERROR error.type=ECONNREFUSED');
    const tellAbout = (...lines: readonly string[]) => {
      const calls = lines.map((line, at) => drawChain(at + 1, web, line)).join('');
      const { spans, expectation } = readDrawing(`expect web -> orders\n${calls}`);
      const { findings, verdict } = checkTraces(spans, { expectation });
      assert.equal(verdict, 'unknown');
      return findings.map(({ id, candidates, evidence, fix }) => [
        id,
        candidates?.[0],
        evidence[0]?.says,
        /^Start the called service/.test(fix),
      ]);
    };
    assert.deepEqual(tellAbout(refused, refused), [
      ['missing-server', undefined, 'got no connection, so that no SERVER span belongs to it', true],
    ]);
    const unavailable = call('http.response.status_code=503');
    assert.deepEqual(tellAbout(unavailable, refused), [
      [
        'missing-server',
        'server-span-lost',
        'ended with status 503, which may not come from the called service itself: it may never have been reached',
        false,
      ],
    ]);
  });

  test('has a caller without spans if the callee has spans and no caller', () => {
    const boot = (service: string) =>
      judgeDrawing(`expect web -> orders\n${drawChain(1, `${service} INTERNAL "boot" 0..1`)}`);
    assert.deepEqual(boot('orders'), ['error missing-client web -> orders 0']);
    assert.deepEqual(boot('stock'), []);
    const other = drawChain(1, drawClient({ from: 10, to: 90, service: 'shop' }), request);
    assert.deepEqual(judgeDrawing(`expect web -> orders\n${other}`), []);
    assert.deepEqual(judgeDrawing(`expect web -> orders\n${other}${drawChain(2, web)}`), [
      'error missing-call web -> orders 0',
    ]);
  });

  test('is a warning beside an error of another caller of the same service', () => {
    const split = drawChain(2, drawClient({ from: 10, to: 90, service: 'shop' })) + drawChain(3, request);
    assert.deepEqual(
      judgeDrawing(`expect web -> orders\nexpect shop -> orders\n${drawChain(1, web)}${split}`),
      ['error split-trace shop -> orders 1', 'warning missing-call web -> orders 0'],
    );
    const elsewhere = drawChain(2, drawClient({ from: 10, to: 90, service: 'shop' }, 'stock/items'));
    const stock = drawChain(3, 'stock SERVER "GET /items" 20..80 http.request.method=GET url.path=/items');
    assert.deepEqual(
      judgeDrawing(`expect web -> orders\nexpect shop -> stock\n${drawChain(1, web)}${elsewhere}${stock}`),
      ['error split-trace shop -> stock 1', 'error missing-call web -> orders 0'],
    );
  });

  test('is a warning while a span of the callee is below an unfinished one in a trace of the caller', () => {
    const below = (line: string) =>
      judgeDrawing(`expect web -> orders\ntrace 1\n  ${web}\n  lost\n    ${line}\n`);
    assert.deepEqual(below('orders INTERNAL "load" 20..30'), [
      'warning span-lost-in-service web -> orders 1',
    ]);
    assert.deepEqual(below('stock INTERNAL "load" 20..30'), []);
    const load = 'orders INTERNAL "load" 20..30';
    assert.deepEqual(below(`${load} flags:0x300`), ['error missing-call web -> orders 0']);
    const beside = (line: string) => below(`${load}\n  ${line}`);
    assert.deepEqual(beside('stock INTERNAL "work" 40..50'), below(load));
    assert.deepEqual(beside('orders INTERNAL "boot" 10..12'), [
      'warning span-lost-in-service web -> orders 1',
    ]);
    const unsure = ['warning missing-call web -> orders 0'];
    assert.deepEqual(beside('stock INTERNAL "work" 10..12'), unsure);
    const late = web.replace('0..100', '50..100');
    assert.deepEqual(judgeDrawing(`expect web -> orders\ntrace 1\n  ${late}\n  lost\n    ${load}\n`), unsure);
    const other = `expect web -> orders\n${drawChain(1, web)}trace 2\n  lost\n    orders INTERNAL "load" 20..30\n`;
    assert.deepEqual(judgeDrawing(other), ['error missing-call web -> orders 0']);
  });
});

suite('an expected edge with a service that no span names', () => {
  const system = drawChain(1, web, call, request);
  const tell = (edges: string, drawing = system) =>
    [...judgeDrawing(`${edges}\n${drawing}`), ...listUndecided(`${edges}\n${drawing}`)].join();

  test('is open on either side if a service that the expectations do not name may be meant', () => {
    const check =
      'no span of nope is here, only of orders, web: check the name (service.name) and where the service exports, and send a request that makes the call';
    assert.equal(tell('expect web -> nope'), `web -> nope: ${check}`);
    assert.equal(tell('expect nope -> orders'), `nope -> orders: ${check}`);
    assert.equal(tell('expect nope -> web', drawChain(1, call, request)), `nope -> web: ${check}`);
  });

  test('is broken on either side if all other services are named', () => {
    assert.equal(tell('expect web -> orders -> nope'), 'error missing-call orders -> nope 0');
    assert.equal(
      tell('expect nope -> web -> orders', drawChain(1, call, request)),
      'error missing-client nope -> web 0',
    );
    const own = drawChain(2, 'propagation-check CLIENT "GET" 500..600 http.request.method=GET');
    assert.equal(tell('expect web -> orders -> nope', system + own), 'error missing-call orders -> nope 0');
  });

  test('mentions calls that may not have arrived', () => {
    const refused = drawClient({ from: 10, to: 20 }, 'nope:8082/work').replace('=200', '=503');
    assert.match(
      tell('expect web -> nope', system + drawChain(2, refused)),
      /^warning missing-server web -> nope 1,web -> nope: no call of it is whole, and the data leave open/,
    );
  });

  test('may have a part of the right name', () => {
    const pay = system.replaceAll(/orders(?= SERVER)/g, 'payment-service');
    assert.equal(
      tell('expect web -> pay', pay),
      'web -> pay: no span of pay is here: did you mean payment-service instead of pay? If not, check the name (service.name) and where the service exports, and send a request that makes the call',
    );
    assert.equal(tell('must-not web -> pay', pay), '', 'a forbidden call needs no spans of its service');
    assert.match(
      tell('must-not web -> payments', pay),
      /did you mean payment-service instead of payments\?$/,
    );
    const users = drawChain(3, 'users SERVER "GET /me" 20..80 http.request.method=GET url.path=/me');
    assert.match(
      tell('expect pay -> users', pay + users),
      /^pay -> users: no span of pay is here: did you mean payment-service instead of pay\?/,
    );
  });
});

suite('a service that begins a path and whose calls have no visible cause', () => {
  const round = (at: number, more = '') =>
    drawChain(
      at + 1,
      drawClient({ from: at * 20, to: at * 20 + 10, extra: more }),
      drawServer({ from: at * 20 + 2, to: at * 20 + 8 }),
    );
  const rounds = (count: number) => Array.from({ length: count }, (_, at) => round(at)).join('');
  const judge = (drawing: string, head = 'expect web -> orders\n') => judgeDrawing(head + drawing);
  const entrance = (count: number) => [`error missing-call null -> web ${count}`];

  test('is reported if its calls keep a rhythm', () => {
    assert.deepEqual(judge(rounds(10)), entrance(10));
    assert.deepEqual(judge(rounds(10), 'may web -> orders\n'), []);
    assert.deepEqual(judge(rounds(10), 'expect shop -> web -> orders\n'), [
      'error missing-client shop -> web 0',
    ]);
    const others = Array.from({ length: 5 }, (_, at) =>
      drawChain(
        60 + at,
        drawClient({ from: at * 33, to: at * 33 + 5, service: 'shop' }),
        drawServer({ from: at * 33 + 1, to: at * 33 + 4, service: 'stock' }),
      ),
    );
    assert.deepEqual(judge(rounds(10) + others.join('')), entrance(10));
  });

  test('is reported even if it has connection spans', () => {
    const connecting =
      drawChain(90, 'web CLIENT "dns.lookup" 5..6') + drawChain(91, 'web INTERNAL "connect" 7..8');
    assert.deepEqual(judge(rounds(10) + connecting), entrance(10));
  });

  test('is not reported if its spans show a cause: a request, a message, a job, a link', () => {
    for (const line of [
      drawServer({ from: 5, to: 6, service: 'web' }),
      'web CONSUMER "receive" 5..6 messaging.system=kafka',
      'web INTERNAL "job" 5..6 http.request.method=GET',
      'web CLIENT "SELECT" 5..6 db.system=mysql',
    ]) {
      assert.deepEqual(judge(rounds(10) + drawChain(90, line)), [], line);
    }
    const job = `trace 90\n  web INTERNAL "job" 199..212\n    ${drawClient({ from: 200, to: 210 })}\n      ${drawServer({ from: 202, to: 208 })}\n`;
    assert.deepEqual(judge(rounds(10) + job), []);
    assert.deepEqual(
      judge(round(0, 'id:first') + rounds(10).slice(round(0).length).replace('200 \n', '200 link:first\n')),
      [],
    );
  });

  test('is not reported if it makes other calls, which no expectation names', () => {
    assert.deepEqual(judge(rounds(10) + drawChain(90, drawClient({ from: 200, to: 210 }))), []);
    const message = `trace 90\n  web PRODUCER "send" 200..210 messaging.system=kafka\n    orders CONSUMER "work" 215..216 messaging.system=kafka\n`;
    assert.deepEqual(judge(rounds(10) + message), []);
  });

  test('is not reported if the rhythm breaks once', () => {
    assert.deepEqual(judge(rounds(9) + round(30)), []);
    const early = drawChain(90, drawClient({ from: 170.5, to: 180 }), drawServer({ from: 172, to: 178 }));
    assert.deepEqual(judge(rounds(9) + early), []);
  });
});

test('each forbidden edge is reported separately', () => {
  const whole = (number: number, service: string): string =>
    drawChain(
      number,
      drawClient({ from: 10, to: 90 }, `${service}:8082/work`),
      drawServer({ from: 20, to: 80, service }),
    );
  assert.deepEqual(
    judgeDrawing(`must-not web -> stock\nmust-not web -> pay\n${whole(1, 'stock')}${whole(2, 'pay')}`),
    ['error unexpected-edge web -> stock 1', 'error unexpected-edge web -> pay 1'],
  );
});
