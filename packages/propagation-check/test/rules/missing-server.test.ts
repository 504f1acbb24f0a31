import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  drawChain,
  explainDrawing,
  guessCause,
  judgeDrawing,
  listCauses,
  listFacts,
  listUndecided,
} from './judge-drawing.ts';

interface Request {
  readonly target?: string;
  readonly status?: number | null;
  readonly service?: string;
}

const ask = (
  at: number,
  path = '/work',
  { target = 'orders:8082', status = 200, service = 'web' }: Request = {},
) =>
  `${service} CLIENT "GET" ${at}..${at + 80} http.request.method=GET url.full=http://${target}${path} ${status === null ? '' : `http.response.status_code=${status}`}`;

const answer = (at: number, path = '/work', more = '') =>
  `orders SERVER "GET" ${at + 10}..${at + 70} http.request.method=GET url.path=${path} server.port=8082 ${more}`;

const callRpc = (at: number, method: string, code = 0) =>
  `web CLIENT "${method}" ${at}..${at + 80} rpc.system=grpc rpc.method=${method} server.address=orders rpc.grpc.status_code=${code}`;
const serveRpc = (at: number, method: string) =>
  `orders SERVER "${method}" ${at + 10}..${at + 70} rpc.system=grpc rpc.method=${method}`;

const missing = (count = 1) => [`error missing-server web -> orders ${count}`];

