import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { checkDrawing } from '../engine/read-fixture-drawing.ts';
import { drawChain, drawClient, drawServer, judgeDrawing } from './judge-drawing.ts';

type Chain = readonly string[];

const request = (from: number, to: number, path = '/call', kind = 'SERVER'): Chain => [
  `web ${kind} "GET ${path}" ${from}..${to} http.request.method=GET url.path=${path} http.response.status_code=200`,
];
const call = (from: number, to: number, path = '/work'): Chain => [
  drawClient({ from, to }, `orders:8082${path}`),
  drawServer({ from: from + 1, to: to - 1 }, path),
];
const whole = (from: number, to: number): Chain => [...request(from, to), ...call(from + 5, to - 5)];
const wrapped = (from: number, to: number): Chain => [
  `web INTERNAL "fetch" ${from}..${to}`,
  ...call(from + 1, to - 1),
];

/** Overlapping requests that wait for their calls. */
const requests = (count: number, from = 0): readonly Chain[] =>
  Array.from({ length: count }, (_, at) => request(from + at, from + 60 + 2 * at));
const calls = (count: number, from = 0, draw: typeof call = call): readonly Chain[] =>
  Array.from({ length: count }, (_, at) => draw(from + 5 + at, from + 55 + 2 * at));

const on = (host: string, chain: Chain): Chain =>
  chain.map((line) => (line.startsWith('web') ? `${line} resource:host.name=${host}` : line));
/** Two calls of another replica. */
const two = [call(5, 25), call(30, 55)].map((chain) => on('other', chain));

const draw = (...chains: readonly Chain[]): string =>
  chains.map((lines, at) => drawChain(at + 1, ...lines)).join('');
const expecting = (drawing: string): string => `expect web -> orders\n${drawing}`;

const warning = (count: number) => [`warning context-lost-in-process web -> orders ${count}`];
const error = (count: number) => [`error context-lost-in-process web -> orders ${count}`];

function judge(drawing: string) {
  const result = checkDrawing(drawing);
  return { verdict: result.verdict, finding: result.findings.find(({ severity }) => severity === 'warning') };
}

suite('calls that began traces, as many as the overlapping requests that lack them', () => {
  for (const [drawn, chains] of [
    ['two requests', [...requests(2), ...calls(2)]],
    ['three requests', [...requests(3), ...calls(3)]],
    ['four requests that begin at the same time', [0, 0, 0, 0].flatMap(() => [request(0, 60), call(5, 55)])],
    ['three requests with a span around each call', [...requests(3), ...calls(3, 0, wrapped)]],
    [
      'three requests, and whole calls of another route',
      [...requests(3), ...calls(3), [...request(200, 260, '/other'), ...call(205, 255, '/other-work')]],
    ],
    ['two requests, and a probe', [...requests(2), ...calls(2), request(20, 21, '/healthz')]],
  ] as const)
    test(`${drawn}: undecided, whether or not the edge is expected`, () => {
      const count = chains.filter(([line = '']) => /^web (?:CLIENT|INTERNAL)/.test(line)).length;
      for (const drawing of [draw(...chains), expecting(draw(...chains))]) {
        assert.deepEqual(judgeDrawing(drawing), warning(count));
        const { verdict, finding } = judge(drawing);
        assert.notEqual(verdict, 'broken');
        assert.match(finding?.doubt ?? '', /^Times do not show whether these requests made these calls/);
        assert.deepEqual(finding?.decide, [
          'Send such requests one after the other, and check again',
          'Check in the code of web whether "GET /call" makes this call',
        ]);
      }
    });

  test('also beside a request of another route that is open for long', () => {
    assert.deepEqual(
      judgeDrawing(draw(request(0, 200, '/long'), ...requests(2, 10), ...calls(2, 10))),
      warning(2),
    );
    assert.deepEqual(
      judgeDrawing(expecting(draw(request(0, 2_000, '/long'), ...requests(2, 10), ...calls(2, 10)))),
      warning(2),
    );
  });

  test('leave no verdict', () => {
    const drawing = draw(...requests(3), ...calls(3));
    assert.deepEqual(
      [drawing, expecting(drawing)].map((each) => judge(each).verdict),
      ['unknown', 'unknown'],
    );
  });

  test('are an error if the edge is expected and one request overlaps no other', () => {
    const drawing = draw(request(0, 60), call(5, 55), ...requests(2, 100), ...calls(2, 100));
    assert.deepEqual(judgeDrawing(drawing), warning(3));
    assert.deepEqual(judgeDrawing(expecting(drawing)), error(3));
    const other = drawChain(90, ...request(700, 760, '/other'));
    assert.deepEqual(judgeDrawing(expecting(drawing + other)), error(3));
  });

  test('are undecided if one request overlaps no other and requests of another route make the call', () => {
    const other = [...request(300, 360, '/other'), ...call(305, 355)];
    const drawing = draw(request(0, 60), call(5, 55), ...requests(2, 100), ...calls(2, 100), other);
    assert.deepEqual(judgeDrawing(expecting(drawing)), warning(3));
    assert.match(judge(expecting(drawing)).finding?.doubt ?? '', /^Times do not show/);
  });

  test('are undecided if one request overlaps no other and a cache may have answered others', () => {
    const cached = Array.from({ length: 3 }, (_, at) => request(300 + 20 * at, 303 + 20 * at));
    const drawing = draw(request(0, 60), call(5, 55), ...requests(2, 100), ...calls(2, 100), ...cached);
    assert.deepEqual(judgeDrawing(expecting(drawing)), warning(3));
  });

  test('are undecided if the request alone did not wait for its call', () => {
    const drawing = draw(request(0, 300), call(100, 120), ...requests(2, 400), ...calls(2, 400));
    assert.deepEqual(judgeDrawing(expecting(drawing)), warning(3));
  });
});

