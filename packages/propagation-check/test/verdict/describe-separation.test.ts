import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { storeOf } from '../../src/span/span-writer.ts';
import { checkStore, checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { checkDrawing } from '../engine/read-fixture-drawing.ts';
import { listFacts, listUndecided } from '../rules/judge-drawing.ts';

type Words = { readonly [side in 'web' | 'orders']?: string };

const request = 'http.request.method=GET url.path=/work';

interface Drawn extends Words {
  readonly broken?: true;
  readonly times?: number;
  /** How many spans each row of a whole call stands for. */
  readonly weight?: number;
}

/** Calls of web to orders, one after another, some whole and some split; further words extend the lines of each side. */
function judge(calls: readonly Drawn[]) {
  const traces = calls.flatMap(({ times = 1, ...call }) => Array.from({ length: times }, () => call));
  const drawing = traces.flatMap(({ web = '', orders = '', broken }, at) => {
    const start = at * 1_000 + (at % 7) * 13;
    const client = `web CLIENT "GET" ${start}..${start + 90} http.request.method=GET url.full=http://orders:80/work http.response.status_code=200 ${web}`;
    const server = `orders SERVER "GET /work" ${start + 10}..${start + 80} ${request} server.port=80 ${orders}`;
    return [
      `trace ${at * 2 + 1}`,
      `  ${client}`,
      ...(broken ? [`trace ${at * 2 + 2}`, `  ${server}`] : [`    ${server}`]),
    ];
  });
  const { spans, expectation } = readDrawing(drawing.join('\n'));
  const weights = traces.flatMap(({ weight = 1 }) => [weight, weight]);
  const store = { ...storeOf(spans), unread: Uint32Array.from(weights, (weight) => weight - 1) };
  const [finding] = checkStore(store, { expectation }).findings;
  assert.equal(finding?.id, 'split-trace');
  return finding.facts;
}

const of = (key: string, value: string): string => `resource:${key}=${value}`;
const one = of('service.instance.id', 'one');
const two = of('service.instance.id', 'two');
const three = of('service.instance.id', 'three');

describe('what all broken calls have in common', () => {
  it('is the replica of the callee that no whole call reached', () => {
    assert.deepEqual(
      judge([
        { times: 4, orders: one },
        { times: 5, orders: three, broken: true },
        { times: 3, orders: two },
      ]),
      ['all 5 calls reached orders with service.instance.id=three; the 7 whole ones reached others'],
    );
  });

  it('is the version or the node, if several replicas share it', () => {
    const old = `${of('service.version', '1')} ${of('k8s.node.name', 'a')}`;
    const recent = `${of('service.version', '2')} ${of('k8s.node.name', 'b')}`;
    assert.deepEqual(
      judge([
        { times: 5, web: `${one} ${old}` },
        { times: 3, web: `${two} ${recent}`, broken: true },
        { times: 3, web: `${three} ${recent}`, broken: true },
      ]),
      [
        'all 6 calls come from web with service.version=2, k8s.node.name=b; the 5 whole ones come from others',
      ],
    );
  });

  it('is named also if the service has no name', () => {
    const traces = Array.from({ length: 11 }, (_, at) => {
      const [isBroken, start] = [at > 6, at * 1_000];
      return [
        `trace ${2 * at + 1}`,
        `  - CLIENT "GET" ${start}..${start + 90} http.request.method=GET url.full=http://orders:80/work ${isBroken ? two : one}`,
        ...(isBroken ? [`trace ${2 * at + 2}`] : []),
        `  ${isBroken ? '' : '  '}orders SERVER "GET /work" ${start + 10}..${start + 80} ${request}`,
        '',
      ].join('\n');
    });
    assert.deepEqual(listFacts(traces.join('')), [
      'all 4 calls come from a service without a name with service.instance.id=two; the 7 whole ones come from others',
    ]);
  });

  it('is the address that was called, if spans of the callee name no replica', () => {
    const at = (address: string): string => `network.peer.address=${address}`;
    assert.deepEqual(
      judge([
        { times: 5, web: at('10.0.0.1') },
        { times: 5, web: at('10.0.0.2'), broken: true },
      ]),
      ['all 5 calls went to network.peer.address=10.0.0.2; the 5 whole ones went to others'],
    );
  });

  for (const key of ['service.namespace', 'deployment.environment.name', 'deployment.environment'])
    it(`is the ${key} of a side`, () => {
      const calls = [
        { times: 5, web: of(key, 'a') },
        { times: 6, web: of(key, 'b'), broken: true },
      ] as const;
      assert.deepEqual(judge(calls), [
        `all 6 calls come from web with ${key}=b; the 5 whole ones come from others`,
      ]);
      assert.equal(judge([...calls, { web: of(key, 'b') }]), undefined);
    });

  const ask = (words: string): string => `broken ask ${words}`;
  for (const [words, web, orders] of [
    ['http.route=/orders/{id}', ['', ''], ['http.route=/work', 'http.route=/orders/{id}']],
    ['url.path=/orders/*', ['', 'url.full=http://orders:80/orders/12'], ['', 'url.path=/orders/12']],
    ['http.request.method=POST', ['', 'http.request.method=POST'], ['', 'http.request.method=POST']],
    ['server.address=shop', ['', 'url.full=http://shop:80/work'], ['', '']],
    ['server.port=81', ['', 'url.full=http://orders:81/work'], ['', '']],
  ] as const)
    it(`is ${ask(words)}`, () => {
      const calls = [
        { times: 6, web: web[0], orders: orders[0] },
        { times: 5, web: web[1], orders: orders[1], broken: true },
      ] as const;
      const verb = words.startsWith('server') ? ['went to', 'went'] : ['ask for', 'ask'];
      assert.ok(
        judge(calls)?.some((fact) =>
          fact.startsWith(`all 5 calls ${verb[0]} ${words}; the 6 whole ones ${verb[1]}`),
        ),
      );
      assert.equal(judge([...calls, { web: web[1], orders: orders[1] }]), undefined);
    });

  for (const [words, web, orders] of [
    ['come from web with otel.scope.name=got', 'scope:got', ''],
    ['reached orders with otel.scope.name=koa', '', 'scope:koa'],
    ['ended with http.response.status_code=201', 'http.response.status_code=201', ''],
  ] as const)
    it(`is that they ${words}`, () => {
      const rest = { web: 'scope:http', orders: 'scope:express' };
      const calls = [
        { times: 6, ...rest },
        { times: 5, web: web || rest.web, orders: orders || rest.orders, broken: true },
      ] as const;
      assert.ok(judge(calls)?.some((fact) => fact.startsWith(`all 5 calls ${words}; the 6 whole ones`)));
      assert.equal(judge([...calls, { web: web || rest.web, orders: orders || rest.orders }]), undefined);
    });

  /** Six whole calls and five broken ones, whose lines have other words. */
  const judgeKinds = (kinds: readonly [string, string], whole: string, broken: string) => {
    const drawing = Array.from({ length: 11 }, (_, at) => {
      const words = at < 6 ? whole : broken;
      const start = at * 1_000 + (at % 7) * 13;
      const client = `  web ${kinds[0]} "x" ${start}..${start + 90} ${words} messaging.message.id=m${at}`;
      const server = `orders ${kinds[1]} "x" ${start + 10}..${start + 80} ${words} messaging.message.id=m${at}`;
      return [
        `trace ${at + 1}`,
        client,
        ...(at < 6 ? [`    ${server}`] : [`trace ${at + 21}`, `  ${server}`]),
      ];
    });
    return listFacts(drawing.flat().join('\n'));
  };

  it('is the RPC method', () => {
    const call = (method: string): string => `rpc.system=grpc rpc.method=${method} rpc.service=o.O`;
    assert.deepEqual(judgeKinds(['CLIENT', 'SERVER'], call('Get'), call('Put')), [
      'all 5 calls ask for rpc.method=o.O/Put; the 6 whole ones ask for others',
    ]);
  });

  it('is the destination of messages', () => {
    const message = (topic: string): string => `messaging.system=kafka messaging.destination.name=${topic}`;
    assert.deepEqual(judgeKinds(['PRODUCER', 'CONSUMER'], message('new'), message('again')), [
      'all 5 messages went to messaging.destination.name=again; the 6 whole ones went to others',
    ]);
  });

  /** Of each pair of traces, one is whole and one broken; the lines of the broken ones are from another version. */
  const drawVersions = (
    count: number,
    draw: (start: number, isBroken: boolean) => readonly string[],
  ): string =>
    Array.from({ length: count }, (_, at) => {
      const isBroken = at % 2 === 1;
      const version = of('service.version', isBroken ? '2' : '1');
      const [first = '', ...others] = draw(at * 1_000 + (at % 7) * 13, isBroken);
      const lines = [`trace ${at + 1}`, first, ...(isBroken ? [`trace ${at + 101}`] : []), ...others];
      return `${lines.join('\n').replaceAll('@', version)}\n`;
    }).join('');

  it('is the version of the receiver, if broken messages are only counted', () => {
    const queue = 'messaging.system=kafka messaging.destination.name=orders';
    const drawing = drawVersions(11, (at, isBroken) => [
      `  web PRODUCER "send" ${at}..${at + 10} ${queue}`,
      `${isBroken ? '  ' : '    '}orders CONSUMER "process" ${at + 30}..${at + 50} ${queue} @`,
    ]);
    assert.deepEqual(listFacts(`expect web -> orders\n${drawing}`), [
      'all 5 messages reached orders with service.version=2; the 6 whole ones reached others',
    ]);
  });

  it('is the version of requests without a CLIENT span', () => {
    const drawing = drawVersions(24, (at, isBroken) => [
      `  web SERVER "GET /" ${at}..${at + 100} http.request.method=GET url.path=/ @`,
      ...(isBroken
        ? []
        : [
            `    web CLIENT "GET" ${at + 10}..${at + 90} http.request.method=GET url.full=http://orders/work @`,
          ]),
      `${isBroken ? '  ' : '      '}orders SERVER "GET /work" ${at + 20}..${at + 80} ${request}`,
    ]);
    const [says] = listUndecided(`expect web -> orders\n${drawing}`);
    assert.match(
      says ?? '',
      /; all 12 calls come from web with service\.version=2; the 12 whole ones come from others; see which/,
    );
  });

  it('is that they repeat a request, by the count of the instrumentation', () => {
    for (const key of ['http.request.resend_count', 'http.resend_count']) {
      const calls = [{ times: 6 }, { times: 3, web: `${key}=1`, broken: true }] as const;
      assert.deepEqual(judge(calls), [
        'all 3 calls are resends (retries or redirects); the 6 whole ones are not (by chance in one of 28 such captures)',
      ]);
      assert.equal(judge([...calls, { web: `${key}=2` }]), undefined);
      assert.equal(judge([...calls, { web: `${key}=0`, broken: true }]), undefined);
    }
  });

  it('is that they repeat a request, after a call of the same request that failed', () => {
    const judgeAfter = (first: string, retried = '50..90', parent = '') => {
      const at = (start: number, line: string): string =>
        line.replaceAll(/(\d+)\.\.(\d+)/g, (_, from, to) => `${Number(from) + start}..${Number(to) + start}`);
      const get = 'http.request.method=GET url.full=http://orders:80/work';
      const top = `  web SERVER "GET /" 0..100 http.request.method=GET url.path=/ ${parent}`;
      const whole = `${top}\n    web CLIENT "GET" 10..40 ${get} http.response.status_code=200\n      orders SERVER "GET /work" 15..35 ${request}`;
      const retry = `${top}\n    web CLIENT "GET" 10..40 ${first}\n    web CLIENT "GET" ${retried} ${get} http.response.status_code=200`;
      const begun = `  orders SERVER "GET /work" 60..80 ${request}`;
      const drawing = Array.from({ length: 9 }, (_, number) =>
        number < 6
          ? `trace ${number + 1}\n${at(number * 1_000, whole)}`
          : `trace ${number + 1}\n${at(number * 1_000, retry)}\ntrace ${number + 11}\n${at(number * 1_000, begun)}`,
      );
      const { spans } = readDrawing(drawing.join('\n'));
      return checkTraces(spans).findings.find(({ id }) => id === 'split-trace');
    };
    const refused = 'http.request.method=GET url.full=http://orders:80/work http.response.status_code=503';
    const fact = /^all 3 calls are resends/;
    const found = judgeAfter(refused);
    assert.match(found?.facts?.[0] ?? '', fact);
    assert.equal(found?.candidates?.[0], 'header-not-sent');
    assert.match(judgeAfter(refused.replace('503', '500'))?.facts?.[0] ?? '', fact);
    for (const first of [
      refused.replace('503', '200'),
      refused.replace('work', 'other'),
      refused.replace('=GET', '=POST'),
    ])
      assert.doesNotMatch(judgeAfter(first)?.facts?.join() ?? '', /resends/, first);
    assert.doesNotMatch(judgeAfter(refused, '30..90')?.facts?.join() ?? '', /resends/);
  });

  it('is not reported with a single exception on either side', () => {
    const calls = [
      { times: 9, orders: one },
      { times: 9, orders: two, broken: true },
    ] as const;
    assert.equal(judge(calls)?.length, 1);
    assert.equal(judge([...calls, { orders: two }]), undefined);
    assert.equal(judge([...calls, { orders: three, broken: true }]), undefined);
    assert.equal(judge([...calls, { broken: true }]), undefined);
    assert.equal(judge([...calls, {}]), undefined);
    // The same replica under another resource.
    assert.equal(judge([...calls, { orders: `${two} ${of('process.pid', '7')}` }]), undefined);
  });

  it('is reported with its probability of chance if few calls show it, and not if fewer do', () => {
    const judgeCounts = (whole: number, broken: number) =>
      judge([
        { times: whole, orders: one },
        { times: broken, orders: two, broken: true },
      ]);
    const all = (whole: number, broken: number): string =>
      `all ${broken} calls reached orders with service.instance.id=two; the ${whole} whole ones reached others`;
    for (const [whole, broken] of [
      [4, 5],
      [9, 4],
    ] as const)
      assert.deepEqual(judgeCounts(whole, broken), [all(whole, broken)]);
    for (const [whole, broken, captures] of [
      [3, 3, 10],
      [3, 5, 56],
      [6, 4, 105],
    ] as const)
      assert.deepEqual(judgeCounts(whole, broken), [
        `${all(whole, broken)} (by chance in one of ${captures} such captures)`,
      ]);
    assert.deepEqual(judgeCounts(1, 9), [
      'all 9 calls reached orders with service.instance.id=two; the whole one reached another (by chance in one of 10 such captures)',
    ]);
    assert.equal(judgeCounts(7, 2), undefined);
    assert.equal(judgeCounts(9, 1), undefined);
  });

  it('is reported for few calls only if they differ in their replicas', () => {
    const at = (address: string): string => `network.peer.address=${address}`;
    assert.equal(
      judge([
        { times: 3, web: at('10.0.0.1') },
        { times: 3, web: at('10.0.0.2'), broken: true },
      ]),
      undefined,
    );
  });

  it('takes the probability of chance from observed calls, not from those that the source only counted', () => {
    const [whole, broken] = [{ orders: one }, { orders: two, broken: true }] as const;
    const many = [
      { ...whole, times: 5, weight: 3 },
      { ...broken, times: 5 },
    ];
    assert.deepEqual(judge(many), [
      'all 5 calls reached orders with service.instance.id=two; the 15 whole ones reached others',
    ]);
    assert.deepEqual(
      judge([
        { ...whole, times: 3, weight: 3 },
        { ...broken, times: 5 },
      ]),
      [
        'all 5 calls reached orders with service.instance.id=two; the 9 whole ones reached others (by chance in one of 56 such captures)',
      ],
    );
  });

  it('takes the probability of chance from calls, not from the spans below lost ones', () => {
    for (const count of [1, 4]) {
      const traces = Array.from({ length: 9 }, (_, at) => {
        const [isLost, start] = [at % 3 === 1, at * 1_000];
        const replica = isLost ? two : one;
        const query = `      orders INTERNAL "query" ${start + 20}..${start + 30} ${replica}\n`;
        return [
          `trace ${at + 1}`,
          `  web CLIENT "GET" ${start}..${start + 90} http.request.method=GET url.full=http://orders:80/work`,
          isLost
            ? '    lost'
            : `    orders SERVER "GET /work" ${start + 10}..${start + 80} ${request} ${replica}`,
          query.repeat(count),
        ].join('\n');
      });
      assert.deepEqual(listFacts(traces.join('')), [
        'all 3 calls reached orders with service.instance.id=two; the 6 whole ones reached others (by chance in one of 28 such captures)',
      ]);
    }
  });

  it('is reported for messages if enough batches were received', () => {
    const message = 'messaging.system=kafka messaging.destination.name=log';
    const drawBatch = (replica: string, isLinked: boolean, at: number): string => {
      const start = at * 1_000 + (at % 7) * 13;
      const ids = [0, 1, 2].map((each) => `m${at}x${each}`);
      const sent = ids.map(
        (id, each) =>
          `web PRODUCER "log send" ${start + each}..${start + each + 1} id:${id} ${message} ${replica}`,
      );
      const links = isLinked ? ids.map((id) => `link:${id}`).join(' ') : '';
      const received = `orders CONSUMER "log process" ${start + 400}..${start + 460} messaging.batch.message_count=3 ${message} ${links}`;
      return [
        `trace ${at * 2 + 1}`,
        ...sent.map((line) => `  ${line}`),
        `trace ${at * 2 + 2}`,
        `  ${received}`,
      ].join('\n');
    };
    const judgeBatches = (whole: number, broken: number) => {
      const batches = Array.from({ length: whole + broken }, (_, at) =>
        at < whole ? drawBatch(one, true, at) : drawBatch(two, false, at),
      );
      const [finding] = checkDrawing(`expect web -> orders\n${batches.join('\n')}`).findings;
      assert.equal(finding?.id, 'split-trace');
      return finding.facts;
    };
    assert.match(
      judgeBatches(5, 5)?.[0] ?? '',
      /^all 15 messages come from web with service\.instance\.id=two; the 15 whole ones/,
    );
    assert.match(judgeBatches(1, 5)?.[0] ?? '', /\(by chance in one of 16 such captures\)$/);
  });

  it('is compared with whole calls only, not with calls that another finding reports', () => {
    const header = 'http.request.header.traceparent';
    const times = [0, 2_000, 4_000, 6_000, 8_000, 10_000];
    const drawing = times.flatMap((time) =>
      [one, two, three].flatMap((replica, at) => {
        const start = time + at * 600;
        const recorded = at === 0 ? `${header}=00-<${start + 1}>-<c${start}>-01` : '';
        return [
          `trace ${start + 1}`,
          `  web CLIENT "GET" ${start}..${start + 90} http.request.method=GET url.full=http://orders:80/work http.response.status_code=200 id:c${start} ${recorded}`,
          ...(at === 2 ? [] : [`trace ${start + 2}`]),
          `${at === 2 ? '    ' : '  '}orders SERVER "GET /work" ${start + 10}..${start + 80} ${request} server.port=80 ${replica} ${recorded}`,
        ];
      }),
    );
    const { findings } = checkTraces(readDrawing(drawing.join('\n')).spans);
    assert.deepEqual(
      findings.map(({ id, facts }) => [id, facts]),
      ['one', 'two'].map((replica, at) => [
        at === 0 ? 'header-ignored' : 'split-trace',
        [
          ...(at === 0 ? [] : ['headers show header-ignored for 6 other calls of this edge']),
          `all 6 calls reached orders with service.instance.id=${replica}; the 6 whole ones reached others`,
        ],
      ]),
    );
  });

  it('is reported for calls that are connected to the wrong caller', () => {
    const times = [0, 2_000, 4_000, 6_000, 8_000, 10_000];
    const requestOf = (start: number): string => `
  web SERVER "GET /call" ${start}..${start + 100} http.request.method=GET url.path=/call
    web CLIENT "GET" ${start + 5}..${start + 95} http.request.method=GET url.full=http://orders:80/work http.response.status_code=200`;
    const servedAt = (start: number, words: string): string => `
      orders SERVER "GET /work" ${start + 10}..${start + 90} ${request} server.port=80 ${words}`;
    const drawing = times.flatMap((start, at) => [
      `\ntrace 1${at}${requestOf(start)}${servedAt(start, one)}`,
      `\ntrace 2${at}${requestOf(start + 1_000)}`,
      // Below the first call.
      ...(at === 0 ? times.map((other) => servedAt(other + 1_000, other === 0 ? one : two)) : []),
    ]);
    const { spans } = readDrawing(drawing.join(''));
    const [finding] = checkTraces(spans).findings;
    assert.equal(finding?.id, 'stale-context');
    assert.match(finding.facts?.join() ?? '', /^all \d calls reached orders with service\.instance\.id=two/);
  });
});
