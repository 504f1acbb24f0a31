import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { RowFacts } from '../../src/calls/row-facts.ts';
import { compareRequests, isAddressedTo, isSamePath } from '../../src/pairing/compare-requests.ts';
import { indexRequests } from '../../src/pairing/index-requests.ts';
import { pairSpans } from '../../src/pairing/pair-spans.ts';
import { endsWithin, indexByTime, startsDuring } from '../../src/pairing/times.ts';
import { thresholds } from '../../src/rules/thresholds.ts';
import type { Span } from '../../src/span/span.ts';
import { storeOf } from '../../src/span/span-writer.ts';
import { drawTrace } from '../draw-trace.ts';

/** Spans of a drawing by their ids. */
function draw(drawing: string): (id: string) => Span {
  const spans = new Map(drawTrace(drawing).map((span) => [span.spanId, span]));
  return (id) => {
    const span = spans.get(id.repeat(16).slice(0, 16));
    if (span === undefined) throw new Error(`the drawing has no span ${id}`);
    return span;
  };
}

/** A CLIENT and a SERVER span with these attributes. */
function drawCall(client: string, server: string): readonly [Span, Span] {
  const at = draw(`CLIENT web GET  a1  0..30 ${client}\nSERVER orders GET  b1  5..25 ${server}`);
  return [at('a1'), at('b1')];
}

const http = 'http.request.method=GET';
const rpc = 'rpc.system=grpc';
const mcp = 'mcp.method.name=tools/call';

