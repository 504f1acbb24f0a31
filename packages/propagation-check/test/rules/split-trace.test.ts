import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { storeOf } from '../../src/span/span-writer.ts';
import { checkStore, checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { checkDrawing } from '../engine/read-fixture-drawing.ts';
import { drawChain, drawClient, drawServer, guessCause, judgeDrawing } from './judge-drawing.ts';

/** Irregular times, so that rotated spans do not pair up. */
const starts = [0, 1000, 2300, 3100, 4700, 5200, 6600, 7900, 8500, 9700];

/** A call at the n-th time and, in a trace of its own, the request of it. */
function drawSplit(at: number, target?: string, server = '', client = ''): string {
  const from = starts[at] ?? 0;
  return (
    drawChain(100 + at, drawClient({ from: from + 10, to: from + 90, extra: client }, target)) +
    drawChain(200 + at, drawServer({ from: from + 20, to: from + 80, extra: server }))
  );
}

function drawLonely(at: number, target?: string, service?: string): string {
  const from = (starts[at] ?? 0) + 10;
  return drawChain(
    300 + at,
    drawClient({ from, to: from + 80, ...(service === undefined ? {} : { service }) }, target),
  );
}

function drawRoot(at: number): string {
  const from = (starts[at] ?? 0) + 20;
  return drawChain(400 + at, drawServer({ from, to: from + 60 }));
}

function drawWhole(at: number, target?: string, extra = '', service = 'web'): string {
  const from = -2000 - at * 1000;
  return drawChain(
    500 + at,
    drawClient({ from: from + 10, to: from + 90, service }, target),
    drawServer({ from: from + 20, to: from + 80, extra }),
  );
}

suite('which calls pair up', () => {
  /** A failed call without an answer, and a root that began meanwhile. */
  const drawFailed = (
    said: string,
    call = 'http.request.method=GET url.full=http://orders:8082/work',
  ): string =>
    drawChain(1, `web CLIENT "GET" 10..90 ${call} status:ERROR ${said}`) +
    drawChain(2, drawServer({ from: 20, to: 80 }));

  for (const said of [
    'error.type=ECONNREFUSED',
    'error.type=ENOTFOUND',
    'error.type=EAI_AGAIN',
    'error.type=EHOSTUNREACH',
    'error.type=ENETUNREACH',
    'error.type=java.net.ConnectException',
    'error.type=java.net.UnknownHostException',
    'error.type=ConnectError',
    'error.type=name_resolution_error',
    'http.error_message="connect ECONNREFUSED 10.0.0.1:8080"',
    'http.error_message="dial tcp 10.0.0.1:8080: connect: connection refused"',
    'http.error_message="dial tcp: lookup orders: no such host"',
  ]) {
    test(`a call that found no peer was answered by nobody: ${said}`, () => {
      assert.deepEqual(judgeDrawing(drawFailed(said)), []);
      assert.deepEqual(
        judgeDrawing(`expect web -> orders\n${drawFailed(said)}`).filter((one) => one.includes('split')),
        [],
      );
    });
  }

  test('a call that failed later may have reached its peer', () => {
    for (const said of [
      'error.type=ECONNRESET',
      'error.type=ETIMEDOUT',
      'error.type=java.net.SocketTimeoutException',
      '',
    ])
      assert.deepEqual(judgeDrawing(drawFailed(said)), ['error split-trace web -> orders 1']);
    const answered = drawFailed('error.type=ECONNREFUSED http.response.status_code=200');
    assert.deepEqual(judgeDrawing(answered), ['error split-trace web -> orders 1']);
  });

  test('in gRPC, UNAVAILABLE alone does not prove that no peer was reached', () => {
    const rpc = 'rpc.system=grpc rpc.service=shop.Orders rpc.method=Get';
    const drawRpc = (said: string): string =>
      drawChain(1, `web CLIENT "Get" 10..90 ${rpc} server.address=orders status:ERROR ${said}`) +
      drawChain(2, `orders SERVER "Get" 20..80 ${rpc}`);
    const lost = ['error split-trace web -> orders 1'];
    assert.deepEqual(judgeDrawing(drawRpc('rpc.grpc.status_code=14')), lost);
    assert.deepEqual(judgeDrawing(drawRpc('rpc.grpc.status_code=13 error.type=ECONNREFUSED')), lost);
    assert.deepEqual(judgeDrawing(drawRpc('rpc.grpc.status_code=14 error.type=ECONNREFUSED')), []);
    assert.deepEqual(judgeDrawing(drawRpc('error.type=ECONNREFUSED')), []);
  });

  for (const agent of ['kube-probe/1.30', 'GoogleHC/1.0', 'ELB-HealthChecker/2.0']) {
    test(`a probe is nobody's call: ${agent}`, () => {
      const probes = [0, 1, 2, 3].map((at) => drawSplit(at, 'cms:8082/work', `user_agent.original=${agent}`));
      assert.deepEqual(judgeDrawing(probes.join('')), []);
      assert.deepEqual(judgeDrawing(probes[0] ?? ''), []);
    });
  }

  test("a request with another user agent than the whole calls is somebody else's", () => {
    const whole = drawWhole(0, undefined, 'user_agent.original=node');
    const agent = (name: string) => `user_agent.original=${name}`;
    const lost = (name: string) =>
      [0, 1].map((at) => drawSplit(at, 'legacy:9000/work', agent(name))).join('');
    assert.deepEqual(judgeDrawing(whole + lost('curl')), []);
    assert.deepEqual(judgeDrawing(whole + lost('node')), ['error split-trace web -> orders 2']);
    assert.deepEqual(judgeDrawing(drawWhole(0) + lost('curl')), ['error split-trace web -> orders 2']);
    const untold = [0, 1].map((at) => drawSplit(at, 'legacy:9000/work')).join('');
    assert.deepEqual(judgeDrawing(whole + untold), ['error split-trace web -> orders 2']);
  });

  test('if other callers are expected and have calls of their own, the pair is a coincidence', () => {
    const drawing = drawWhole(0, undefined, '', 'gateway') + drawSplit(0, 'legacy:9000/work');
    assert.deepEqual(judgeDrawing(`expect gateway -> orders\n${drawing}`), []);
    assert.deepEqual(judgeDrawing(drawing), ['error split-trace web -> orders 1']);
  });

  test('each edge is judged separately', () => {
    const other =
      drawChain(1, drawClient({ from: 9010, to: 9090, service: 'shop' }, 'stock:8082/work')) +
      drawChain(2, drawServer({ from: 9020, to: 9080, service: 'stock' }));
    assert.deepEqual(judgeDrawing(drawSplit(0) + drawSplit(1) + other), [
      'error split-trace web -> orders 2',
      'error split-trace shop -> stock 1',
    ]);
  });
});

suite('how many pair up', () => {
  test('half of the calls and half of the requests are enough', () => {
    const pairs = drawSplit(0) + drawSplit(3);
    assert.deepEqual(judgeDrawing(pairs + drawLonely(5) + drawLonely(7)), [
      'error split-trace web -> orders 2',
    ]);
    assert.deepEqual(judgeDrawing(pairs + drawRoot(5) + drawRoot(7)), ['error split-trace web -> orders 2']);
  });

  test('calls of other services, and calls to other services, are not counted', () => {
    const pairs = drawSplit(0) + drawSplit(3);
    const ofOthers = [5, 6, 7, 8].map((at) => drawLonely(at, undefined, 'shop')).join('');
    const toOthers = [5, 6, 7, 8].map((at) => drawLonely(at, 'legacy:9000/play')).join('');
    assert.deepEqual(judgeDrawing(pairs + ofOthers), ['error split-trace web -> orders 2']);
    assert.deepEqual(judgeDrawing(pairs + toOthers), ['error split-trace web -> orders 2']);
  });

  test('if the edge is whole through another path, one request too many shows that others call', () => {
    const pairs = [0, 3, 5].map((at) => drawSplit(at, 'legacy:9000/work')).join('');
    assert.deepEqual(judgeDrawing(drawWhole(0) + pairs), ['error split-trace web -> orders 3']);
    assert.deepEqual(judgeDrawing(drawWhole(0) + pairs + drawRoot(7)), []);
    // One of the two paths is enough.
    assert.deepEqual(judgeDrawing(drawWhole(0) + drawWhole(1, 'legacy:9000/work') + pairs + drawRoot(7)), [
      'error split-trace web -> orders 3',
    ]);
  });

  test('if others call the service at another address, one request too many is theirs', () => {
    const pairs = [0, 3, 5].map((at) => drawSplit(at)).join('');
    const others = drawWhole(0, 'legacy:9000/work', '', 'shop');
    assert.deepEqual(judgeDrawing(others + pairs), ['error split-trace web -> orders 3']);
    assert.deepEqual(judgeDrawing(others + pairs + drawRoot(7)), []);
    assert.deepEqual(judgeDrawing(drawWhole(0, undefined, '', 'shop') + pairs + drawRoot(7)), [
      'error split-trace web -> orders 3',
    ]);
    assert.deepEqual(judgeDrawing(`may web -> orders\n${pairs}${drawRoot(7)}`), [
      'error split-trace web -> orders 3',
    ]);
  });

  test('half of the calls are enough for pairs that share only their time', () => {
    const untold = (at: number) => {
      const from = starts[at] ?? 0;
      return (
        drawChain(100 + at, drawClient({ from: from + 10, to: from + 90 })) +
        drawChain(200 + at, `orders SERVER "GET" ${from + 20}..${from + 80} http.request.method=GET`)
      );
    };
    const drawing = `expect web -> orders\n${untold(0)}${untold(3)}${drawLonely(5)}${drawLonely(7)}`;
    assert.deepEqual(judgeDrawing(drawing), ['error split-trace web -> orders 2']);
  });

  test('an expectation supports pairs that chance would explain', () => {
    const calls = [0, 1, 2, 3, 4]
      .map((at) => drawChain(1 + at, drawClient({ from: at * 1000 + 1, to: at * 1000 + 998 })))
      .join('');
    const roots = [0, 1, 2, 3]
      .map((at) => drawChain(11 + at, drawServer({ from: at * 1000 + 300, to: at * 1000 + 400 })))
      .join('');
    assert.deepEqual(judgeDrawing(calls + roots), []);
    assert.deepEqual(judgeDrawing(`expect web -> orders\n${calls}${roots}`), [
      'error split-trace web -> orders 4',
    ]);
    assert.deepEqual(judgeDrawing(`expect web -> orders\n${drawWhole(0)}${calls}${roots}`), [
      'error split-trace web -> orders 4',
    ]);
  });
});

suite('requests that are forwarded', () => {
  const passed = (at: number, path = '/work') => {
    const from = starts[at] ?? 0;
    return drawChain(600 + at, drawServer({ from, to: from + 100, service: 'gateway' }, path));
  };
  const pair = (at: number) => passed(at) + drawRoot(at);
  const whole = drawChain(
    1,
    drawServer({ from: -2000, to: -1900, service: 'gateway' }),
    drawServer({ from: -1980, to: -1920 }),
  );

  test('few are enough if other requests of the gateway are whole', () => {
    assert.deepEqual(judgeDrawing(whole + pair(0) + pair(3)), ['error split-trace gateway -> orders 2']);
  });

  test('half of the requests at the server are enough if only an expectation names the edge', () => {
    const half = pair(0) + pair(3) + drawRoot(5) + drawRoot(7);
    assert.deepEqual(judgeDrawing(`expect gateway -> orders\n${half}`), [
      'error split-trace gateway -> orders 2',
    ]);
    assert.deepEqual(judgeDrawing(half), []);
    assert.deepEqual(judgeDrawing(`may gateway -> orders\n${half}`), []);
  });

  test('a port on both sides is no evidence without a path', () => {
    const withoutPath = (drawing: string) => drawing.replaceAll('url.path=/work', '');
    assert.deepEqual(judgeDrawing(whole + withoutPath(pair(0) + pair(3))), []);
  });

  test('another status is not the answer that was forwarded', () => {
    const withStatus = (drawing: string, status: number) =>
      drawing.replace('server.port=8082', `server.port=8082 http.response.status_code=${status}`);
    const answered = (status: number) =>
      whole + [0, 3].map((at) => withStatus(passed(at), 200) + withStatus(drawRoot(at), status)).join('');
    assert.deepEqual(judgeDrawing(answered(200)), ['error split-trace gateway -> orders 2']);
    assert.deepEqual(judgeDrawing(answered(202)), []);
  });

  test('a service with calls of its own does not forward', () => {
    const calling = drawChain(
      1,
      drawServer({ from: -2000, to: -1900, service: 'gateway' }, '/other'),
      drawClient({ from: -1990, to: -1910, service: 'gateway' }),
      drawServer({ from: -1980, to: -1920 }),
    );
    assert.deepEqual(judgeDrawing(`expect gateway -> orders\n${calling}${passed(0)}${drawRoot(0)}`), []);
  });
});

suite('missing parents', () => {
  /** A request in another trace than the call, whose parent is missing. */
  const continued = (number: number, from: number, to: number) =>
    `trace ${number}\n  lost\n    ${drawServer({ from, to })}\n`;

  test('a capture that ends before the parent of the only pair proves nothing', () => {
    const cut = drawWhole(0) + drawChain(1, drawClient({ from: 10, to: 50 }));
    assert.deepEqual(judgeDrawing(cut + continued(2, 20, 95)), []);
    assert.deepEqual(judgeDrawing(cut + drawChain(2, drawServer({ from: 20, to: 95 }))), [
      'error split-trace web -> orders 1',
    ]);
    const beside =
      drawChain(3, drawClient({ from: -500, to: -400 })) + drawChain(4, drawServer({ from: -490, to: -410 }));
    assert.deepEqual(judgeDrawing(cut + continued(2, 20, 95) + beside), [
      'error split-trace web -> orders 2',
    ]);
  });

  test('a single received parent proves that a header arrived', () => {
    const drawing =
      drawSplit(0) + drawChain(1, drawClient({ from: 1010, to: 1090 })) + continued(2, 1020, 1080);
    assert.equal(guessCause(drawing), 'header-rewritten');
  });
});

suite('the likeliest cause', () => {
  const instance = (name: string) => `resource:service.instance.id=${name}`;

  test('if only some replicas begin traces, they ignore the header', () => {
    assert.equal(
      guessCause(drawWhole(0, undefined, instance('a')) + drawSplit(0, undefined, instance('b'))),
      'header-ignored',
    );
    assert.equal(
      guessCause(drawWhole(0, undefined, instance('a')) + drawSplit(0, undefined, instance('a'))),
      'header-stripped',
    );
    assert.equal(guessCause(drawWhole(0, undefined, instance('a')) + drawSplit(0)), 'header-stripped');
    assert.equal(guessCause(drawWhole(0) + drawSplit(0, undefined, instance('b'))), 'header-stripped');
  });

  test("a port other than the server's is a hop's, which may strip the header", () => {
    assert.equal(guessCause(drawSplit(0) + drawSplit(1)), 'header-not-sent');
    assert.equal(guessCause(drawSplit(0) + drawSplit(1, 'orders:9999/work')), 'header-stripped');
  });
});

suite('pairs that ids prove', () => {
  /** A call and, in a trace of its own, the request of it: the answer names the SERVER span. */
  const drawNamed = (at: number, answered = at): string =>
    drawSplit(
      at,
      undefined,
      `id:served${at}`,
      `http.response.header.traceresponse=00-<${200 + answered}>-<served${answered}>-01`,
    );
  const drawIgnored = (at: number): string =>
    drawSplit(
      at,
      undefined,
      `http.request.header.traceparent=00-<${100 + at}>-<called${at}>-01`,
      `id:called${at}`,
    );
  const whole = Array.from({ length: 200 }, (_, at) => drawWhole(at)).join('');
  const halves = [4, 5, 6, 7].map((at) => drawLonely(at)).join('');

  const listErrors = (drawing: string) => judgeDrawing(drawing).filter((one) => one.startsWith('error'));

  for (const [name, others] of [
    ['with whole calls', halves + whole],
    ['without', halves],
  ] as const) {
    test(`are judged one by one if most calls have no request in the capture, ${name}`, () => {
      assert.deepEqual(listErrors(drawSplit(0) + others), []);
      assert.deepEqual(listErrors(drawNamed(0) + others), ['error split-trace web -> orders 1']);
      assert.deepEqual(listErrors(drawIgnored(0) + others), ['error header-ignored web -> orders 1']);
      assert.deepEqual(listErrors(drawNamed(0) + drawNamed(1) + drawSplit(2) + others), [
        'error split-trace web -> orders 2',
      ]);
    });
  }

  test('are not proven by a cached answer', () => {
    assert.deepEqual(listErrors(drawNamed(0) + drawNamed(1, 0) + halves + whole), []);
    const older = drawChain(
      800,
      drawClient({ from: -90, to: -10 }),
      drawServer({ from: -80, to: -20, extra: 'id:older' }),
    );
    const cached = drawChain(
      801,
      drawClient({
        from: 3110,
        to: 3190,
        extra: 'http.response.header.traceresponse=00-<800>-<older>-01',
      }),
    );
    assert.deepEqual(listErrors(older + cached + drawNamed(0) + halves + whole), []);
  });

  test('are evidence for the other pairs of their edge if nothing is left over', () => {
    assert.deepEqual(listErrors([0, 1, 2, 3].map((at) => drawNamed(at)).join('') + drawSplit(4) + whole), [
      'error split-trace web -> orders 5',
    ]);
  });

  test('are none if a retry makes two requests name one call, or two calls have one answer', () => {
    const received = 'http.request.header.traceparent=00-<100>-<called0>-01';
    const again = drawChain(900, drawServer({ from: 50, to: 85, extra: received }));
    assert.deepEqual(listErrors(drawIgnored(0) + again + halves + whole), []);
    const answer = 'http.response.header.traceresponse=00-<200>-<served0>-01';
    const other = drawChain(901, drawClient({ from: 12, to: 95, extra: answer }));
    assert.deepEqual(listErrors(drawNamed(0) + other + halves + whole), []);
  });

  test('are found behind a gateway whose own answer names its only span', () => {
    const enter = (from: number, extra = '') =>
      drawServer({ from, to: from + 90, service: 'gateway', extra });
    const passedOn = drawChain(1, enter(-1000), drawServer({ from: -990, to: -920 }));
    const lost = [4, 5, 6, 7].map((at) => drawChain(300 + at, enter(starts[at] ?? 0))).join('');
    const drawReceived = (answer: string): string =>
      drawChain(100, enter(0, `id:entered ${answer}`)) +
      drawChain(
        200,
        drawServer({ from: 20, to: 80, extra: 'http.request.header.traceparent=00-<100>-<entered>-01' }),
      );
    for (const answer of ['', 'http.response.header.traceresponse=00-<100>-<entered>-01'])
      assert.deepEqual(
        listErrors(passedOn + lost + drawReceived(answer)),
        ['error header-ignored gateway -> orders 1'],
        answer,
      );
  });

  test('list the calls and requests that fit none, without those of other callers', () => {
    const listSaid = (others: string) => {
      const split = [0, 1, 2, 3, 4, 5].map((at) => drawSplit(at)).join('');
      const { spans } = readDrawing(split + drawLonely(9) + others);
      return checkTraces(spans)
        .findings.filter(({ id, client }) => id === 'split-trace' && client === 'web')
        .flatMap(({ evidence }) => evidence.map(({ says }) => says.replace(/^.* trace \w+/, '')));
    };
    const ofApp = [3, 4, 5]
      .map((at) => {
        const from = (starts[at] ?? 0) + 400;
        return (
          drawChain(600 + at, drawClient({ from: from + 10, to: from + 90, service: 'app' })) +
          drawChain(700 + at, drawServer({ from: from + 20, to: from + 80 }))
        );
      })
      .join('');
    const counted = ', if the clocks agree: 1 call and 1 request fit none';
    assert.deepEqual(new Set(listSaid(ofApp)), new Set(['']));
    assert.deepEqual(new Set(listSaid(drawRoot(7))), new Set([counted]));
    assert.deepEqual(new Set(listSaid(drawRoot(7) + ofApp)), new Set([counted]));
  });

  test('take precedence over pairs by time', () => {
    const pairs = [0, 1].map(
      (at) =>
        drawChain(
          100 + at,
          drawClient({
            from: 10,
            to: 90,
            extra: `id:call${at} http.response.header.traceresponse=00-<${200 + at}>-<served${at}>-01`,
          }),
        ) + drawChain(200 + at, drawServer({ from: 20 + 10 * at, to: 85 - at, extra: `id:served${at}` })),
    );
    const { spans } = readDrawing(pairs.toReversed().join(''));
    const says = checkTraces(spans).findings.flatMap(({ evidence }) => evidence.map((one) => one.says));
    assert.equal(says.length, 2);
    assert.ok(
      says.every((one) => one.includes('was answered by')),
      says.join('\n'),
    );
  });
});

test('two pairs under different public names are a warning, unless one has the called name', () => {
  const draw = (at: number, number: number, host: string) =>
    drawChain(
      number,
      `web SERVER "GET /buy" ${at}..${at + 90} http.request.method=GET url.path=/buy`,
      drawClient({ from: at + 5, to: at + 80 }, 'api.partner.com/v1/orders'),
    ) +
    drawChain(
      number + 1,
      drawServer({ from: at + 20, to: at + 60, extra: `server.address=${host}` }, '/v1/orders').replace(
        'server.port=8082 ',
        '',
      ),
    );
  const listBoth = (second: string) => judgeDrawing(draw(0, 1, 'shop.example.com') + draw(1733, 3, second));
  assert.deepEqual(listBoth('shop.example.com'), ['warning split-trace web -> orders 2']);
  assert.deepEqual(listBoth('api.partner.com'), ['error split-trace web -> orders 2']);
});

test('each instrumentation of the caller has a user agent of its own', () => {
  const draw = (scopeOf: (round: number) => string) =>
    Array.from({ length: 10 }, (_, round) => {
      const at = round * 700 + (round % 3) * 90;
      const agent = round === 9 ? 'axios/1' : 'undici';
      return (
        drawChain(2 * round + 1, drawClient({ from: at, to: at + 80, extra: `scope:${scopeOf(round)}` })) +
        drawChain(
          2 * round + 2,
          drawServer({ from: at + 10, to: at + 70, extra: `user_agent.original=${agent}` }),
        )
      );
    }).join('');
  assert.deepEqual(judgeDrawing(draw(() => 'http')), ['error split-trace web -> orders 9']);
  assert.deepEqual(judgeDrawing(draw((round) => (round === 9 ? 'axios' : 'fetch'))), [
    'error split-trace web -> orders 10',
  ]);
});

test("calls and requests at the border of the source's time range count only if they pair up", () => {
  const drawCall = (number: number) =>
    drawChain(2 * number, drawClient({ from: number * 100, to: number * 100 + 90 }));
  const drawRequest = (number: number) =>
    drawChain(2 * number + 1, drawServer({ from: number * 100 + 10, to: number * 100 + 80 }));
  const [pairs, others] = [
    [1, 2, 3, 4],
    [10, 11, 12, 13, 14, 15, 16, 17, 18],
  ];
  const inside = pairs.map((number) => drawCall(number) + drawRequest(number)).join('');
  for (const draw of [drawCall, drawRequest]) {
    const { spans } = readDrawing(inside + others.map(draw).join(''));
    const store = storeOf(spans);
    const atBorder = Uint8Array.from(spans, (_, at) => Number(at >= 2 * pairs.length));
    const listErrors = (of: typeof store) =>
      checkStore(of).findings.flatMap(({ severity, id, count }) =>
        severity === 'error' ? [[id, count]] : [],
      );
    assert.deepEqual(listErrors(store), []);
    assert.deepEqual(listErrors({ ...store, atBorder }), [['split-trace', pairs.length]]);
  }
  const { spans } = readDrawing(inside + drawCall(7) + drawRequest(9) + drawRequest(12));
  const describePairs = (border: number): readonly string[] => {
    const atBorder = Uint8Array.from(spans, (_, at) => Number(at >= border));
    return checkStore({ ...storeOf(spans), atBorder })
      .findings.filter(({ id }) => id === 'split-trace')
      .flatMap(({ evidence }) => evidence.map(({ says }) => says.replace(/^.* trace \w+/, '')));
  };
  const atEnd = 2 * pairs.length + 1;
  assert.deepEqual(
    describePairs(atEnd),
    pairs.map(() => ''),
  );
  const counted = ', if the clocks agree: 1 call and 1 request fit none';
  assert.deepEqual(
    describePairs(atEnd + 1),
    pairs.map(() => counted),
  );
});

test('a root replaces one with another user agent only once', () => {
  const agent = (name: string): string => `user_agent.original=${name}`;
  const drawCaller = (service: string, at: number, path: string): string =>
    [0, 1370].map((from, number) => drawPair(service, at + number, path, from + at * 7)).join('');
  const drawPair = (service: string, number: number, path: string, from: number): string =>
    drawChain(number, drawClient({ service, from, to: from + 90 }, `orders:8082${path}`)) +
    drawChain(number + 50, drawServer({ from: from + 10, to: from + 80, extra: agent('undici') }, path));
  const third = ['web', 'shop'].map((service, number) =>
    [
      drawChain(20 + number, drawClient({ service, from: 3000, to: 3090 + number }, 'orders:8082/work')),
      drawChain(
        30 + number,
        drawServer({ from: 3001 + number, to: 3089 + number, extra: agent('curl') }, '/work'),
      ),
    ].join(''),
  );
  const free = drawChain(40, drawServer({ from: 3040, to: 3045, extra: agent('undici') }, '/work'));
  const drawing = drawCaller('web', 1, '/work') + drawCaller('shop', 11, '/work') + third.join('') + free;
  const { spans, expectation, headers } = readDrawing(
    `expect web -> orders\nexpect shop -> orders\n${drawing}`,
  );
  const { findings } = checkTraces(spans, { expectation, headers });
  const roots = findings.flatMap(({ evidence }) => evidence.flatMap(({ server }) => server?.spanId ?? []));
  assert.equal(roots.length, 6);
  assert.equal(new Set(roots).size, 6);
});

test('a free root replaces one with another user agent if it has the service, the request and the usual agent', () => {
  const draw = (at: number, extra: string) => drawServer({ from: at + 10, to: at + 80, extra });
  const agent = (name: string): string => `user_agent.original=${name}`;
  const calls = [0, 1370, 2110, 4520].map(
    (at, number) =>
      drawChain(10 + number, drawClient({ from: at, to: at + 90 })) +
      drawChain(20 + number, draw(at, agent(number === 0 ? 'curl' : 'undici'))),
  );
  const listTraces = (free: string) => {
    const { findings } = checkDrawing(`expect web -> orders\n${calls.join('')}${free}`);
    return findings.flatMap(({ evidence }) => evidence.map(({ server }) => server?.traceId.slice(-2))).sort();
  };
  const place = { from: 30, to: 60, extra: agent('undici') };
  assert.deepEqual(listTraces(drawChain(40, drawServer(place))), ['21', '22', '23', '40']);
  for (const other of [
    drawServer({ ...place, extra: agent('axios') }),
    drawServer({ ...place, service: 'stock' }),
    drawServer(place, '/other'),
  ])
    assert.deepEqual(listTraces(drawChain(40, other)), ['20', '21', '22', '23'], other);
});
