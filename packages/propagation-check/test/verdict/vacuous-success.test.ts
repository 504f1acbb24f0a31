import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { auditWindow } from '../../src/audit/audit-window.ts';
import { check, checkPath } from '../../src/library/check.ts';
import { expectPropagation, PropagationError } from '../../src/library/expect-propagation.ts';
import { matchers } from '../../src/library/matchers.ts';
import type { Baseline } from '../../src/verdict/apply-baseline.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { drawChain, drawClient, drawServer } from '../rules/judge-drawing.ts';

const web = 'web SERVER "GET /call" 0..100 http.request.method=GET url.path=/call';
const call = (callee: string, more = '') => drawClient({ from: 10, to: 90, extra: more }, `${callee}/work`);
const cached = call('orders', 'http.response.header.traceresponse=00-<1>-<filled>-01');
const served = (callee: string) => drawServer({ from: 20, to: 80, service: callee });
const whole = (callee: string, number = 9) => drawChain(number, web, call(callee), served(callee));
const refused = call('orders').replace('=200', '=502');
const later = (line: string, at: number) =>
  line.replace(/(\d+)\.\.(\d+)/, (_, from, to) => `${Number(from) + at}..${Number(to) + at}`);
/** Requests, each with a call of a client that is not instrumented or has lost its context. */
const requests = (count: number, callAt: (at: number) => readonly string[]) =>
  Array.from({ length: count }, (_, at) => {
    const lines = callAt(at).map((line) => later(line, at * 1_000));
    return drawChain(20 + at, later(web, at * 1_000)) + drawChain(50 + at, ...lines);
  }).join('');
const queue = 'messaging.system=kafka messaging.destination.name=orders';
const message = (at: number) =>
  [`web PRODUCER "send" 10..20 ${queue}`, `orders CONSUMER "process" 30..70 ${queue}`].map((line) =>
    later(line, at),
  );
const uninstrumented = () => [served('orders')];
const mixed = (at: number) => (at % 2 === 0 ? [served('orders')] : [call('orders'), served('orders')]);
const missingCall: Baseline = [{ client: 'web', server: 'orders', finding: 'missing-call' }];

/** Half of the calls have only their CLIENT span. */
const halves = [0, 1, 2, 3]
  .map((at) =>
    drawChain(
      1 + at,
      ...[web, call('orders'), served('orders')]
        .slice(0, at % 3 === 0 ? 3 : 2)
        .map((line) => later(line, at * 1_000)),
    ),
  )
  .join('');
/** Requests of the callee that continue traces of callers without spans. */
const continued = (count: number, more = '') =>
  Array.from({ length: count }, (_, at) =>
    drawChain(70 + at, 'lost', `${later(served('orders'), 20_000 + at * 1_000)} flags:0x301${more}`),
  ).join('');
const wholeAt = (at: number) =>
  drawChain(1 + at, ...[web, call('orders'), served('orders')].map((line) => later(line, at * 1_000)));
const twoWhole = wholeAt(0) + wholeAt(1);
const unread = [1, 2, 3].map((at) => drawChain(30 + at, ...message(at * 1_000).slice(0, 1))).join('');
const readAt = (at: number) => drawChain(40 + at, ...message(at * 1_000));
const secondService = requests(6, () => [served('stock')]).replaceAll('/call', '/list');
const warnedCalls: Readonly<Record<string, { readonly drawing: string; readonly known: Baseline }>> = {
  'half of the calls without a SERVER span': {
    drawing: halves,
    known: [{ client: 'web', server: 'orders', finding: 'missing-server' }],
  },
  'requests without a call to a second service': {
    drawing: whole('orders', 8) + secondService,
    known: [{ client: 'web', server: 'stock', finding: 'missing-call' }],
  },
};

interface Row {
  readonly drawing: string;
  readonly baseline?: Baseline;
  /** The reason in the report. */
  readonly says: RegExp;
}