suite('compareRequests', () => {
  const cases: readonly [expected: 'yes' | 'no' | 'unknown', client: string, server: string][] = [
    ['yes', `${http} url.path=/work`, `${http} url.path=/work`],
    ['yes', `${http} url.path=/work/`, `${http} url.path=/work`],
    ['yes', `${http} url.path=/work`, `${http} url.path=/work/`],
    ['yes', `${http} url.path=/`, `${http} url.path=/`],
    ['no', `${http} url.path=/work`, `${http} url.path=/play`],
    ['unknown', `${http} url.path=/api/work`, `${http} url.path=/work`],
    ['unknown', `${http} url.path=/work`, `${http} url.path=/api/work`],
    ['yes', `${http} url.path=/api/work/7`, `${http} url.path=/work/7`],
    ['yes', `${http} url.path=/work/7`, `${http} url.path=/api/work/7`],
    ['no', `${http} url.path=/api/work/7`, `${http} url.path=/play/7`],
    ['yes', `${http} url.full=http://gateway/api/work/7`, `${http} url.path=/work/7`],
    ['unknown', `${http} url.full=https://api.example.com/v1/work/7`, `${http} url.path=/work/7`],
    ['no', `${http} url.path=/work`, `${http} url.path=/`],
    ['yes', `${http} url.path=/work/7`, `${http} http.route=/work/:id`],
    ['unknown', `${http} url.path=/play/7`, `${http} http.route=/work/:id`],
    ['yes', `${http} url.path=/work server.port=80`, `${http} server.port=80`],
    ['unknown', `${http} url.path=/work server.port=80`, `${http} server.port=81`],
    ['unknown', `${http} url.path=/work`, http],
    ['yes', `${http} server.port=80`, `${http} server.port=80 url.path=/work`],
    ['unknown', `${http} server.port=80`, `${http} server.port=81 url.path=/work`],
    ['unknown', http, http],
    ['no', `${http} url.path=/work`, 'http.request.method=POST url.path=/work'],
    ['yes', 'http.response.status_code=200 url.path=/work', `${http} url.path=/work`],
    [
      'no',
      `${http} user_agent.original=node url.path=/work`,
      `${http} user_agent.original=curl url.path=/work`,
    ],
    ['yes', `${http} user_agent.original=node url.path=/work`, `${http} url.path=/work`],
    ['yes', `${http} url.path=/work`, `${http} user_agent.original=curl url.path=/work`],
    [
      'no',
      `${http} http.response.status_code=200 url.path=/work`,
      `${http} http.response.status_code=500 url.path=/work`,
    ],
    [
      'unknown',
      `${http} http.response.status_code=200 url.path=/work`,
      `${http} http.response.status_code=202 url.path=/work`,
    ],
    [
      'no',
      `${http} http.response.status_code=200 url.path=/work`,
      `${http} http.response.status_code=202 url.path=/play`,
    ],
    [
      'no',
      `${http} http.response.status_code=404 url.path=/work`,
      `${http} http.response.status_code=200 url.path=/work`,
    ],
    ['yes', `${http} http.response.status_code=200 url.path=/work`, `${http} url.path=/work`],
    ['yes', `${http} url.path=/work`, `${http} http.response.status_code=500 url.path=/work`],
    ['yes', `${rpc} rpc.method=shop.Orders/Get`, `${rpc} rpc.method=shop.Orders/Get`],
    ['no', `${rpc} rpc.method=shop.Orders/Get`, `${rpc} rpc.method=shop.Orders/Put`],
    ['yes', `${rpc} rpc.method=shop.Orders/Get`, rpc],
    ['no', `${rpc} rpc.method=shop.Orders/Get`, `${http} url.path=/shop.Orders/Get`],
    ['yes', `${rpc} rpc.method=shop.Orders/Get`, 'http.request.method=POST url.path=/shop.Orders/Get'],
    ['yes', 'http.request.method=POST url.path=/shop.Orders/Get', `${rpc} rpc.method=shop.Orders/Get`],
    ['no', 'http.request.method=POST url.path=/shop.Orders/Put', `${rpc} rpc.method=shop.Orders/Get`],
    ['no', rpc, http],
    ['no', `${http} url.path=/work`, 'messaging.system=kafka url.path=/work'],
    ['no', rpc, 'http.request.method=POST url.path=/shop.Orders/Get'],
    ['no', mcp, `${http} url.path=/mcp`],
    ['unknown', mcp, 'http.request.method=POST url.path=/mcp'],
    ['no', mcp, `${rpc} rpc.method=tools/call`],
    ['yes', mcp, 'mcp.method.name=tools/call'],
    ['no', mcp, 'mcp.method.name=tools/list'],
    ['yes', `${mcp} jsonrpc.request.id=7`, `${mcp} mcp.session.id=a`],
    ['no', `${mcp} jsonrpc.request.id=7 mcp.session.id=a`, `${mcp} jsonrpc.request.id=8 mcp.session.id=a`],
    ['no', `${mcp} jsonrpc.request.id=7 mcp.session.id=a`, `${mcp} jsonrpc.request.id=7 mcp.session.id=b`],
  ];
  for (const [expected, client, server] of cases) {
    test(`${client} and ${server}: ${expected}`, () => {
      assert.equal(compareRequests(...drawCall(client, server)), expected);
    });
  }

  test('RPC spans without a method are compared by their names', () => {
    const at = draw(
      `CLIENT web Get  a1  0..30 ${rpc}\nSERVER orders Get  b1  5..25 ${rpc}\nSERVER orders Put  c1  5..25 ${rpc}`,
    );
    assert.equal(compareRequests(at('a1'), at('b1')), 'yes');
    assert.equal(compareRequests(at('a1'), at('c1')), 'unknown');
    const [, known] = drawCall(rpc, `${rpc} rpc.method=shop.Orders/Get`);
    assert.equal(compareRequests(at('a1'), known), 'unknown');
  });
});

