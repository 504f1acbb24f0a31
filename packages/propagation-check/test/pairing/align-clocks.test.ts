import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { findEdges } from '../../src/calls/edge.ts';
import { buildTraceGraph } from '../../src/graph/trace-graph.ts';
import { estimateOffsets } from '../../src/pairing/align-clocks.ts';
import type { AnswerLookup } from '../../src/pairing/answers.ts';
import { thresholds } from '../../src/rules/thresholds.ts';
import { readDrawing } from '../engine/read-drawing.ts';

/** By how many milliseconds clocks are ahead: `service/instance 5000`, or `service/instance ~5000` for a guess. */
function measure(drawing: string, answersOf: AnswerLookup = () => []): readonly string[] {
  const { spans, expectation } = readDrawing(drawing);
  const results = [spans, [...spans].reverse()].map((received) => {
    const graph = buildTraceGraph(received);
    const offsets = estimateOffsets(graph, findEdges(graph), expectation, answersOf, thresholds);
    return [...offsets.values()]
      .map(
        ({ service, instance, ahead, guess }) =>
          `${service}/${instance ?? '-'} ${guess === null ? '' : '~'}${ahead / 1_000_000n}`,
      )
      .sort();
  });
  assert.deepEqual(results[1], results[0]);
  return results[0] ?? [];
}

const client = (service: string, from: number, more = ''): string =>
  `${service} CLIENT "GET" ${from}..${from + 100} http.request.method=GET url.full=http://orders:80/work ${more}`;
const server = (service: string, from: number, more = ''): string =>
  `${service} SERVER "GET /work" ${from}..${from + 60} http.request.method=GET url.path=/work ${more}`;

/** Calls of `web`, a second apart; the numbers say how long after its call each SERVER span begins. */
function drawCalls(
  distances: readonly number[],
  { more = '', to = 'orders', first = 1, call = '' } = {},
): string {
  return distances
    .map((distance, at) => {
      const from = (first + at) * 1000;
      return `trace ${first + at}\n  ${client('web', from, call)}\n    ${server(to, from + distance, more)}\n`;
    })
    .join('');
}

/** The same calls, with the two sides in separate traces. */
function drawLoose(distances: readonly number[], head = 'expect web -> orders\n'): string {
  return distances
    .map((distance, at) => {
      const from = (at + 1) * 1000;
      return `trace ${at + 1}\n  ${client('web', from)}\ntrace ${at + 101}\n  ${server('orders', from + distance)}\n`;
    })
    .reduce((all, one) => all + one, head);
}

/** Loose ends at irregular times; the numbers say how long after its call each request begins. */
function drawIrregular(distances: readonly number[], head = ''): string {
  const starts = [1000, 2370, 3110, 5520, 6230];
  return distances
    .map((distance, at) => {
      const from = starts[at] ?? 0;
      const call = client('web', from, 'http.response.status_code=200');
      return `trace ${at + 1}\n  ${call}\ntrace ${at + 101}\n  ${server('orders', from + distance)}\n`;
    })
    .reduce((all, one) => all + one, head);
}