/** Results in which nothing was judged that should have been: none may be a success, whatever else is whole. */
const rows: Readonly<Record<string, Row>> = {
  'no span': { drawing: '', says: /^there are no spans/ },
  'only spans within services': {
    drawing: drawChain(1, 'web INTERNAL "job" 0..10') + drawChain(2, 'orders INTERNAL "job" 0..10'),
    says: /^no call between two services/,
  },
  'only requests of unknown callers': { drawing: drawChain(1, web), says: /^no call between two services/ },
  'only calls of a service to itself': {
    drawing: whole('web'),
    says: /^no call between two services .*both sides of the calls of web have the same service\.name: .*--expect "web -> web"$/,
  },
  'only calls between services without a name': {
    drawing: whole('-').replaceAll('web', '-'),
    says: /^no call between two services .*both sides of the calls have no service\.name: .*OTEL_SERVICE_NAME/,
  },
  'only calls between services with the name that SDKs write for none': {
    drawing: whole('unknown_service:node').replaceAll('web', 'unknown_service:node'),
    says: /^no call between two services .*both sides of the calls have no service\.name: .*OTEL_SERVICE_NAME/,
  },
  'an expected edge between two services without spans': {
    drawing: `expect wbe -> order\n${whole('orders')}`,
    says: /^wbe -> order: no span of wbe or order is here/,
  },
  'only calls that a gateway refused': {
    drawing: drawChain(1, web, refused),
    says: /^no call between two services/,
  },
  'only calls answered with 404 by a peer without spans': {
    drawing: drawChain(1, web, call('orders').replace('=200', '=404')),
    says: /^no call between two services/,
  },
  'only calls of tolerated peers': {
    drawing: `tolerate orders\n${whole('orders')}`,
    says: /but those of tolerated peers/,
  },
  'an expected edge whose calls were refused': {
    drawing: `expect web -> orders\n${drawChain(1, web, refused)}${whole('stock')}`,
    says: /^web -> orders: no call of it is whole, and the data leave open/,
  },
  'an expected edge whose caller has no spans, beside another caller': {
    drawing: `expect shop -> orders\nmay web -> orders\n${whole('orders')}`,
    says: /^shop -> orders: no span of shop is here/,
  },
  'an expected edge whose callee another service may have reached': {
    drawing: `expect web -> orders\ntrace 1\n  gate SERVER "GET /" 0..100\n    gate CLIENT "GET" 2..60\n      web SERVER "GET /call" 5..50\n    lost\n      orders INTERNAL "job" 70..90\n`,
    says: /^web -> orders: no call of it is whole, and the data leave open/,
  },
  'an expected edge whose callee called the caller': {
    drawing: `expect web -> orders\ntrace 1\n  lost\n    orders INTERNAL "job" 0..100\n      orders CLIENT "GET" 10..90\n        web SERVER "GET /call" 20..80\n`,
    says: /^web -> orders: no call of it is whole, and the data leave open/,
  },
  'an expected edge whose calls a cache answered': {
    drawing: `expect web -> orders\n${drawChain(1, `${later(served('orders'), -5_000)} id:filled`)}${[1, 2, 3]
      .map((at) => drawChain(20 + at, later(web, at * 1_000), later(cached, at * 1_000)))
      .join('')}`,
    says: /^web -> orders: the answers of 3 of its calls name spans of other calls: a cache/,
  },
  'an expected edge to a service that may be the one without a name': {
    drawing: `expect web -> orders\n${whole('unknown_service:node')}${whole('stock', 8)}`,
    says: /^web -> orders: orders has no span and may be unknown_service:node, which is called by web: set OTEL_SERVICE_NAME of orders/,
  },
  'an expected edge from a service that may be the one without a name': {
    drawing: `expect shop -> orders\n${drawChain(1, drawClient({ from: 10, to: 90, service: '-' }), served('orders'))}`,
    says: /^shop -> orders: shop has no span and may be a service without a name, which calls orders/,
  },
  'a forbidden edge to a service that may be the one without a name': {
    drawing: `must-not web -> orders\n${whole('unknown_service')}`,
    says: /^web -> orders: orders has no span and may be unknown_service/,
  },
  'a forbidden edge to a service that has no span': {
    drawing: `must-not web -> orders\n${drawChain(1, web)}`,
    says: /^no call between two services was seen, only spans of web/,
  },
  'a forbidden edge from a service that has no span, beside an edge that is whole': {
    drawing: `must-not billing -> stock\n${whole('stock')}`,
    says: /^billing -> stock: no span of billing is here, only of stock, web, so that nothing tells whether it calls stock: check the name/,
  },
  'a forbidden edge, if all spans lack the name of their service': {
    drawing: `must-not web -> orders\n${drawChain(1, web.replace('web', '-'))}`,
    says: /^web -> orders: no span of web is here, so that nothing tells/,
  },
  'a forbidden edge between two services that have no span': {
    drawing: `must-not billing -> archive\n${whole('stock')}`,
    says: /^billing -> archive: no span of billing is here/,
  },
  'a forbidden edge to a service without spans that is called by its name': {
    drawing: `must-not web -> orders\n${drawChain(1, web, call('orders.shop:8082'))}${whole('stock')}`,
    says: /^web -> orders: web calls orders.shop, which has no span: /,
  },
  "only this tool's own calls, beside calls that nothing judges": {
    drawing: drawChain(1, call('web').replace('web', 'propagation-check'), web, call('127.0.0.1:8082')),
    says: /^no call between two services was seen but those of this tool itself, .*; not judged: web → 127\.0\.0\.1:8082 \(1 call\): .*--expect "web -> SERVICE" \(SERVICE: the service\.name of 127\.0\.0\.1:8082\)/,
  },
  'an expected edge that was never seen, as the baseline knows': {
    drawing: `expect web -> orders\n${drawChain(1, web)}`,
    baseline: missingCall,
    says: /^no call between two services/,
  },
  'one whole call, and six of an uninstrumented client': {
    drawing: `expect web -> orders\n${drawChain(9, later(web, 9_000), later(call('orders'), 9_000), later(served('orders'), 9_000))}${requests(6, uninstrumented)}`,
    says: /^web -> orders: 6 requests of web show no call to it, and 6 traces began at orders while they were open: .* under edges\.may in --expectations$/,
  },
  'calls whose context is lost in the caller, beside those of an uninstrumented client': {
    drawing: `expect web -> orders\n${requests(10, mixed)}`,
    says: /^web -> orders: 10 requests of web show no call to it, and 5 traces began at orders while they were open beside 5 calls of web/,
  },
  'a forbidden edge on which an uninstrumented client may call': {
    drawing: `must-not web -> orders\n${whole('stock').replaceAll('/call', '/list')}${requests(6, uninstrumented)}`,
    says: /^web -> orders: 6 requests of web show no call to it/,
  },
  'one whole message, and six of an uninstrumented client': {
    drawing: `expect web -> orders\n${drawChain(9, later(web, 9_000), ...message(9_000))}${requests(6, () => message(0).slice(1))}`,
    says: /^web -> orders: 6 requests of web show no call to it/,
  },
  'calls whose context is lost in the caller beside an uninstrumented client, without an expectation': {
    drawing: requests(10, mixed),
    says: /^web -> orders: 10 requests of web show no call to it/,
  },
  'half of the calls without a SERVER span': {
    drawing: halves,
    says: /^web -> orders: 2 of 4 calls judged \(missing-server leaves the others open\); to decide: Restart orders with OTEL_TRACES_EXPORTER=otlp,console /,
  },
  'requests without a call to a second service, beside a whole edge': {
    drawing: whole('orders', 8) + secondService,
    says: /^web -> stock: none of 6 calls judged \(missing-call leaves them open\); to decide: If web calls stock .* --expect 'web -> stock'/,
  },
  'requests without a call to a second service, if the baseline knows another finding': {
    drawing: whole('orders', 8) + secondService,
    baseline: missingCall,
    says: /^web -> stock: none of 6 calls judged/,
  },
  'as many requests of unknown callers as are expected': {
    drawing: `expect web -> orders\n${twoWhole}${continued(2)}`,
    says: /^web -> orders: 2 of 4 calls judged: 2 requests of orders continue traces of which no span of a caller is here .* under edges: may/,
  },
  'more expected messages that nobody received than others': {
    drawing: `expect web -> orders\n${readAt(0)}${unread}${whole('stock').replaceAll(/(\d+)\.\.(\d+)/g, '9$1..9$2')}`,
    says: /^web -> orders: 1 of 4 messages judged: no CONSUMER span of orders has 3 messages to orders as parent or link/,
  },
  'baggage whose arrival nobody recorded': {
    drawing: `expect web -> orders\nbaggage hello=world\n${whole('orders')}`,
    says: /^nothing shows whether baggage hello=world arrives/,
  },
  'as many messages that nobody received as others': {
    drawing: `expect web -> orders\n${[0, 4, 5].map(readAt).join('')}${unread}`,
    says: /^web -> orders: 3 of 6 messages judged: no CONSUMER span/,
  },
};