suite('indexRequests', () => {
  const mayBeSame = (call: Span, request: Span): boolean =>
    indexRequests([call], new RowFacts(storeOf([request])))(0, 0);
  const cases: readonly [expected: boolean, call: string, request: string][] = [
    [true, `${http} url.path=/work/`, `${http} url.path=/work`],
    [true, `${http} url.path=/work`, `${http} url.path=/work/`],
    [false, `${http} url.path=/work`, `${http} url.path=/play`],
    [true, `${http} url.path=/work/7`, `${http} http.route=/work/:id`],
    [true, `${http} server.port=80`, `${http} server.port=80 url.path=/work`],
    [false, `${http} server.port=80`, `${http} server.port=81 url.path=/work`],
    [false, `${http} server.port=80`, `${http} url.path=/work`],
    [false, `${http} server.port=80 url.path=/work`, `${http} server.port=80 url.path=/play`],
    [false, http, `${http} url.path=/work`],
    [true, `${rpc} rpc.method=shop.Orders/Get`, `${rpc} rpc.method=shop.Orders/Get`],
    [true, `${rpc} rpc.method=shop.Orders/Get`, 'http.request.method=POST url.path=/shop.Orders/Get'],
    [true, 'http.request.method=POST url.path=/shop.Orders/Get', `${rpc} rpc.method=shop.Orders/Get`],
    [true, rpc, `${rpc} url.path=/work`],
    [true, mcp, `${mcp} url.path=/mcp`],
  ];
  for (const [expected, client, server] of cases) {
    test(`${client} may be ${server}: ${expected}`, () => {
      const [call, request] = drawCall(client, server);
      assert.equal(mayBeSame(call, request), expected);
    });
  }

  test('RPC spans are found by their method or by their names', () => {
    const at = draw(
      `CLIENT web Get  a1  0..30 ${rpc} rpc.method=shop.Orders/Get\nSERVER orders Put  b1  5..25 ${rpc} rpc.method=shop.Orders/Put`,
    );
    assert.equal(mayBeSame(at('a1'), at('b1')), false);
  });
});

suite('isAddressedTo', () => {
  const cases: readonly [expected: boolean, client: string, server: string][] = [
    [true, 'url.full=http://orders:80/', 'server.address=orders server.port=80'],
    [true, 'url.full=http://orders:80/', 'server.address=orders server.port=81'],
    [true, 'url.full=http://orders:80/', 'server.address=10.0.0.7 server.port=80'],
    [false, 'url.full=http://orders:80/', 'server.address=10.0.0.7 server.port=81'],
    [false, 'url.full=http://orders:80/', 'server.port=81'],
    [false, 'server.address=orders', 'server.address=10.0.0.7'],
    [true, 'server.address=orders', 'server.port=81'],
    [true, 'url.full=http://orders:80/', http],
    [true, http, 'server.address=orders server.port=80'],
  ];
  for (const [expected, client, server] of cases) {
    test(`${client} and ${server}: ${expected}`, () => {
      assert.equal(isAddressedTo(...drawCall(client, server)), expected);
    });
  }
});

suite('isSamePath', () => {
  const cases: readonly [expected: boolean, one: string, other: string][] = [
    [true, `${http} url.path=/work`, `${http} url.path=/work`],
    [true, `${http} url.path=/api/work`, `${http} url.path=/work`],
    [true, `${http} url.path=/work`, `${http} url.path=/api/work`],
    [false, `${http} url.path=/work/a`, `${http} url.path=/work`],
    [false, `${http} url.path=/work`, `${http} url.path=/work/a`],
    [false, `${http} url.path=/work`, `${http} url.path=/play`],
    [false, `${http} url.path=/work`, `${rpc} rpc.method=shop.Orders/Get url.path=/work`],
    [true, `${rpc} rpc.method=shop.Orders/Get`, `${rpc} rpc.method=shop.Orders/Get`],
    [false, `${rpc} rpc.method=shop.Orders/Get`, `${rpc} rpc.method=shop.Orders/Put`],
    [true, http, http],
    [false, `${rpc} rpc.method=shop.Orders/Get url.path=/work`, `${rpc} rpc.method=shop.Orders/Put`],
  ];
  for (const [expected, one, other] of cases) {
    test(`${one} and ${other}: ${expected}`, () => {
      assert.equal(isSamePath(...drawCall(one, other)), expected);
    });
  }
});

suite('times', () => {
  const at = draw('SERVER web GET  a1  100..200\nSERVER web GET  b1  99..201\nSERVER web GET  c1  98..202');

  test('a span starts during another up to the rounding', () => {
    assert.ok(startsDuring(at('b1'), at('a1'), thresholds));
    assert.ok(!startsDuring(at('c1'), at('a1'), thresholds));
    const after = draw('SERVER web GET  a1  201..300\nSERVER web GET  b1  202..300');
    assert.ok(startsDuring(after('a1'), at('a1'), thresholds));
    assert.ok(!startsDuring(after('b1'), at('a1'), thresholds));
  });

  test('a span ends within another up to the rounding', () => {
    assert.ok(endsWithin(at('b1'), at('a1'), thresholds));
    assert.ok(!endsWithin(at('c1'), at('a1'), thresholds));
  });
});