suite('whole calls', () => {
  test('show how far the clock of the server is ahead or behind', () => {
    assert.deepEqual(measure(drawCalls([20, 20, 20])), []);
    assert.deepEqual(measure(drawCalls([5020, 5020, 5020])), ['orders/- 5000']);
    assert.deepEqual(
      measure(drawCalls([-4980, -4980, -4980]).concat('trace 9\n  web INTERNAL "job" 9000..9001\n')),
      ['orders/- -5000'],
    );
  });

  test('show no offset if work starts at any later time, or most of it in time', () => {
    assert.deepEqual(measure(drawCalls([500, 1500, 2500, 3500])), []);
    assert.deepEqual(measure(drawCalls([20, 20, 20, 5020])), []);
    assert.deepEqual(measure(drawCalls([5, 5, 5, 5020])), []);
  });

  test('count as in time within a tolerance before and after their calls', () => {
    const little = Number(thresholds.clockTolerance) / 2_000_000;
    assert.deepEqual(measure(drawCalls([-little, -little, 5020])), []);
    assert.deepEqual(measure(drawCalls([100 + little, 100 + little, 5020])), []);
  });

  test('are measured by the offset at which most SERVER spans lie within their calls', () => {
    assert.deepEqual(measure(drawCalls([5060, 5020, 5000, 5030, 4990])), ['orders/- 4990']);
    // Half of the calls waited before they were answered, so that no distance is usual.
    const [quick, slow] = [drawCalls([5000, 5000]), drawCalls([5900, 5900], { first: 10 })];
    const waited = slow.replaceAll(
      /CLIENT "GET" (\d+)\.\.(\d+)/g,
      (_, from) => `CLIENT "GET" ${from}..${Number(from) + 1000}`,
    );
    assert.deepEqual(measure(quick + waited), ['orders/- 4980']);
  });

  test('that were given up show no offset', () => {
    const givenUp = 'http.response.status_code=503';
    assert.deepEqual(measure(drawCalls([5020, 5020, 5020], { call: givenUp })), []);
    const others = drawCalls([5020, 5020], { first: 10, call: givenUp });
    assert.deepEqual(measure(drawCalls([20]) + others), []);
    assert.deepEqual(measure(drawCalls([5020]) + drawCalls([20, 20], { first: 10, call: givenUp })), [
      'orders/- 5000',
    ]);
  });

  test('within one service, of messages and of hand-made spans show no offset', () => {
    const replica = (name: string) => `resource:service.instance.id=${name}`;
    const replicas = { to: 'web', call: replica('a'), more: replica('b') };
    assert.deepEqual(measure(drawCalls([5020, 5020], replicas)), []);
    for (const [one, other] of [
      ['PRODUCER', 'CONSUMER'],
      ['CLIENT', 'INTERNAL'],
      ['INTERNAL', 'SERVER'],
    ]) {
      const drawing = `trace 1\n  web ${one} "send" 0..10\n    orders ${other} "work" 5000..5010\n`;
      assert.deepEqual(measure(drawing), [], `${one} ${other}`);
    }
  });
});