suite('calls of an edge with whole calls', () => {
  const drawWhole = (client: (at: number) => string, server: (at: number) => string, first = 1) =>
    [0, 1000, 3000, 4000].map((at, index) => drawChain(first + index, client(at), server(at))).join('');
  const judge = (whole: string, ...lonely: readonly string[]) =>
    judgeDrawing(
      `expect web -> orders\n${whole}${lonely.map((line, at) => drawChain(50 + at, line)).join('')}`,
    );
  const whole = drawWhole(
    (at) => ask(at),
    (at) => answer(at),
  );

  test('are missing by method and path, ignoring ids', () => {
    assert.deepEqual(judge(whole, ask(2000)), missing());
    assert.deepEqual(judge(whole, ask(2000, '/play')), []);
    assert.deepEqual(judge(whole, ask(2000).replaceAll('GET', 'POST')), []);
    assert.deepEqual(judge(whole, ask(2000, '/work', { target: 'orders:9999' })), []);
    const withoutPath =
      'http.request.method=GET server.address=orders server.port=8082 http.response.status_code=200';
    assert.deepEqual(judge(whole, `web CLIENT "GET" 2000..2080 ${withoutPath}`), []);
    const numbered = drawWhole(
      (at) => ask(at, '/work/1'),
      (at) => answer(at, '/work/1'),
    );
    assert.deepEqual(judge(numbered, ask(2000, '/work/2')), missing());
  });

  test('are missing by the known routes of the callee', () => {
    const named = drawWhole(
      (at) => ask(at, '/work/abc'),
      (at) => answer(at, '/work/abc'),
    );
    assert.deepEqual(judge(named, ask(2000, '/work/xyz')), []);
    const route = (path: string, template: string, first?: number) =>
      drawWhole(
        (at) => ask(at, path),
        (at) => answer(at, path, `http.route=${template}`),
        first,
      );
    const routed = route('/work/abc', '/work/:id');
    assert.deepEqual(judge(routed, ask(2000, '/work/xyz')), missing());
    assert.deepEqual(judge(routed, ask(2000, '/play/xyz')), []);
    assert.deepEqual(judge(route('/list', '/list', 10) + routed, ask(2000, '/work/xyz')), missing());
    const mounted = route('/work/1', '/app');
    assert.deepEqual(judge(mounted, ask(2000, '/work/1')), missing());
    assert.deepEqual(judge(mounted, ask(2000, '/work/2')), []);
  });

  test('are missing by the RPC method, whatever the status code', () => {
    const method = 'o.O/Get';
    const rpc = drawWhole(
      (at) => callRpc(at, method),
      (at) => serveRpc(at, method),
    );
    assert.deepEqual(judge(rpc, callRpc(2000, method)), missing());
    assert.deepEqual(judge(rpc, callRpc(2000, 'o.O/Put')), []);
    assert.deepEqual(judge(rpc, callRpc(2000, method, 5)), missing());
  });

  test('may be answered by a hop with a code that the callee never sent', () => {
    for (const status of [300, 302, 404]) assert.deepEqual(judge(whole, ask(2000, '/work', { status })), []);
    assert.deepEqual(judge(whole, ask(2000, '/work', { status: 299 })), missing());
    const known = drawWhole(
      (at) => ask(at, '/work', { status: 404 }),
      (at) => answer(at),
    );
    assert.deepEqual(judge(known, ask(2000, '/work', { status: 404 })), missing());
    assert.deepEqual(judge(whole, ask(2000, '/work', { status: null })), []);
  });

  test('are missing only within the coverage of the callee, and for the same caller', () => {
    assert.deepEqual(judge(whole, ask(4500)), []);
    assert.deepEqual(judge(whole, ask(-500)), []);
    assert.deepEqual(
      judgeDrawing(`may shop -> orders\n${whole}${drawChain(50, ask(2000, '/work', { service: 'shop' }))}`),
      [],
    );
    const message = 'messaging.system=kafka';
    const sent = drawChain(
      1,
      `web PRODUCER "send" 0..5 ${message}`,
      `orders CONSUMER "take" 10..20 ${message}`,
    );
    assert.deepEqual(judge(sent, ask(2000)), []);
  });

  test('must be slower than cached calls, measured by calls with a known answer', () => {
    const quick = (at: number) => ask(at).replace(`..${at + 80}`, `..${at + 20}`);
    const untold = [5000, 5100, 5200, 5300, 5400].map((at, index) =>
      drawChain(
        70 + index,
        ask(at, '/work', { status: null }).replace(`..${at + 80}`, `..${at + 10}`),
        answer(at),
      ),
    );
    assert.deepEqual(judge(whole, quick(2000)), []);
    assert.deepEqual(judge(whole + untold.join(''), quick(2000)), []);
    const several = [1500, 1600, 1700, 1800, 1900, 2000].map(quick);
    assert.deepEqual(judge(whole, ...several), []);
    const slow = ask(2100).replace('..2180', '..2190');
    assert.deepEqual(judge(whole, ...several, slow), missing(7));
  });

  test('are a warning if they are not expected', () => {
    assert.deepEqual(judgeDrawing(whole + drawChain(50, ask(2000))), [
      'warning missing-server web -> orders 1',
    ]);
  });

  test('may belong to a request of the same time, unless it is a probe or for something else', () => {
    const untold = answer(2000).replace('url.path=/work', '').replace('server.port=8082', '');
    assert.deepEqual(judge(whole, ask(2000), untold), ['error split-trace web -> orders 1']);
    assert.deepEqual(judge(whole, ask(2000), untold.replace('orders', 'stock')), missing());
    assert.deepEqual(judge(whole, ask(2000), untold.replace('"GET"', '"GET /healthz"')), missing());
    const orphan = `trace 90\n  lost\n    ${untold}\n`;
    assert.deepEqual(judge(whole + orphan, ask(2000)), missing());
    assert.deepEqual(judge(whole, ask(2000), answer(2000, '/healthz')), missing());
    assert.deepEqual(judge(whole, ask(2000), answer(2000, '/play')), missing());
  });
});

test('a call unlike any other of its service says so, whatever other services call', () => {
  const reason = 'no call to the same target is whole, and no expectation names the called service';
  const shop = drawChain(1, ask(0, '/work', { service: 'shop' }), answer(0));
  assert.ok(explainDrawing(shop + drawChain(2, ask(100))).some((line) => line.endsWith(reason)));
});