suite('indexByTime', () => {
  const at = draw(
    'CLIENT web GET  a1  0..100\nCLIENT web GET  b1  10..20\nCLIENT web GET  c1  30..40\nCLIENT web GET  d1  30.. 90'.replace(
      '30.. 90',
      '35..90',
    ),
  );
  const spans = ['b1', 'a1', 'd1', 'c1'].map(at);
  const openAt = (index: ReturnType<typeof indexByTime>, time: number) => {
    const found: string[] = [];
    index.someOpen(1_700_000_000_000_000_000n + BigInt(time) * 1_000_000n, ({ spanId }) => {
      found.push(spanId.slice(0, 2));
      return false;
    });
    return found;
  };

  test('finds open spans, the latest start first, within the tolerance for clocks', () => {
    const index = indexByTime(spans, thresholds);
    assert.deepEqual(openAt(index, 15), ['b1', 'a1']);
    assert.deepEqual(openAt(index, 36), ['d1', 'c1', 'a1']);
    assert.deepEqual(openAt(index, 45), ['d1', 'c1', 'a1']);
    assert.deepEqual(openAt(index, 46), ['d1', 'a1']);
    assert.deepEqual(openAt(index, 25), ['c1', 'b1', 'a1']);
    assert.deepEqual(openAt(index, 24), ['b1', 'a1']);
    assert.deepEqual(openAt(index, -5), ['a1']);
    assert.deepEqual(openAt(index, -6), []);
    assert.deepEqual(openAt(index, 105), ['a1']);
    assert.deepEqual(openAt(index, 106), []);
    assert.deepEqual(openAt(indexByTime([], thresholds), 0), []);
  });

  test('continues after a nested look-up', () => {
    const index = indexByTime(spans, thresholds);
    const found: string[] = [];
    const isOpen = index.someOpen(1_700_000_000_036_000_000n, ({ spanId }) => {
      found.push(spanId.slice(0, 2));
      return openAt(index, 15).length === 0;
    });
    assert.deepEqual([found, isOpen], [['d1', 'c1', 'a1'], false]);
  });

  test('does not find removed spans', () => {
    const index = indexByTime(spans, thresholds);
    index.remove(at('a1'));
    assert.deepEqual(openAt(index, 36), ['d1', 'c1']);
    index.remove(at('d1'));
    index.remove(at('d1'));
    assert.deepEqual(openAt(index, 36), ['c1']);
    assert.deepEqual(openAt(index, 60), []);
    index.remove(draw('CLIENT web GET  f1  0..1')('f1'));
    assert.deepEqual(openAt(index, 15), ['b1']);
  });
});

