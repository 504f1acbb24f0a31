import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { readFixtureDrawing } from '../engine/read-fixture-drawing.ts';
import { drawChain, drawClient, drawServer, judgeDrawing } from './judge-drawing.ts';

const lost = (severity: 'error' | 'warning', count: number) => [
  `${severity} context-lost-in-process web -> orders ${count}`,
];

const request = (at: number, extra = '') =>
  `web SERVER "GET /call" ${at}..${at + 100} http.request.method=GET url.path=/call ${extra}`;

/** A whole call during a request, in a trace of its own. */
const detached = (at: number): readonly string[] => [
  drawClient({ from: at + 10, to: at + 90 }),
  drawServer({ from: at + 20, to: at + 80 }),
];

/** Irregular times of requests or messages. */
const times = [0, 700, 3_900, 4_400, 7_800, 9_100, 9_500, 12_800, 13_700, 16_200, 17_100, 20_900];

const rpc = (method: string) =>
  `rpc.system=grpc rpc.service=Orders rpc.method=${method} server.address=orders`;
const queue = (name: string) => `messaging.system=kafka messaging.destination.name=${name}`;

/** Requests, each with a detached call and the given lines below it. */
function drawRequests(count: number, ...below: readonly ((at: number) => readonly string[])[]): string {
  return Array.from({ length: count }, (_, round) => {
    // Not whole seconds, with which a timer could stay in step.
    const at = round * 1_370;
    const lines = below.flatMap((draw) =>
      draw(at).map((line, depth) => `${'  '.repeat(depth + 2)}${line}\n`),
    );
    return `trace ${2 * round + 1}\n  ${request(at)}\n${lines.join('')}${drawChain(2 * round + 2, ...detached(at))}`;
  }).join('');
}

suite('a request lacks the detached call, whatever else it calls', () => {
  const open = (extra: string) => (at: number) => [`web CLIENT "call" ${at + 2}..${at + 8} ${extra}`];
  for (const [other, below] of [
    [
      'another path',
      open('http.request.method=GET url.full=http://orders:8082/other http.response.status_code=200'),
    ],
    [
      'another method',
      open('http.request.method=PUT url.full=http://orders:8082/work http.response.status_code=200'),
    ],
    ['a database', open('db.system.name=postgresql server.address=db')],
    [
      'another path of the same service, with success',
      (at: number) => [
        drawClient({ from: at + 2, to: at + 8 }, 'orders:8082/other'),
        drawServer({ from: at + 3, to: at + 7 }, '/other'),
      ],
    ],
    [
      'another protocol of the same service, with success',
      (at: number) => [
        `web CLIENT "Find" ${at + 2}..${at + 8} rpc.system=grpc rpc.service=Orders rpc.method=Find`,
        `orders SERVER "Find" ${at + 3}..${at + 7} rpc.system=grpc rpc.service=Orders rpc.method=Find`,
      ],
    ],
  ] as const) {
    test(other, () => {
      assert.deepEqual(judgeDrawing(drawRequests(3, below)), lost('error', 3));
    });
  }

  for (const [what, kind, call, other] of [
    ['another method of RPC', 'CLIENT', rpc('Find'), rpc('List')],
    ['another queue', 'PRODUCER', queue('jobs'), queue('mails')],
  ] as const) {
    test(what, () => {
      const drawn = times
        .slice(0, 6)
        .map(
          (at, round) =>
            `trace ${2 * round + 1}\n  ${request(at)}\n    web ${kind} "other" ${at + 2}..${at + 8} ${other}\n` +
            drawChain(
              2 * round + 2,
              `web ${kind} "call" ${at + 10}..${at + 90} ${call}`,
              `orders ${kind === 'CLIENT' ? 'SERVER' : 'CONSUMER'} "call" ${at + 20}..${at + 80} ${call}`,
            ),
        );
      assert.deepEqual(judgeDrawing(drawn.join('')), lost('error', 6));
    });
  }

  test('but not if it made the same call, which nobody continued', () => {
    assert.deepEqual(
      judgeDrawing(drawRequests(3, (at) => [drawClient({ from: at + 2, to: at + 8 })])).filter((line) =>
        line.includes('context-lost'),
      ),
      [],
    );
  });
});

suite('a single coincidence', () => {
  const one = drawRequests(1);

  test('is an error if the call is expected', () => {
    assert.deepEqual(judgeDrawing(one), lost('warning', 1));
    assert.deepEqual(judgeDrawing(`expect web -> orders\n${one}`), lost('error', 1));
  });

  test('stays a warning if the call is expected and requests of another route make it', () => {
    const whole = drawChain(
      3,
      'web SERVER "GET /shop" 2000..2100 http.request.method=GET url.path=/shop',
      ...detached(2_000),
    );
    for (const drawing of [one + whole, `expect web -> orders\n${one}${whole}`]) {
      assert.deepEqual(judgeDrawing(drawing), lost('warning', 1));
      const { spans, expectation } = readDrawing(drawing);
      const [finding] = checkTraces(spans, { expectation }).findings;
      assert.deepEqual(finding?.decide, [
        'Send at least 2 such requests, one after the other, and check again',
      ]);
    }
  });

  test("with a job's call stays a warning, although the call is expected", () => {
    const [call = '', served = ''] = detached(0);
    const job = `expect web -> orders\n${drawChain(1, request(0))}${drawChain(2, 'web INTERNAL "job" 9..91', call, served)}`;
    assert.deepEqual(judgeDrawing(job), lost('warning', 1));
  });
});