suite('for an expected edge, also', () => {
  const decidesCode = ['Check in the code of web whether "GET /call" makes this call'];
  for (const [drawn, chains, count, decide] of [
    [
      'two calls for each of three requests',
      [...requests(3), ...[0, 1, 2].flatMap((at) => [call(5 + at, 25 + at), call(30 + at, 55 + 2 * at)])],
      6,
      decidesCode,
    ],
    [
      'two calls for each of two requests, one of which lasts longer',
      [request(0, 60), request(1, 120), call(5, 25), call(6, 28), call(30, 55), call(70, 115)],
      4,
      decidesCode,
    ],
    ['two calls for one request', [request(0, 60), call(5, 25), call(30, 55)], 2, decidesCode],
    [
      'calls to endpoints with ids in their names',
      [...requests(3), ...[0, 1, 2].map((at) => call(5 + at, 55 + 2 * at, `/work/a${at}x`))],
      3,
      null,
    ],
    [
      'requests of two routes at the same time',
      [...requests(2), request(1, 61, '/cart'), request(2, 63, '/cart'), ...calls(4)],
      4,
      null,
    ],
    ['requests that a cache answered at once', [...requests(2), request(2, 5), ...calls(2)], 2, null],
    [
      'a request that failed before its call',
      [...requests(2), request(2, 50).map((line) => line.replace('=200', '=503')), ...calls(2)],
      2,
      null,
    ],
  ] as const)
    test(drawn, () => {
      const drawing = draw(...chains);
      assert.deepEqual(judgeDrawing(drawing), []);
      assert.deepEqual(judgeDrawing(expecting(drawing)), warning(count));
      const { verdict, finding } = judge(expecting(drawing));
      assert.equal(verdict, 'unknown');
      if (decide !== null) assert.deepEqual(finding?.decide, decide);
    });

  test('requests of two routes, none of which alone accounts for the calls', () => {
    const drawing = draw(
      request(0, 60),
      request(10, 70),
      request(40, 100, '/cart'),
      ...[call(5, 55), call(15, 65), call(45, 95)],
    );
    assert.deepEqual(judgeDrawing(drawing), []);
    assert.deepEqual(judgeDrawing(expecting(drawing)), warning(3));
  });

  test('calls to one endpoint beside a poller of another', () => {
    const polls = [80, 300].map((at) => call(at, at + 10, '/poll'));
    const drawing = draw(...requests(2), ...calls(2), ...polls);
    assert.deepEqual(judgeDrawing(expecting(drawing)), warning(2));
  });

  test('several calls, each told with the request that it may belong to', () => {
    const drawing = expecting(
      draw(request(0, 60), request(50, 120), call(5, 25), call(30, 45), call(51, 59), call(70, 90)),
    );
    const [finding] = checkDrawing(drawing).findings;
    assert.deepEqual(
      finding?.evidence.map(({ says }) => says.replace(/ of trace \w+/, '')),
      [
        'root of its own trace, made during "GET /call"',
        'root of its own trace, made during "GET /call"',
        'root of its own trace, made while requests "GET /call" were open that lack the call',
        'root of its own trace, made during "GET /call"',
      ],
    );
  });

  test('a call of the one request that no cache answered', () => {
    const drawing = expecting(draw(request(0, 60), call(5, 55), request(200, 203)));
    assert.deepEqual(judgeDrawing(drawing), warning(1));
    assert.match(judge(drawing).finding?.doubt ?? '', /^Seen 1 time, which may be a coincidence/);
  });

  test('calls that requests one after the other did not wait for', () => {
    const drawing = expecting(
      draw(...[0, 300, 750].flatMap((at) => [request(at, at + 200), call(at + 60, at + 80)])),
    );
    assert.deepEqual(judgeDrawing(drawing), warning(3));
    assert.match(judge(drawing).finding?.doubt ?? '', /^The requests did not wait for these spans/);
  });
});