suite('pairSpans', () => {
  const pairsOf = (drawing: string, fits = (_client: Span, _server: Span): boolean => true) => {
    const spans = drawTrace(drawing);
    return pairSpans(
      spans.filter(({ kind }) => kind === 'CLIENT'),
      spans.filter(({ kind }) => kind === 'SERVER'),
      fits,
      thresholds,
    )
      .map(
        ({ client, server, unique }) =>
          `${client.spanId.slice(0, 2)} ${server.spanId.slice(0, 2)}${unique ? '' : ' ?'}`,
      )
      .sort();
  };

  test('pairs overlapping spans, each once', () => {
    assert.deepEqual(
      pairsOf(
        'CLIENT web GET  a1  0..30\nCLIENT web GET  a2  100..130\nSERVER orders GET  b1  5..25\nSERVER orders GET  b2  105..125\nSERVER orders GET  b3  205..225',
      ),
      ['a1 b1', 'a2 b2'],
    );
  });

  test('pairs as many as possible, although one span fits several', () => {
    // b1 fits both calls and comes first; b2 fits only the call that is nearest to b1.
    assert.deepEqual(
      pairsOf(
        'CLIENT web GET  a1  0..30\nCLIENT web GET  a2  4..60\nSERVER orders GET  b1  5..25\nSERVER orders GET  b2  6..28',
        (client, server) => !(client.spanId.startsWith('a2') && server.spanId.startsWith('b2')),
      ),
      ['a1 b2 ?', 'a2 b1 ?'],
    );
  });

  test('frees calls over several steps', () => {
    const order =
      'CLIENT web GET  a1  0..30\nCLIENT web GET  a2  0..40\nCLIENT web GET  a3  0..50\nSERVER orders GET  b1  5..35\nSERVER orders GET  b2  6..46\nSERVER orders GET  b3  7..35';
    const allowed = new Set(['a1 b1', 'a2 b1', 'a2 b2', 'a3 b2', 'a1 b3']);
    assert.deepEqual(
      pairsOf(order, (client, server) =>
        allowed.has(`${client.spanId.slice(0, 2)} ${server.spanId.slice(0, 2)}`),
      ),
      ['a1 b3 ?', 'a2 b1 ?', 'a3 b2 ?'],
    );
  });

  test('prefers the fitting call with the closest duration', () => {
    assert.deepEqual(
      pairsOf(
        'CLIENT web GET  a1  0..200\nCLIENT web GET  a2  1..30\nCLIENT web GET  a3  2..90\nSERVER orders GET  b1  5..25',
      ),
      ['a2 b1 ?'],
    );
    assert.deepEqual(
      pairsOf('CLIENT web GET  a1  0..65\nCLIENT web GET  a2  1..91\nSERVER orders GET  b1  5..85'),
      ['a2 b1 ?'],
    );
  });

  test('looks beyond the rounding only if nothing fits within it', () => {
    assert.deepEqual(pairsOf('CLIENT web GET  a1  9..40\nSERVER orders GET  b1  5..25'), ['a1 b1']);
    assert.deepEqual(
      pairsOf('CLIENT web GET  a1  9..90\nCLIENT web GET  a2  9..30\nSERVER orders GET  b1  5..25'),
      ['a2 b1 ?'],
    );
    assert.deepEqual(
      pairsOf(
        'CLIENT web GET  a1  0..40\nCLIENT web GET  a2  9..60\nSERVER orders GET  b1  5..25\nSERVER orders GET  b2  6..26',
      ),
      ['a1 b1 ?'],
    );
    assert.deepEqual(
      pairsOf('CLIENT web GET  a1  9..30\nCLIENT web GET  a2  0..300\nSERVER orders GET  b1  5..25'),
      ['a2 b1'],
    );
  });

  test('does not pair a call with a span around it, or with itself', () => {
    assert.deepEqual(pairsOf('CLIENT web GET  a1  10..30\nSERVER orders GET  b1  5..45'), []);
    const [span] = drawTrace('CLIENT web GET  a1  10..30');
    assert.ok(span !== undefined);
    assert.deepEqual(
      pairSpans([span], [span], () => true, thresholds),
      [],
    );
  });

  test('does not pair a call with a request that began before it, unless either start is rounded', () => {
    const [call, request] = drawTrace('CLIENT web GET  a1  10..30\nSERVER orders GET  b1  10..45');
    assert.ok(call !== undefined && request !== undefined);
    const move = (span: Span, by: bigint): Span => ({
      ...span,
      startTimeUnixNano: span.startTimeUnixNano + by,
    });
    const countPairs = (client: Span, server: Span): number =>
      pairSpans([client], [server], () => true, thresholds).length;
    assert.equal(countPairs(call, move(request, -600_000n)), 1);
    assert.equal(countPairs(move(call, 600_000n), request), 1);
    assert.equal(countPairs(move(call, 600_000n), move(request, -1n)), 0);
  });

  test('compares only spans that overlap', () => {
    let comparisons = 0;
    pairsOf('CLIENT web GET  a1  0..30\nCLIENT web GET  a2  100..130\nSERVER orders GET  b1  5..25', () => {
      comparisons += 1;
      return true;
    });
    assert.equal(comparisons, 1);
  });
});