suite('calls of an expected edge without whole calls', () => {
  const head = 'expect web -> orders\n';
  const draw = (...lines: readonly string[]) =>
    `${head}${lines.map((line, at) => drawChain(at + 1, line)).join('')}`;
  const missedCall = ['error missing-call web -> orders 0'];
  const gateway = { target: 'gateway:1' };
  const work = (times: string, kind = 'INTERNAL') => `orders ${kind} "work" ${times}`;

  test('are the calls to the name of the service', () => {
    for (const target of ['orders:8082', 'orders.svc.cluster.local:8082', 'ORDERS:8082']) {
      assert.deepEqual(judgeDrawing(draw(ask(0), ask(1000, '/work', { target }))), missing(2), target);
    }
    const recorded = ask(1000).replace('url.full=http://', 'server.address=ORDERS url.full=http://my-');
    assert.deepEqual(judgeDrawing(draw(ask(0), recorded)), missing(2));
    for (const target of ['orders-db:8082', 'my.orders']) {
      assert.deepEqual(judgeDrawing(draw(ask(0), ask(1000, '/work', { target }))), missing(), target);
    }
    assert.deepEqual(judgeDrawing(draw(ask(0)).replace('orders', 'Orders')), [
      'error missing-server web -> Orders 1',
    ]);
  });

  test('are the calls to the most frequent target, which may be another service', () => {
    const calls = draw(
      ask(0, '/work', { target: 'api:1' }),
      ask(1000, '/work', gateway),
      ask(2000, '/work', gateway),
    );
    assert.deepEqual(judgeDrawing(calls), missing(2));
    assert.equal(listCauses(calls).at(-1), 'client-not-instrumented');
    assert.equal(listCauses(draw(ask(0))).at(-1), 'not-sampled');
    const taken = drawChain(
      90,
      ask(5000, '/items', gateway),
      'stock SERVER "GET" 5010..5020 http.request.method=GET',
    );
    assert.deepEqual(judgeDrawing(`may web -> stock\n${draw(ask(0, '/work', gateway))}${taken}`), missedCall);
  });

  test('are the calls for a request that the service gets from another caller', () => {
    const shop = drawChain(90, ask(5000, '/work/7', { service: 'shop' }), answer(5000, '/work/7'));
    const calls = draw(ask(0, '/work/7', gateway), ask(1000, '/play', { target: 'api:1' })) + shop;
    assert.deepEqual(judgeDrawing(calls), missing());
    assert.equal(listCauses(calls).at(-1), 'server-span-lost');
  });

  test('are none if the service has enough requests of unknown callers', () => {
    const other = (path: string) => answer(900, path);
    assert.deepEqual(judgeDrawing(draw(ask(0, '/work', gateway), other('/other'))), missedCall);
    assert.deepEqual(judgeDrawing(draw(ask(0, '/work', gateway), other('/healthz'))), missing());
    const three = [0, 1000, 2000].map((at) => ask(at, '/work', gateway));
    assert.deepEqual(
      judgeDrawing(draw(...three, answer(5000, '/other').replace('server.port=8082', ''))),
      missing(3),
    );
  });

  test('must be answered, and made by the caller', () => {
    assert.deepEqual(judgeDrawing(draw(ask(0, '/work', { status: null }))), missedCall);
    const web = 'web SERVER "GET /call" 0..100 http.request.method=GET';
    assert.deepEqual(
      judgeDrawing(`may shop -> orders\n${draw(web, ask(10, '/work', { service: 'shop' }))}`),
      missedCall,
    );
  });

  test('are split if the service made spans for such requests', () => {
    const split = (count = 1) => [`error split-trace web -> orders ${count}`];
    const later = `orders SERVER "GET /work" 5020..5080 http.request.method=GET url.path=/work`;
    assert.deepEqual(judgeDrawing(draw(ask(0), later)), split());
    assert.deepEqual(judgeDrawing(draw(ask(0), ask(1000, '/play'), later)), split(2));
    assert.deepEqual(
      judgeDrawing(
        draw(
          ask(0, '/work', gateway),
          ask(1000, '/play', { target: 'api:1' }),
          ask(2000, '/play', { target: 'api:1' }),
          later,
        ),
      ),
      split(),
    );
    assert.deepEqual(judgeDrawing(draw(ask(0), work('20..70'))), split());
    assert.deepEqual(judgeDrawing(draw(ask(0), work('20..180'))), missing());
    assert.deepEqual(judgeDrawing(draw(ask(0), work('20..70'), work('900..950'))), missing());
    assert.deepEqual(judgeDrawing(draw(ask(0), `${work('20..70', 'CLIENT')} db.system=mysql`)), missing());
    assert.deepEqual(judgeDrawing(`${draw(ask(0))}trace 90\n  lost\n    ${work('20..70')}\n`), missing());
  });

  test('have other causes depending on whether the service has no spans, none for requests, or some', () => {
    assert.equal(guessCause(draw(ask(0))), 'server-span-lost');
    assert.equal(guessCause(draw(ask(0), work('900..901'))), 'server-not-instrumented');
    assert.equal(guessCause(draw(ask(0), answer(900, '/other'))), 'not-sampled');
  });

  test('may be messages to the most frequent queue', () => {
    const send = (at: number, queue: string) =>
      `web PRODUCER "send" ${at}..${at + 10} messaging.system=kafka messaging.destination.name=${queue}`;
    assert.deepEqual(judgeDrawing(draw(send(0, 'jobs'), work('900..901'))), missing());
    const three = [0, 100, 300].map((at) => send(at, 'jobs'));
    assert.deepEqual(judgeDrawing(draw(...three, send(200, 'mail'))), missing(3));
    const messages = draw(send(0, 'jobs'), send(100, 'jobs'), ask(500, '/work', gateway), work('900..901'));
    assert.deepEqual(judgeDrawing(messages), missing(2));
    assert.equal(listCauses(messages).at(-1), 'server-span-lost');
    const port = 'server.port=9092';
    const received = drawChain(
      90,
      `${send(5000, 'orders')} ${port}`.replace('web', 'shop'),
      `orders CONSUMER "take" 5005..5010 messaging.system=kafka ${port}`,
    );
    const others = ['mail', 'jobs', 'jobs'].map((queue, at) => `${send(at * 100, queue)} ${port}`);
    assert.deepEqual(judgeDrawing(draw(...others) + received), missing(2));
  });

  test('may be a few messages that wait for their consumer', () => {
    const sent = [0, 100, 200].map((at) => `web PRODUCER "send" ${at}..${at + 10} messaging.system=kafka`);
    const judge = (count: number, ...more: readonly string[]) => {
      const drawing = draw(...sent.slice(0, count), ...more);
      const open = listUndecided(drawing).filter((line) =>
        line.includes('the data leave open whether it is broken (missing-server)'),
      );
      return [judgeDrawing(drawing), open.length, listFacts(drawing)[0] ?? ''];
    };
    const warned = (count: number) => [`warning missing-server web -> orders ${count}`];
    const [absent, one, several] = [
      'no span of orders is here',
      'no span of orders is from after the message was sent: it may not have consumed it yet',
      'no span of orders is from after the messages were sent: it may not have consumed them yet',
    ];
    assert.deepEqual(judge(1), [warned(1), 1, absent]);
    assert.deepEqual(judge(2), [warned(2), 1, absent]);
    assert.deepEqual(judge(1, work('-50..-40')), [warned(1), 1, one]);
    assert.deepEqual(judge(2, work('-50..-40')), [warned(2), 1, several]);
    assert.deepEqual(judge(2, work('150..160')), [missing(2), 0, '']);
    assert.deepEqual(judge(3), [missing(3), 0, absent]);
  });

  test('for messages, the headline has the first step of the finding', () => {
    const sent = 'web PRODUCER "send" 0..10 messaging.system=kafka messaging.destination.name=jobs id:sent';
    const headline = (...more: readonly string[]): string => listUndecided(draw(sent, ...more)).join();
    assert.match(
      headline(work('-50..-40')),
      /\(missing-server\): to decide: Wait until orders has consumed the message and check again, or check again with 3 messages or more$/,
    );
  });
});