const agent = ' user_agent.original=browser';
const ofAnotherRoute = whole('orders', 8).replaceAll('/call', '/list');
const ofLibrary = drawChain(8, web, call('orders'), `${served('orders')} user_agent.original=node`);
const timer = served('orders').replace('20..80', '60..62');
const intactRows: Readonly<Record<string, string>> = {
  'one trace of the callee during a request': whole('orders', 8) + requests(1, uninstrumented),
  'traces of another caller that the expectation names': `may shop -> orders\n${whole('orders', 8)}${requests(6, uninstrumented)}`,
  'traces of a program that calls both services':
    whole('orders', 8) +
    requests(6, uninstrumented)
      .replaceAll('path=/call', `path=/call${agent}`)
      .replaceAll('8082', `8082${agent}`),
  'traces during a few of the requests without a call':
    whole('orders', 8) +
    requests(12, (at) => [served('orders'), 'web INTERNAL "job" 20..80'].slice(at < 6 ? 0 : 1).slice(0, 1)),
  'as many traces outside of the requests':
    whole('orders', 8) + requests(6, () => [later(served('orders'), 300)]),
  'two webhooks within two requests': whole('orders', 8) + requests(2, uninstrumented),
  'a page that calls both services at once': ofAnotherRoute + requests(12, uninstrumented),
  'a page that calls both services at once, and another path of the callee':
    whole('orders', 8) + requests(12, uninstrumented).replaceAll('/work', '/details'),
  'a timer of the callee within long requests': ofAnotherRoute + requests(12, () => [timer]),
  'a timer of the callee within long requests, on an expected edge': `expect web -> orders\n${ofAnotherRoute}${requests(12, () => [timer])}`,
  'as many requests of callers that the expectations name': `expect web -> orders\nmay outside -> orders\n${twoWhole}${continued(2)}`,
  'as many requests of unknown callers, by their user agent': `expect web -> orders\n${twoWhole}${continued(2, ' user_agent.original=browser')}`,
  'as many requests of unknown callers at another endpoint': `expect web -> orders\n${twoWhole}${continued(2).replaceAll('/work', '/details')}`,
  'fewer requests of unknown callers than are expected': `expect web -> orders\n${twoWhole}${wholeAt(2)}${continued(2)}`,
  'one call, and one request of an unknown caller': `expect web -> orders\n${wholeAt(0)}${continued(1)}`,
  'fewer messages that nobody received than others': `expect web -> orders\n${[0, 4, 5, 6].map(readAt).join('')}${unread}`,
  'another program, by its user agent, of an expected edge': `expect web -> orders\n${ofLibrary}${requests(12, () => [`${served('orders')} user_agent.original=kube-cron`])}`,
};