type Range = readonly [from: number, to: number];

/** Queries of a worker, by their times after a message that takes 70 ms. */
function judgeMessages(count: number, queriesOf: (round: number) => readonly Range[]) {
  const jobs = queue('jobs');
  const traces = times
    .slice(0, count)
    .flatMap((at, round) => [
      [
        `api PRODUCER "send" ${at}..${at + 5} ${jobs}`,
        `worker CONSUMER "process" ${at + 20}..${at + 90} ${jobs}`,
      ],
      ...queriesOf(round).map(([from, to]) => [
        `worker CLIENT "UPDATE" ${at + 20 + from}..${at + 20 + to} db.system.name=postgresql server.address=db`,
      ]),
    ]);
  return judgeDrawing(traces.map((lines, at) => drawChain(at + 1, ...lines)).join(''));
}

suite('a query during each message', () => {
  const lostBy = (count: number) => [`error context-lost-in-process worker -> worker ${count}`];
  const during: Range = [4, 60];
  const before: Range = [-0.3, 60];
  const after: Range = [200, 256];

  test('belongs to the message', () => {
    assert.deepEqual(
      judgeMessages(12, () => [during]),
      lostBy(12),
    );
  });

  for (const [what, range] of [
    ['takes it from its queue', before],
    ['begins at once with its span', [0, 60]],
    ['removes it from its queue', [70.3, 70.9]],
    ['renews its lock', [30, 34]],
  ] as const) {
    test(`is normally outside of the message if it ${what}`, () => {
      assert.deepEqual(
        judgeMessages(12, () => [range]),
        [],
      );
    });
  }

  for (const [which, count, queriesOf, expected] of [
    ['nine of ten messages have one', 10, (round) => (round < 1 ? [] : [during]), lostBy(9)],
    ['eight of ten have one', 10, (round) => (round < 2 ? [] : [during]), []],
    ['one began before its message', 12, (round) => [round < 1 ? before : during], lostBy(11)],
    ['one did, and one is missing', 12, (round) => [[], [before]][round] ?? [during], []],
    ['one is outside', 12, (round) => (round < 1 ? [during, after] : [during]), lostBy(12)],
    ['some are outside', 12, (round) => (round < 4 ? [during, after] : [during]), []],
  ] satisfies [string, number, (round: number) => readonly Range[], readonly string[]][]) {
    test(`is lost only if it is of nearly all, and nearly all are: ${which}`, () => {
      assert.deepEqual(judgeMessages(count, queriesOf), expected);
    });
  }
});

suite('a call to a peer outside, during each request', () => {
  const judge = (count: number, ...below: readonly string[]) =>
    judgeDrawing(
      times
        .slice(0, count)
        .map((at, round) => {
          const lines = below.map(
            (extra) => `    web CLIENT "GET" ${at + 1}..${at + 5} http.request.method=GET ${extra}\n`,
          );
          const call = `web CLIENT "GET" ${at}..${at + 90} http.request.method=GET url.full=https://partner.example/posts`;
          return `trace ${2 * round + 1}\n  ${request(at)}\n${lines.join('')}${drawChain(2 * round + 2, call)}`;
        })
        .join(''),
    );

  test('is an error from five on, and may begin at the same time as the request: clocks are coarse', () => {
    assert.deepEqual(judge(5), ['error context-lost-in-process web -> null 5']);
    assert.deepEqual(judge(4), ['warning context-lost-in-process web -> null 4']);
  });

  test('is missing whatever else the requests call', () => {
    assert.deepEqual(judge(5, 'url.full=https://other.example/prices'), [
      'error context-lost-in-process web -> null 5',
    ]);
  });
});

suite('a call of another process of the service, during each', () => {
  const draw = (kind: string, attributes: string, of: string, others: string) =>
    times
      .map(
        (at, round) =>
          drawChain(2 * round + 1, `web ${kind} "handle" ${at}..${at + 100} ${attributes} resource:${of}`) +
          drawChain(
            2 * round + 2,
            drawClient({ from: at + 10, to: at + 90, extra: `resource:${others}` }),
            drawServer({ from: at + 20, to: at + 80 }),
          ),
      )
      .join('');
  for (const [kind, attributes] of [
    ['SERVER', 'http.request.method=GET url.path=/call'],
    ['CONSUMER', queue('jobs')],
  ] as const)
    for (const [what, one, other] of [
      ['replica', 'k8s.pod.name=web-1', 'k8s.pod.name=web-2'],
      ['browser of the same name', 'telemetry.sdk.language=nodejs', 'telemetry.sdk.language=webjs'],
    ] as const)
      test(`${kind}: ${what}`, () => {
        assert.deepEqual(judgeDrawing(draw(kind, attributes, one, other)), []);
        assert.deepEqual(judgeDrawing(draw(kind, attributes, one, one)), lost('error', times.length));
      });
});

test('each further call of a request is reported with that request', () => {
  const { spans } = readFixtureDrawing('context-lost-in-process/broken-fan-out.txt');
  const { findings } = checkTraces(spans, { mostEvidence: spans.length });
  const said = findings.flatMap(({ evidence }) => evidence.map(({ says }) => says));
  const told = said.flatMap((says) => /made during "GET \/home" of trace \w*?0*(\d+)$/.exec(says)?.[1] ?? []);
  const requests = [1, 5, 9, 13, 17, 21, 25, 29, 33, 37];
  assert.deepEqual(
    told.map(Number),
    requests.flatMap((request) => [request, request]),
  );
});