suite('duplicate spans of calls', () => {
  interface Doubled {
    readonly from?: number;
    readonly to?: number;
    readonly path?: string;
    readonly scope?: string;
  }
  const http =
    ({ from = 6, to = 95, path = '/work', scope = 'http' }: Doubled) =>
    (at: number) =>
      `web CLIENT "GET" ${at + from}..${at + to} http.request.method=GET url.full=http://orders:8082${path} http.response.status_code=200 scope:${scope}`;
  const second = http({ scope: 'gateway' });
  const whole = http({ from: 11, to: 89 });
  const received = (at: number, path = '/work') =>
    `orders SERVER "GET" ${at + 20}..${at + 80} http.request.method=GET url.path=${path} server.port=8082`;
  /** In one request, a call without its SERVER span, then whole calls. */
  const drawRequest = (at: number, lonely: readonly string[], ...calls: readonly (readonly string[])[]) =>
    [
      `trace ${at + 1}`,
      `  web SERVER "GET /call" ${at}..${at + 500} http.request.method=GET url.path=/call`,
      ...lonely.map((line) => `    ${line}`),
      ...calls.flat().map((line, depth) => `${depth % 2 === 0 ? '    ' : '      '}${line}`),
      '',
    ].join('\n');
  const times = [0, 700, 1900, 2600];
  const draw = (lonely: (at: number) => string, call = whole, more: (at: number) => string = () => '') =>
    times.map((at) => drawRequest(at, [lonely(at)], [call(at), received(at)]) + more(at)).join('');
  const judge = (drawing: string) => judgeDrawing(`expect web -> orders\n${drawing}`);

  test('overlap the whole ones if their libraries differ', () => {
    assert.deepEqual(judge(draw(second)), []);
    assert.deepEqual(judge(draw(http({ scope: 'gateway', from: 95, to: 180 }))), missing(4));
    assert.deepEqual(judge(draw(http({ scope: 'gateway', from: -90, to: 0 }))), missing(4));
  });

  test('begin and end with the whole ones if one library is loaded twice', () => {
    assert.deepEqual(judge(draw(http({ from: 11, to: 89 }))), []);
    assert.deepEqual(judge(draw(http({ from: 11, to: 95 }))), missing(4));
    assert.deepEqual(judge(draw(http({ from: 6, to: 89 }))), missing(4));
  });

  test('belong to the same request as the whole ones', () => {
    const atLast = (at: number, path: string) => (at === times.at(-1) ? path : '/work');
    const seventh = (at: number) => http({ scope: 'gateway', path: atLast(at, '/work/7') })(at);
    const ninth = (at: number) => http({ from: 11, to: 89, path: atLast(at, '/work/9') })(at);
    const drawBoth = times.map((at) =>
      drawRequest(at, [seventh(at)], [ninth(at), received(at, atLast(at, '/work/9'))]),
    );
    assert.deepEqual(judge(drawBoth.join('')), missing(4));
    const beside = drawRequest(4000, [second(4000)]) + drawRequest(4001, [], [whole(4000), received(4000)]);
    assert.deepEqual(judge(draw(second) + beside), missing(5));
  });

  test('are as many as the whole ones, whatever is whole elsewhere', () => {
    assert.deepEqual(judge(draw(second) + drawRequest(4000, [], [whole(4000), received(4000)])), missing(4));
    assert.deepEqual(judge(draw(second) + drawRequest(4000, [second(4000)])), missing(5));
    const elsewhere = drawChain(
      9,
      'web CLIENT "GET" 4000..4080 http.request.method=GET url.full=http://admin:9000/stop http.response.status_code=200',
      'orders SERVER "GET" 4010..4070 http.request.method=GET url.path=/stop server.port=9000',
    );
    assert.deepEqual(judge(draw(second) + elsewhere), []);
  });

  test('lie beside the calls of their request, one after the other, in whatever order these arrive', () => {
    const later = (at: number) => at + 200;
    const both = (at: number, seconds: readonly string[]) =>
      drawRequest(at, seconds, [whole(later(at)), received(later(at))], [whole(at), received(at)]);
    assert.deepEqual(judge(times.map((at) => both(at, [second(at), second(later(at))])).join('')), []);
    const away = (at: number) => http({ scope: 'gateway', from: 100, to: 190 })(at);
    assert.deepEqual(judge(times.map((at) => both(at, [second(at), away(at)])).join('')), missing(8));
    assert.deepEqual(judge(draw(second) + both(4000, [second(4000), away(4000)])), missing(6));
  });
});