suite('a success if other callers explain what is left', () => {
  for (const [name, drawing] of Object.entries(intactRows))
    test(name, async () => {
      const { spans, expectation } = readDrawing(drawing);
      const { outcome, reason } = await check(spans, { expectation });
      assert.equal(outcome, 'passed', reason ?? '');
    });
});

suite('a success if the baseline knows what leaves an edge open', () => {
  for (const [name, { drawing, known }] of Object.entries(warnedCalls))
    test(name, async () => {
      const { spans } = readDrawing(drawing);
      const { outcome, reason } = await check(spans, { baseline: known });
      assert.equal(outcome, 'passed', reason ?? '');
    });
});

test('an open edge elsewhere does not affect a path', async () => {
  const { spans } = readDrawing(whole('orders', 8) + secondService);
  assert.equal((await check(spans)).outcome, 'unknown');
  assert.equal((await checkPath(spans, 'web -> orders')).outcome, 'passed');
});

suite('no success if nothing was judged', () => {
  for (const [name, { drawing, baseline = [], says }] of Object.entries(rows)) {
    const { spans, expectation } = readDrawing(drawing);
    const settings = { expectation, baseline };
    test(name, async () => {
      const { outcome, result, reason } = await check(spans, settings);
      assert.equal(outcome, 'unknown', JSON.stringify(result.findings));
      assert.match(reason ?? '', says);
      const now = { window: { from: 0, to: 1 }, result, seen: { complete: true, says: '' } };
      const input = { source: 'here', now, before: null, state: null, failOn: 'error' } as const;
      assert.equal(auditWindow({ ...input, failUnder: null }).outcome, 'unknown');
      assert.equal(auditWindow({ ...input, failUnder: 0 }).outcome, 'unknown');
    });

    const [edge] = expectation.edges.filter(({ rule }) => rule === 'must');
    if (edge === undefined) continue;
    test(`${name}: neither of its path`, async () => {
      const path = `${edge.client} -> ${edge.server}`;
      const rest = { ...settings, expectation: { ...expectation, edges: [] } };
      await assert.rejects(expectPropagation(spans, path, rest), PropagationError);
      await assert.rejects(matchers.toPropagate(spans, path, rest), 'nor does `not` hold');
    });
  }

  test('a path whose absence the baseline accepts, beside a whole one', async () => {
    const { spans } = readDrawing(drawChain(1, web) + whole('stock'));
    const { outcome } = await checkPath(spans, 'web -> orders', { baseline: missingCall });
    assert.equal(outcome, 'unknown');
  });

  test('a path through a gateway shows the edges that it takes', async () => {
    const gateway = ['gate SERVER "GET" 12..88', 'gate CLIENT "GET" 14..86'];
    const { spans } = readDrawing(drawChain(1, web, call('gate'), ...gateway, served('orders')));
    const { outcome, explanation } = await checkPath(spans, 'web -> orders');
    assert.equal(outcome, 'passed');
    assert.match(explanation, /^INTACT {2}2 edges, 2 calls .*\n\n✓ web → gate .*\n✓ gate → orders /);
  });

  suite('a path through a service that no expectation names', () => {
    const between = async (hop: readonly string[], callee = served('orders')) => {
      const { spans } = readDrawing(drawChain(1, web, call('hop'), ...hop, callee));
      return checkPath(spans, 'web -> orders');
    };
    const own = [
      'pricing SERVER "GET" 12..88 http.request.method=GET url.path=/price',
      drawClient({ from: 14, to: 86, service: 'pricing' }, 'orders/items'),
    ];
    const items = drawServer({ from: 20, to: 80 }, '/items');

    test('is undecided if it makes requests of its own: they do not show that the caller makes the call', async () => {
      const { outcome, explanation } = await between(own, items);
      assert.equal(outcome, 'unknown');
      assert.match(
        explanation.replaceAll(/\s+/g, ' '),
        /no call of web reaches orders directly, only through pricing \(GET \/work became GET \/items\): expect web -> pricing -> orders if that is meant/,
      );
    });

    test('is undecided if it receives messages', async () => {
      const [sent, received] = message(0);
      const { spans } = readDrawing(
        drawChain(
          1,
          sent ?? '',
          received?.replace('orders', 'worker') ?? '',
          drawClient({ from: 40, to: 60, service: 'worker' }),
          served('orders'),
        ),
      );
      const { outcome, explanation } = await checkPath(spans, 'web -> orders');
      assert.equal(outcome, 'unknown');
      assert.match(
        explanation.replaceAll(/\s+/g, ' '),
        /only through worker: expect web -> worker -> orders if that is meant/,
      );
    });

    test('is whole if it hands requests on: unchanged, with another prefix, or as a known proxy', async () => {
      const prefixed = [own[0]?.replace('/price', '/v1/work') ?? '', call('orders')];
      const rpc = 'rpc.system=grpc rpc.method=o.O/Get';
      const traefik = own.map((line) => `${line} scope:github.com/traefik/traefik`);
      const nginx = 'nginx SERVER "/" 12..88 http.method=GET http.target=/price scope:nginx';
      const envoy = 'mesh SERVER "/" 12..88 component=proxy http.method=GET http.url=http://mesh/price';
      for (const [hop, callee] of [
        [prefixed, served('orders')],
        [traefik, items],
        [[nginx], items],
        [[envoy], items],
        [[...traefik, nginx], items],
      ] as const) {
        assert.equal((await between(hop, callee)).outcome, 'passed', hop.join());
      }
      assert.equal((await between([nginx, ...own], items)).outcome, 'unknown');
      const calls = [
        `web CLIENT "o.O/Get" 10..90 ${rpc}`,
        `mesh SERVER "o.O/Get" 12..88 ${rpc}`,
        `orders SERVER "o.O/Get" 20..80 ${rpc}`,
      ];
      assert.equal(
        (await checkPath(readDrawing(drawChain(1, ...calls)).spans, 'web -> orders')).outcome,
        'passed',
      );
    });

    test('is whole if it rewrites the beginning of the path, cuts all of it, or the slash at its end', async () => {
      for (const [sent, received, outcome] of [
        ['/orders', '/', 'passed'],
        ['/api/orders', '/orders/', 'passed'],
        ['/api/orders/', '/orders', 'passed'],
        ['/api/v1/orders/1', '/internal/orders/1', 'passed'],
        ['/api/orders/1', '/internal/items/1', 'unknown'],
        ['/', '/items', 'unknown'],
      ] as const) {
        const lines = [
          web,
          drawClient({ from: 10, to: 90 }, `gate${sent}`),
          `gate SERVER "GET" 12..88 http.request.method=GET url.path=${sent}`,
          drawClient({ from: 14, to: 86, service: 'gate' }, `orders${received}`),
          drawServer({ from: 20, to: 80 }, received),
        ];
        const { spans } = readDrawing(drawChain(1, ...lines));
        assert.equal((await checkPath(spans, 'web -> orders')).outcome, outcome, `${sent} ${received}`);
      }
    });

    test('is whole if it hands one of several requests on', async () => {
      const forwarded = ['pricing SERVER "GET" 12..88 url.path=/work', call('orders')];
      const { spans } = readDrawing(
        drawChain(1, web, call('hop'), ...own, items) +
          drawChain(2, web, call('hop'), ...forwarded, served('orders')),
      );
      assert.equal((await checkPath(spans, 'web -> orders')).outcome, 'passed');
    });
  });

  test('a break stays a break: on a call to a service without a name, and beside open calls', async () => {
    const split = drawChain(1, web, call('orders')) + drawChain(2, served('unknown_service:node'));
    for (const more of ['', whole('stock')]) {
      const { spans, expectation } = readDrawing(`expect web -> orders\n${split}${more}`);
      const { outcome, result } = await check(spans, { expectation });
      assert.equal(outcome, 'failed');
      assert.deepEqual(
        result.findings
          .filter(({ severity }) => severity === 'error')
          .map(({ id, server }) => `${id} ${server}`),
        ['split-trace unknown_service:node'],
      );
    }
  });

  test('names of forbidden edges, tolerated peers and answering services may be misspelt', async () => {
    const forbidden = readDrawing(`must-not web -> stok\n${whole('stock')}`);
    const { explanation } = await check(forbidden.spans, { expectation: forbidden.expectation });
    assert.match(
      explanation.replace(/\s+/g, ' '),
      /^CANNOT TELL web -> stok: no span of stok is here: did you mean stock instead of stok\?/,
    );
    const sibling = readDrawing(`must-not web -> stock-2\n${whole('stock-1')}`);
    assert.match(
      (await check(sibling.spans, { expectation: sibling.expectation })).explanation.replace(/\s+/g, ' '),
      /no span of stock-2 is here, only of stock-1, web, so that must-not holds: check the names/,
    );
    const answering = readDrawing(`traceresponse stok\n${whole('stock')}`);
    assert.match(
      (await check(answering.spans, { expectation: answering.expectation })).explanation.replace(/\s+/g, ' '),
      /note no span of stok, under traceresponse, is here: did you mean stock\?/,
    );
    const others = [
      `traceresponse stock-2\n${whole('stock-1')}`,
      `traceresponse stok\nexpect web -> stock\n${whole('stock')}`,
      `traceresponse stok\ntraceresponse stock\n${whole('stock')}`,
    ];
    for (const drawing of others) {
      const { spans, expectation } = readDrawing(drawing);
      assert.doesNotMatch((await check(spans, { expectation })).explanation, /did you mean/);
    }
    const tolerated = readDrawing(
      `tolerate ordrs:8082\n${drawChain(1, web, call('orders:8082'))}${whole('stock')}`,
    );
    assert.match(
      (await check(tolerated.spans, { expectation: tolerated.expectation })).explanation.replace(/\s+/g, ' '),
      /note nobody calls the tolerated peer ordrs:8082: did you mean orders:8082\?/,
    );
  });

  test('a name that the expectation uses is not suggested for another', async () => {
    const { spans } = readDrawing(
      drawChain(
        1,
        web.replace('web', 'service-a'),
        call('x').replace('web', 'service-a'),
        served('unknown_service:node'),
      ),
    );
    const { explanation } = await check(spans, { expect: 'service-a -> service-b' });
    assert.match(
      explanation,
      /^CANNOT TELL {2}service-a -> service-b: service-b has no span and may be unknown_service:node/,
    );
    assert.doesNotMatch(explanation, /did you mean/);
  });
});