suite('no finding, whether or not the edge is expected', () => {
  for (const [drawn, chains] of [
    ['a poller that calls less often than there are requests', [...requests(3), call(10, 20), call(30, 40)]],
    ['a poller that calls more often', [...requests(3), ...[5, 20, 35, 50].map((at) => call(at, at + 5))]],
    [
      'a poller that also calls while no request is open',
      [...requests(3), ...[5, 25, 45, 85].map((at) => call(at, at + 8))],
    ],
    ['calls that outlast the requests', [...requests(3), ...[5, 25, 45].map((at) => call(at, at + 100))]],
    ['a request with the call in its own trace', [...requests(2), ...calls(2), whole(100, 160)]],
    ['a call that outlasts the requests', [...requests(3), ...calls(2), call(30, 90)]],
    ['two calls for each request, one of which outlasts it', [request(0, 60), call(5, 25), call(30, 90)]],
    [
      'two requests, beside one that a cache answered with the call in its own trace',
      [...requests(2), ...calls(2), [...request(100, 120), ...call(105, 115)]],
    ],
    [
      'four calls for two requests, three of which fit only one of them',
      [request(0, 60), request(0, 200), call(5, 25), ...[90, 100, 110].map((to) => call(30, to))],
    ],
    ['two calls of another replica for one request', [on('one', request(0, 60)), ...two]],
    ['a call between the requests', [...requests(2), ...calls(2), call(100, 150), request(300, 360)]],
    [
      'a call of a job for each request, one of which has the call in its own trace',
      [...requests(2), ...calls(2), whole(100, 160), call(105, 155)],
    ],
    ['calls of uneven number', [...requests(2), ...[5, 20, 35].map((at) => call(at, at + 20))]],
    [
      'twice as many calls, which do not fit the requests evenly',
      [request(0, 60), request(50, 200), ...[5, 10, 15].map((at) => call(at, at + 30)), call(100, 190)],
    ],
    [
      'messages of a batch',
      [...[0, 1, 2].map((at) => request(at, 60 + 2 * at, '/call', 'CONSUMER')), ...calls(3)],
    ],
    [
      'requests of a service without the calls',
      [...requests(3).map(([line = '']) => [line.replace('web', 'shop')]), ...calls(3)],
    ],
  ] as const)
    test(drawn, () => {
      for (const drawing of [draw(...chains), expecting(draw(...chains))])
        assert.deepEqual(judgeDrawing(drawing), []);
    });

  suite('beside requests of another route that make the call', () => {
    for (const [drawn, chains] of [
      ['one call of a job in a long request', [request(0, 3_000), call(2_000, 2_050)]],
      ['several calls of a job in one request', [request(0, 60), call(5, 25), call(30, 55)]],
      ['two calls of a job in slow requests', [...requests(2), request(2, 5), ...calls(2)]],
    ] as const)
      test(drawn, () => {
        const other = [...request(5_000, 5_060, '/other'), ...call(5_005, 5_055)];
        for (const drawing of [draw(...chains, other), expecting(draw(...chains, other))])
          assert.deepEqual(judgeDrawing(drawing), []);
      });
  });

  test('a poller during a stream that is open for long', () => {
    const beats = Array.from({ length: 4 }, (_, at) => call(100 + at * 250, 120 + at * 250));
    assert.deepEqual(judgeDrawing(expecting(draw(request(0, 1_000), ...beats))), []);
  });

  test('a request that makes the call only sometimes, beside a job', () => {
    assert.deepEqual(judgeDrawing(expecting(draw(...requests(3), ...calls(2)))), []);
  });
});