suite('messages of an expected edge without whole ones', () => {
  const send = (at: number) =>
    `web PRODUCER "send orders" ${at}..${at + 5} messaging.system=kafka messaging.destination.name=orders`;
  const receive = (at: number, link: string, queue = 'orders') =>
    `worker CONSUMER "process ${queue}" ${at}..${at + 9} ${link} messaging.system=kafka messaging.destination.name=${queue}`;
  const lost = 'trace 90\n  lost id:gone\n';
  const judge = (...received: readonly string[]) =>
    judgeDrawing(
      `expect web -> worker\n${[send(0), send(100), ...received].map((line, at) => drawChain(at + 1, line)).join('')}${lost}`,
    ).filter((line) => line.includes('missing-server'));

  test('are in doubt if the receiver links to spans outside the capture', () => {
    assert.deepEqual(judge(receive(200, 'link:gone')), ['warning missing-server web -> worker 2']);
  });
  test('are missing if it links from another queue, or to spans in the capture', () => {
    const error = ['error missing-server web -> worker 2'];
    assert.deepEqual(judge(receive(200, 'link:gone', 'mails')), error);
    const other =
      'shop PRODUCER "send stock" 50..55 id:here messaging.system=kafka messaging.destination.name=stock';
    assert.deepEqual(judge(other, receive(200, 'link:here')), error);
    assert.deepEqual(judge(other, receive(200, 'link:gone link:here')), error);
  });
});