suite('several clocks', () => {
  test('follow the clock with the most spans, and among equals the one that begins first', () => {
    const more = '    orders INTERNAL "load" 6030..6040\n    orders INTERNAL "load" 6050..6060\n';
    assert.deepEqual(measure(`${drawCalls([5020])}  ${more}`), ['web/- -5000']);
    assert.deepEqual(measure(drawCalls([-4980])), ['web/- 5000']);
    const resent = `trace 5\n  web INTERNAL "load" 900..940 id:load\n  web INTERNAL "load" 900..940 shares:load\n`;
    const load = 'trace 6\n  orders INTERNAL "load" 6070..6080\n  orders INTERNAL "load" 6090..6095\n';
    assert.deepEqual(measure(drawCalls([5020]) + load + resent), ['web/- -5000']);
  });

  test('add up along a chain', () => {
    const chain = `trace 1
  web SERVER "GET /call" 0..200
    web CLIENT "GET" 10..110
      orders SERVER "GET /work" 5030..5090
        orders CLIENT "GET" 5040..5080
          stock SERVER "GET /items" 2050..2070
    web INTERNAL "render" 120..130
    web INTERNAL "render" 140..150
`;
    assert.deepEqual(measure(chain), ['orders/- 5000', 'stock/- 2000']);
  });

  test('are measured from the earliest request if two replicas disagree about another clock', () => {
    const replica = (name: string) => `resource:service.instance.id=${name}`;
    const received = (first: number, name: string, ahead: number) =>
      drawCalls([ahead + 20], { first, more: replica(name) });
    const sent = (first: number, name: string) =>
      drawCalls([1020], { first, to: 'stock', call: replica(name) }).replaceAll(
        'web CLIENT',
        'orders CLIENT',
      );
    const work = Array.from({ length: 9 }, (_, at) => `  web INTERNAL "work" ${at}..${at + 1}\n`).join('');
    assert.deepEqual(
      measure(
        `${received(1, 'a', 5000)}${received(2, 'b', 3000)}${received(8, 'b', 3000)}${sent(3, 'a')}${sent(4, 'b')}trace 9\n${work}`,
      ),
      ['orders/a 5000', 'orders/b 3000', 'stock/- 4000'],
    );
  });

  test('are those of replicas, by the most specific attribute with a text', () => {
    const replica = (name: string) => ({
      more: `resource:host.name=${name} resource:service.instance.id=""`,
    });
    const drawing =
      drawCalls([20, 20], replica('a')) + drawCalls([5020, 5020], { first: 10, ...replica('b') });
    assert.deepEqual(measure(drawing), ['orders/b 5000']);
    const numbered = (at: number) => ({ more: `resource:service.instance.id=${at}` });
    assert.deepEqual(
      measure(drawCalls([5020], numbered(1)) + drawCalls([5020], { first: 10, ...numbered(2) })),
      ['orders/- 5000'],
    );
  });

  test("take the offset of the service's other replicas if nothing measured them and those agree", () => {
    const of = (name: string, first: number) => ({ more: `resource:service.instance.id=${name}`, first });
    const unmeasured = `trace 90\n  orders SERVER "GET /other" 90000..90010 resource:service.instance.id=c\n`;
    const agreeing = drawCalls([5020, 5020], of('a', 1)) + drawCalls([5040, 5040], of('b', 10));
    assert.deepEqual(measure(agreeing + unmeasured).slice(0, 2), ['orders/a 5000', 'orders/b 5020']);
    assert.equal(measure(agreeing + unmeasured).length, 2);
    const third = drawCalls([5020, 5020], of('d', 20));
    assert.equal(measure(agreeing + third + unmeasured).length, 3);
    const close = drawCalls([5020, 5020], of('a', 1)) + drawCalls([5021, 5021], of('b', 10));
    assert.deepEqual(measure(close + unmeasured), ['orders/a 5000', 'orders/b 5001', 'orders/c 5001']);
  });
});

