import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isForwarded, type RequestHead } from '../../src/rules/missing-call-causes.ts';
import { drawChain, judgeDrawing, listCauses } from './judge-drawing.ts';

const times = [0, 700, 1900, 2600, 4100, 5300];

interface Request {
  readonly at: number;
  readonly length?: number;
  readonly about?: string;
}

const http = (path: string, agent = 'node', method = 'GET'): string =>
  `http.request.method=${method} url.path=${path} user_agent.original=${agent}`;

/** A request of the gateway and the spans below it. */
const ask = ({ at, length = 90, about = http('/orders') }: Request, ...below: readonly string[]): string =>
  `trace ${10 + at}\n  gateway SERVER "GET" ${at}..${at + length} ${about}\n${below.map((line) => `    ${line}\n`).join('')}`;

const answer = (at: number, about = http('/orders'), number = 50_000 + at): string =>
  drawChain(number, `orders SERVER "GET" ${at + 10}..${at + 70} ${about}`);

const judge = (drawEach: (at: number) => string, more = ''): readonly string[] =>
  judgeDrawing(times.map(drawEach).join('') + more);

const possible = ['warning missing-call gateway -> orders 6'];

suite('requests within requests of a service without known calls', () => {
  test('may be its calls if each of its requests contains one', () => {
    assert.deepEqual(
      judge((at) => ask({ at }) + answer(at)),
      possible,
    );
    assert.deepEqual(
      judge((at) => ask({ at }) + answer(at), answer(12, undefined, 99_999)),
      [],
    );
    assert.deepEqual(
      judge((at) => ask({ at }) + answer(at), ask({ at: 5 })),
      [],
    );
    assert.deepEqual(
      judge((at) => ask({ at }) + answer(at), ask({ at: 5 }) + answer(7)),
      [],
    );
    const ofBoth = ask({ at: 6400, about: http('/') }).replace('"GET"', '"GET /"') + answer(6400);
    assert.deepEqual(
      judge((at) => ask({ at }) + answer(at), ofBoth),
      [],
    );
  });

  test("are somebody else's if an expectation names the caller", () => {
    const drawing = times.map((at) => ask({ at }) + answer(at)).join('');
    for (const head of ['expect shop -> orders', 'may shop -> orders'])
      assert.ok(!judgeDrawing(`${head}\n${drawing}`).some((line) => line.includes('gateway')), head);
  });

  test('are not its calls if they come at any time', () => {
    const busy = Array.from({ length: 12 }, (_, index) => index * 100);
    const short = (at: number): string =>
      drawChain(50_000 + at, `orders SERVER "GET" ${at + 40}..${at + 42} ${http('/orders')}`);
    assert.deepEqual(judgeDrawing(busy.map((at) => ask({ at, length: 98 }) + short(at)).join('')), []);
  });

  test('may be its calls before and after other calls, but not while one is open', () => {
    const call = (from: number, to: number): string =>
      `gateway CLIENT "GET" ${from}..${to} http.request.method=GET url.full=http://partner/ http.response.status_code=200`;
    for (const [from, to] of [
      [2, 8],
      [75, 85],
    ] as const)
      assert.deepEqual(
        judge((at) => ask({ at }, call(at + from, at + to)) + answer(at)),
        possible,
      );
    assert.deepEqual(
      judge((at) => ask({ at }, call(at + 5, at + 80)) + answer(at)),
      [],
    );
  });

  test("are a program's from outside that sends both, unless the gateway forwards them", () => {
    const [rpc, other] = ['rpc.system=grpc rpc.method=Get user_agent.original=grpc', http('/orders', 'go')];
    assert.deepEqual(
      judge((at) => ask({ at }) + answer(at, other)),
      possible,
    );
    assert.deepEqual(
      judge((at) => ask({ at, about: http('/') }) + answer(at)),
      [],
    );
    assert.deepEqual(
      judge((at) => ask({ at, about: http('/orders', 'node', 'POST') }) + answer(at)),
      [],
    );
    assert.deepEqual(
      judge((at) => ask({ at, about: rpc }) + answer(at, rpc)),
      [],
    );
    const cut = (about: string, from = http('/api/orders')) =>
      judge((at) => ask({ at, about: from }) + answer(at, about));
    assert.deepEqual(cut(http('/orders')), possible);
    assert.deepEqual(cut(http('/items')), []);
    assert.deepEqual(cut(http('/'), http('/api/')), []);
  });
});

suite('a request that a proxy forwarded', () => {
  const head = (path: string, userAgent: string | null = 'node', method = 'GET'): RequestHead => ({
    method,
    path,
    userAgent,
  });

  test("has the method, path and user agent of the proxy's request", () => {
    assert.ok(isForwarded(head('/orders'), head('/orders')));
    assert.ok(isForwarded(head('/orders', null), head('/orders')));
    assert.ok(!isForwarded(head('/orders'), head('/orders', 'go')));
    assert.ok(!isForwarded(head('/orders'), head('/orders', 'node', 'POST')));
    assert.ok(!isForwarded(head('/orders'), { ...head('/orders'), path: null }));
  });

  test('has the rest of the path if both record the user agent', () => {
    assert.ok(isForwarded(head('/api/orders'), head('/orders')));
    assert.ok(!isForwarded(head('/orders'), head('/api/orders')));
    for (const [outer, inner] of [
      [null, 'node'],
      ['node', null],
      [null, null],
    ] as const)
      assert.ok(!isForwarded(head('/api/orders', outer), head('/orders', inner)));
    assert.ok(!isForwarded(head('/api/'), head('/')));
  });
});

suite('a span within a request that does not say what it calls', () => {
  const causes = (...below: readonly string[]): readonly string[] => {
    const lines = (at: number) =>
      below.map((line, depth) => `${'  '.repeat(depth)}gateway ${line} ${at + 5}..${at + 80}`);
    return listCauses(
      times
        .map((at) => ask({ at }, ...lines(at)) + answer(at).replace('"GET"', '"Recv.orders.Orders.Get"'))
        .join(''),
    );
  };
  const [sent, attempt] = ['CLIENT "Sent.orders.Orders.Get"', 'INTERNAL "Attempt.orders.Orders.Get"'];

  test('belongs to the call if gRPC names both sides by one method', () => {
    for (const below of [[sent], [sent, attempt], [sent.replace('Sent', 'Attempt')]])
      assert.equal(causes(...below)[0], 'header-stripped', below.join());
  });

  test('may belong to another call if the names do not match', () => {
    for (const name of ['charge card', 'Sent.', 'Sent.orders.Orders.Put', 'reSent.orders.Orders.Get'])
      assert.deepEqual(causes(`CLIENT "${name}"`).slice(0, 4), [
        'header-not-sent',
        'header-stripped',
        'header-ignored',
        'format-mismatch',
      ]);
  });

  test('is no call if it is named like an attempt and not below the call of its method', () => {
    const ofMissingCall = causes();
    assert.notDeepEqual(causes(sent), ofMissingCall);
    for (const below of [
      [attempt],
      ['INTERNAL "Sent.orders.Orders.Put"', attempt],
      [sent.replace('Sent', 'Attempt').replace('CLIENT', 'INTERNAL')],
      ['INTERNAL "Sent.orders.Orders.Get"', 'INTERNAL "Sent.orders.Orders.Get"'],
    ])
      assert.deepEqual(causes(...below), ofMissingCall);
  });
});