suite('calls that name their peer by its service name', () => {
  const place = (at: number, more = 'peer.service=orders'): string =>
    `web CLIENT "place order" ${at}..${at + 80} ${more}`;
  const draw = (...lines: readonly string[]): string =>
    `expect web -> orders\n${lines.map((line, at) => drawChain(10 + at, line)).join('')}`;

  test('are calls to the service, although no other attribute says what they call', () => {
    assert.deepEqual(judgeDrawing(draw(place(0), place(1000))), missing(2));
    assert.deepEqual(judgeDrawing(draw(place(0, 'service.peer.name=orders'))), missing());
    const query = 'orders CLIENT "SELECT" 20..30 db.system=postgresql';
    assert.deepEqual(judgeDrawing(draw(place(0), query)), missing());
  });

  test('are split from the traces that the service began during them', () => {
    const web = 'web SERVER "POST /buy" 0..90 http.request.method=POST';
    const drawing = `expect web -> orders\n${drawChain(1, web, place(5))}${drawChain(2, 'orders SERVER "place order" 20..70')}`;
    assert.deepEqual(judgeDrawing(drawing), ['error split-trace web -> orders 1']);
  });

  test('are known from calls to other hosts', () => {
    const [named, other] = [
      ask(0, '/work', { target: '10.0.0.7:80' }),
      ask(1000, '/a', { target: 'pay:80' }),
    ];
    const calls = draw(`${named} peer.service=orders`, other, other.replace('1000..1080', '2000..2080'));
    assert.deepEqual(judgeDrawing(calls), missing());
  });

  test('must name this service, and must have reached it', () => {
    const unseen = ['error missing-call web -> orders 0'];
    assert.deepEqual(judgeDrawing(draw(place(0, 'peer.service=redis'))), unseen);
    assert.deepEqual(judgeDrawing(draw(place(0, 'peer.service=orders status:ERROR'))), unseen);
    assert.deepEqual(judgeDrawing(draw(place(0, 'peer.service=orders db.system=redis'))), unseen);
    assert.deepEqual(judgeDrawing(draw(`${place(0)}\n    orders SERVER "place order" 10..70`)), []);
  });
});