suite('loose ends of an expected edge', () => {
  test('show an offset if all are apart by the same time', () => {
    assert.deepEqual(measure(drawLoose([5020, 5020, 5020, 5020])), ['orders/- 5000']);
    assert.deepEqual(measure(drawLoose([-4980, -4980, -4980, -4980])), ['web/- 5000']);
    assert.deepEqual(measure(drawLoose([5020, 5020, 5020, 5320])), []);
    assert.deepEqual(measure(drawLoose([5020, 5020, 5020])), ['orders/- 5000']);
    assert.deepEqual(measure(drawLoose([5020, 5020])), []);
  });

  test('show no offset if they fit as they are, or the edge is not required', () => {
    assert.deepEqual(measure(drawLoose([20, 20, 20, 20])), []);
    assert.deepEqual(measure(drawLoose([70, 130, 70, 130])), []);
    assert.deepEqual(measure(drawLoose([5020, 5020, 5020, 5020], 'may web -> orders\n')), []);
    assert.deepEqual(measure(drawLoose([5020, 5020, 5020, 5020], 'expect orders -> web\n')), []);
  });

  test('show no offset if they fit as they are in another order', () => {
    // Of four concurrent calls, the first and the last took long. Paired in the order of their starts, short calls have late requests.
    const calls = ['1000..1017', '1000..1004.6', '1000..1004.6', '1001..1018'];
    const requests = ['1004..1004.2', '1004..1004.1', '1015..1015.2', '1015..1015.1'];
    const draw = (path: (at: number) => string): string =>
      [
        ...calls.map((time, at) => [time, client('web', 0), path(at)] as const),
        ...requests.map((time, at) => [time, server('orders', 0), path(at)] as const),
      ]
        .map(([time, line, of], at) => [at + 1, line.replace(/\d+\.\.\d+/, time).replaceAll('/work', of)])
        .reduce((all, [trace, line]) => `${all}trace ${trace}\n  ${line}\n`, 'expect web -> orders\n');
    assert.deepEqual(measure(draw(() => '/work')), []);
    // Here the paths decide the order.
    assert.deepEqual(measure(draw((at) => `/work/${at}`)), ['orders/- 7']);
  });

  test('show no offset if a cache answered one of them', () => {
    const answersOf: AnswerLookup = ({ startTimeUnixNano }) => [
      { row: 1, isInTime: false, isOfAnother: startTimeUnixNano % 4_000_000_000n === 0n },
    ];
    assert.deepEqual(measure(drawLoose([5020, 5020, 5020]), answersOf), ['orders/- 5000']);
    assert.deepEqual(measure(drawLoose([5020, 5020, 5020, 5020]), answersOf), []);
  });

  test('show no offset if a call is whole, unless nobody waited for it', () => {
    const loose = drawLoose([5020, 5020, 5020, 5020]);
    assert.deepEqual(measure(loose + drawCalls([20], { first: 50 })), []);
    const givenUp = drawCalls([20], { first: 50, call: 'http.response.status_code=503' });
    assert.deepEqual(measure(loose + givenUp), ['orders/- 5000']);
    assert.deepEqual(measure(loose + drawCalls([20], { first: 50, to: 'stock' })), ['orders/- 5000']);
    const ofReplica = (name: string) => `resource:service.instance.id=${name}`;
    const ofAnother = loose.replaceAll(/(orders SERVER.*)/g, `$1 ${ofReplica('b')}`);
    assert.deepEqual(measure(ofAnother), ['orders/b 5000']);
    assert.deepEqual(measure(ofAnother + drawCalls([20], { first: 50, more: ofReplica('a') })), []);
    const other = `trace 60\n  ${client('shop', 60_000)}\n    ${server('orders', 60_020)}\n`;
    assert.deepEqual(measure(loose + other), ['web/- -5000']);
    const message = 'trace 61\n  web PRODUCER "send" 61000..61010\n    orders CONSUMER "work" 61020..61030\n';
    for (const whole of [
      message,
      message.replace('PRODUCER', 'CLIENT'),
      message.replace('CONSUMER', 'SERVER'),
    ])
      assert.deepEqual(measure(loose + whole), ['orders/- 5000'], whole);
  });

  test('must be equally many on both sides, for the same request', () => {
    const loose = drawLoose([5020, 5020, 5020, 5020]);
    assert.deepEqual(measure(`${loose}trace 70\n  ${server('orders', 70_000)}\n`), []);
    assert.deepEqual(measure(`${loose}trace 70\n  ${client('web', 70_000)}\n`), []);
    const beside = [
      client('shop', 70_000),
      server('stock', 71_000),
      'web PRODUCER "send" 72000..72010 messaging.system=kafka',
      'orders CONSUMER "work" 73000..73010 messaging.system=kafka',
      `lost\n    ${server('stock', 71_000)}`,
      'orders SERVER "GET /healthz" 74000..74001 http.request.method=GET url.path=/healthz',
      'web CLIENT "GET" 75000..75010 http.request.method=GET url.full=http://orders:80/other',
    ];
    const drawn = beside.map((line, at) => `trace ${80 + at}\n  ${line}\n`).join('');
    assert.deepEqual(measure(loose + drawn), ['orders/- 5000']);
  });

  test('show no offset if only their times suggest that they belong together', () => {
    const loose = drawLoose([5020, 5020, 5020, 5020]);
    assert.deepEqual(measure(loose.replaceAll('url.full=http://orders:80/work', '')), []);
  });

  test('may name missing parents', () => {
    const loose = drawLoose([5020, 5020, 5020, 5020]);
    const orphans = loose.replaceAll(/\n {2}(orders SERVER.*)/g, '\n  lost\n    $1');
    assert.deepEqual(measure(orphans), ['orders/- 5000']);
    const first = loose.replace(/\n {2}(orders SERVER.*)/, '\n  lost\n    $1');
    assert.deepEqual(measure(first), ['orders/- 5000']);
  });

  test('are compared in the order in which they began', () => {
    const [path, calls] = [(at: number) => `/work/${at % 2 === 0 ? 'a' : 'b'}`, [1, 2, 3, 4]];
    const drawing = (turned: number): string =>
      calls
        .map(
          (at) =>
            `trace ${at}\n  ${client('web', at * 1000).replace('/work', path(at))}\ntrace ${at + 100}\n  ${server('orders', at * 1000 + 5020).replaceAll('/work', path(at + turned))}\n`,
        )
        .reduce((all, one) => all + one, 'expect web -> orders\n');
    assert.deepEqual(measure(drawing(0)), ['orders/- 5000']);
    assert.deepEqual(measure(drawing(1)), []);
    assert.deepEqual(measure(drawing(0).replace('/work/b', '/work/a')), []);
  });
});

