import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { explainDrawing, judgeDrawing } from './judge-drawing.ts';

interface Request {
  /** When it begins; it takes 100 ms. */
  readonly at: number;
  /** The service between `web` and `stock`. */
  readonly service?: string;
  /** The path that `web` calls. */
  readonly path?: string;
  /** When the request of `stock` begins after the request of `web`. */
  readonly later?: number;
}

const web = ({ at, service = 'orders', path = `/${service}` }: Request): string => `trace ${at}
  web SERVER "GET /buy" ${at}..${at + 100} http.request.method=GET url.path=/buy
    web CLIENT "POST" ${at + 10}..${at + 90} http.request.method=POST url.full=http://${service}:8081${path} http.response.status_code=200
`;
const stock = ({ at, later = 20 }: Request): string =>
  `stock SERVER "GET /items" ${at + later}..${at + later + 60} http.request.method=GET url.path=/items\n`;

/** A request of `web` that reaches `stock` through a service. */
function drawWhole(request: Request): string {
  const { at, service = 'orders' } = request;
  return `${web(request)}      ${service} SERVER "POST /${service}" ${at + 12}..${at + 88} http.request.method=POST url.path=/${service}
        ${service} CLIENT "GET" ${at + 15}..${at + 85} http.request.method=GET url.full=http://stock:8082/items http.response.status_code=200
          ${stock(request)}`;
}

/** The same without the spans of the service. */
function drawLost(request: Request): string {
  return `${web(request)}      lost\n        lost\n          ${stock(request)}`;
}

const first = drawWhole({ at: 1_000 });
const last = drawWhole({ at: 9_000 });
const lost = drawLost({ at: 2_000 });
const reported = 'warning server-span-lost web -> orders 1';

suite('a trace without the spans of a service that other traces show between two others', () => {
  test('lacks these spans, once for each call', () => {
    assert.deepEqual(judgeDrawing(first + lost + last), [reported]);
    assert.deepEqual(judgeDrawing(first + lost + drawLost({ at: 3_000 }) + last), [
      'warning server-span-lost web -> orders 2',
    ]);
  });

  test('is told apart from one without the spans of another service', () => {
    const carts = [1_500, 9_500].map((at) => drawWhole({ at, service: 'carts' })).join('');
    assert.deepEqual(judgeDrawing(first + lost + carts + drawLost({ at: 3_000, service: 'carts' }) + last), [
      reported,
      'warning server-span-lost web -> carts 1',
    ]);
  });

  test('is told apart from one in which a call to another service was open too', () => {
    const other = (at: number): string =>
      `    web CLIENT "GET" ${at + 5}..${at + 95} http.request.method=GET url.full=http://ads:8085/ad http.response.status_code=200\n`;
    const wholeCarts = (at: number): string =>
      `    web CLIENT "POST" ${at + 15}..${at + 95} http.request.method=POST url.full=http://carts:8081/carts http.response.status_code=200
      carts SERVER "POST /carts" ${at + 16}..${at + 94} http.request.method=POST url.path=/carts\n`;
    const carts = [1_500, 9_500].map((at) => drawWhole({ at, service: 'carts' })).join('');
    assert.deepEqual(judgeDrawing(first + lost + other(2_000) + last), [reported]);
    assert.deepEqual(judgeDrawing(first + carts + lost + wholeCarts(2_000) + last), [reported]);
  });

  test('is reported also if an expectation names other edges', () => {
    assert.deepEqual(judgeDrawing(`expect web -> orders\n${first}${lost}${last}`), [reported]);
  });

  test('proves nothing if the service may have ended its span after its last one', () => {
    const ending = (drawing: string, end: number): string =>
      drawing.replace(/(orders SERVER \S+ \S+ \d+\.\.)\d+/, `$1${end}`);
    const later = ending(drawWhole({ at: 2_100 }), 2_300);
    assert.ok(judgeDrawing(first + lost + later).includes(reported));
    assert.ok(!judgeDrawing(ending(first, 1_500) + lost + later).includes(reported));
  });

  test('is reported also if the capture ends before the spans of another such trace', () => {
    assert.deepEqual(judgeDrawing(first + lost + last + drawLost({ at: 9_900 })), [
      'warning server-span-lost web -> orders 2',
    ]);
  });

  test('proves nothing before and after the spans that the service delivered', () => {
    for (const drawing of [first + lost, lost + last]) {
      assert.ok(!judgeDrawing(drawing).includes(reported));
      assert.ok(
        explainDrawing(drawing).some((line) =>
          /^SERVER of stock: server-span-lost: .*: orders delivered none that late, or none that early$/.test(
            line,
          ),
        ),
      );
    }
  });

  for (const [what, drawing, expected] of [
    [
      'the caller calls the callee itself',
      `${first}${lost}${last}trace 5000
  web SERVER "GET /direct" 5000..5100 http.request.method=GET url.path=/direct
    web CLIENT "GET" 5010..5090 http.request.method=GET url.full=http://stock:8082/items http.response.status_code=200
      ${stock({ at: 5_000 })}`,
      ['error missing-client web -> stock 1', 'warning missing-server web -> orders 1'],
    ],
    [
      'the service never answered such a call',
      first + drawLost({ at: 2_000, path: '/other' }) + last,
      ['warning missing-client web -> stock 1'],
    ],
    [
      'the request began after the call',
      first + drawLost({ at: 2_000, later: 3_000 }) + last,
      ['warning missing-server web -> orders 1'],
    ],
    [
      'the service calls another',
      [first, last].join('').replaceAll('stock SERVER', 'shelf SERVER') + lost,
      ['warning missing-client web -> stock 1', 'warning missing-server web -> orders 1'],
    ],
    [
      'the open call is of the callee itself',
      `${first}${last}trace 4000
  stock SERVER "GET /refill" 4000..4100 http.request.method=GET url.path=/refill
    stock CLIENT "POST" 4010..4090 http.request.method=POST url.full=http://orders:8081/orders http.response.status_code=200
      orders SERVER "POST /orders" 4012..4088 http.request.method=POST url.path=/orders
trace 5000
  lost
    lost
      stock SERVER "GET /items" 5000..5100 http.request.method=GET url.path=/items
        stock CLIENT "POST" 5001..5090 http.request.method=POST url.full=http://orders:8081/orders http.response.status_code=200
`,
      ['warning missing-server stock -> orders 1'],
    ],
    [
      'an expectation names a caller',
      `expect orders -> stock\n${first}${lost}${last}`,
      ['error missing-client orders -> stock 1', 'warning missing-server web -> orders 1'],
    ],
  ] as const)
    test(`is not this case if ${what}`, () => assert.deepEqual(judgeDrawing(drawing), expected));
});