suite('loose ends that no expectation connects', () => {
  const distances = [320, 320, 320, 320, 320];
  const known = ['orders/- ~300'];

  test('show an offset if requests follow calls at irregular times', () => {
    assert.deepEqual(measure(drawIrregular(distances)), known);
    const replicas = ['a', 'b', 'a', 'b', 'b'].values();
    const ofTwo = drawIrregular(distances).replaceAll(
      /orders SERVER .*/g,
      (line) => `${line} resource:service.instance.id=${replicas.next().value}`,
    );
    assert.deepEqual(measure(ofTwo), ['orders/a ~300', 'orders/b ~300']);
  });

  test('show an offset beside calls to other targets, probes and requests of other callers', () => {
    const beside = [
      client('web', 9000, 'http.response.status_code=200').replace('orders:80/work', 'stock:80/items'),
      'orders SERVER "GET /healthz" 9100..9101 http.request.method=GET url.path=/healthz',
      server('stock', 9200).replaceAll('/work', '/other'),
    ];
    const drawn = beside.map((line, at) => `trace ${200 + at}\n  ${line}\n`).join('');
    assert.deepEqual(measure(drawIrregular(distances) + drawn), known);
  });

  test('show the offset of a replica without calls by that of the others', () => {
    const ofReplica = (name: string) => `resource:service.instance.id=${name}`;
    const loose = drawIrregular([320, 320, 320, 320, 320]);
    const ofOthers = loose.replaceAll(/(orders SERVER.*)/g, `$1 ${ofReplica('a')}`);
    const job = `trace 90\n  orders INTERNAL "job" 9000..9010 ${ofReplica('b')}\n`;
    assert.deepEqual(measure(ofOthers + job), ['orders/a ~300', 'orders/b ~300']);
  });

  test('show no offset if they are few, do not follow, or others are expected to call', () => {
    assert.deepEqual(measure(drawIrregular([320, 320, 320, 320])), []);
    assert.deepEqual(measure(drawIrregular([320, 320, 120, 320, 920])), []);
    assert.deepEqual(measure(drawIrregular(distances, 'expect gateway -> orders\n')), []);
  });

  test('show no offset if the call may have gone outside, or reached nobody', () => {
    const drawn = drawIrregular(distances);
    assert.deepEqual(measure(drawn.replaceAll('http://orders:80', 'https://api.partner.example')), []);
    assert.deepEqual(measure(drawn.replaceAll('url.full=http://orders:80', 'http.target=')), known);
    assert.deepEqual(measure(drawn.replaceAll('http.response.status_code=200', '')), []);
  });

  test('show no offset if whole calls connect the clocks', () => {
    const path = `trace 50
  ${client('web', 50_000)}
    mid SERVER "GET /work" 50020..50080
      mid CLIENT "GET" 50030..50070
        orders SERVER "GET /work" 50040..50060
`;
    assert.deepEqual(measure(drawIrregular(distances) + path), []);
  });
});
