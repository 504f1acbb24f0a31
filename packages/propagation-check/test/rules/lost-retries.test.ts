import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { drawChain, explainDrawing, judgeDrawing, listFacts } from './judge-drawing.ts';

const starts = [0, 730, 1_910, 2_640, 4_870, 5_550];

interface Attempt {
  readonly from: number;
  readonly to: number;
  readonly code?: number;
  readonly path?: string;
  readonly extra?: string;
}

const entry = (from: number, to: number, extra = ''): string =>
  `web SERVER "GET /buy" ${from}..${to} http.request.method=GET url.path=/buy ${extra}`;
const drawCall = ({
  from,
  to,
  code = 200,
  path = '/pay',
  extra = '',
}: Attempt): readonly [string, string] => [
  `web CLIENT "GET" ${from}..${to} http.request.method=GET url.full=http://pay:80${path} http.response.status_code=${code} ${extra}`,
  `pay SERVER "GET ${path}" ${from + 1}..${to - 1} http.request.method=GET url.path=${path} http.response.status_code=${code}`,
];

/** A request with its first attempt, which fails. */
const begin = (number: number, at: number, length = 100): string =>
  drawChain(number, entry(at, at + length), ...drawCall({ from: at + 5, to: at + 20, code: 503 }));
const root = (number: number, attempt: Attempt): string => drawChain(number, ...drawCall(attempt));
/** Requests that fail at first, each with lost retries at the given times after its start. */
const drawRequests = (
  retries: (at: number, place: number) => readonly Attempt[],
  times: readonly number[] = starts,
  length = 100,
): string =>
  times
    .map(
      (at, place) =>
        begin(100 * (place + 1), at, length) +
        retries(at, place)
          .map((attempt, turn) => root(100 * (place + 1) + turn + 1, attempt))
          .join(''),
    )
    .join('');
const twoAttempts = (at: number): readonly Attempt[] => [
  { from: at + 30, to: at + 50, code: 503 },
  { from: at + 70, to: at + 90 },
];
const oneAttempt = (at: number): readonly Attempt[] => [{ from: at + 70, to: at + 90 }];
/** A request with a line for each of its own calls, and with lost retries. */
const drawRequest = (
  number: number,
  at: number,
  calls: readonly Attempt[],
  retries: readonly Attempt[],
): string =>
  [
    `trace ${100 * number}`,
    `  ${entry(at, at + 100)}`,
    ...calls.flatMap((call) => drawCall(call).map((line, depth) => `${'  '.repeat(2 + depth)}${line}`)),
    '',
  ].join('\n') + retries.map((attempt, turn) => root(100 * number + turn + 1, attempt)).join('');
const readFindings = (drawing: string) => checkTraces(readDrawing(drawing).spans).findings;
const listErrors = (drawing: string): readonly string[] =>
  judgeDrawing(drawing).filter((line) => line.startsWith('error'));

suite('calls that repeat failed ones in traces of their own', () => {
  test('are reported, with their number', () => {
    const drawing = drawRequests(twoAttempts, starts.slice(0, 4));
    assert.deepEqual(judgeDrawing(drawing), ['error context-lost-in-process web -> pay 8']);
    assert.match(listFacts(drawing)[0] ?? '', /^all 8 calls repeat calls of web that failed/);
    assert.match(
      listFacts(drawRequests(oneAttempt, [0]))[0] ?? '',
      /^the call repeats a call of web that failed/,
    );
  });

  test('are reported for each called service', () => {
    const drawing = drawRequests(twoAttempts);
    const stock = drawing
      .replaceAll(/trace (\d+)/g, 'trace 9$1')
      .replaceAll('pay', 'stock')
      .replaceAll('/buy', '/list');
    assert.deepEqual(judgeDrawing(drawing + stock), [
      'error context-lost-in-process web -> pay 12',
      'error context-lost-in-process web -> stock 12',
    ]);
  });

  test('may be of only some requests, beside others whose calls succeed', () => {
    const whole = starts.map((at, place) =>
      drawRequest(20 + place, at + 200, [{ from: at + 205, to: at + 220 }], []),
    );
    assert.deepEqual(judgeDrawing(drawRequests(twoAttempts) + whole.join('')), [
      'error context-lost-in-process web -> pay 12',
    ]);
  });

  test('may follow a first attempt that fails at once, beside others that succeed or fail later', () => {
    for (const calls of [
      [{ from: 5, to: 6, code: 503 }],
      [
        { from: 2, to: 4 },
        { from: 5, to: 20, code: 503 },
      ],
      [
        { from: 8, to: 40, code: 503 },
        { from: 5, to: 20, code: 503 },
      ],
    ]) {
      const drawing = starts.map((at, place) =>
        drawRequest(
          place + 1,
          at,
          calls.map((call) => ({ ...call, from: at + call.from, to: at + call.to })),
          twoAttempts(at),
        ),
      );
      assert.deepEqual(judgeDrawing(drawing.join('')), ['error context-lost-in-process web -> pay 12']);
    }
  });

  test('may be many, also while another call of the request is open for a time', () => {
    const drawing = starts.map((at, place) =>
      drawRequest(
        place + 1,
        at,
        [
          { from: at + 5, to: at + 10, code: 503 },
          { from: at + 15, to: at + 65, path: '/log' },
        ],
        [
          { from: at + 15, to: at + 20, code: 503 },
          { from: at + 25, to: at + 30, code: 503 },
          { from: at + 45, to: at + 60, code: 503 },
          { from: at + 70, to: at + 90 },
        ],
      ),
    );
    assert.deepEqual(judgeDrawing(drawing.join('')), ['error context-lost-in-process web -> pay 24']);
  });

  test('end shortly before their requests, or fill them', () => {
    const times = [0, 2_100, 9_550, 11_700, 40_000, 53_000];
    const fill = (at: number): readonly Attempt[] => [{ from: at + 22, to: at + 700 }];
    assert.deepEqual(judgeDrawing(drawRequests(fill, times, 2_000)), [
      'error context-lost-in-process web -> pay 6',
    ]);
    const early = drawRequests((at) => [{ from: at + 22, to: at + 40 }], times, 2_000);
    assert.deepEqual(judgeDrawing(early), ['warning context-lost-in-process web -> pay 6']);
    assert.match(readFindings(early)[0]?.doubt ?? '', /^The requests did not wait for these spans/);
  });

  test('are not those that reach no service with spans, or the service itself', () => {
    const drawing = drawRequests(twoAttempts);
    assert.deepEqual(listErrors(drawing.replaceAll(/\n +pay SERVER [^\n]+/g, '')), []);
    assert.deepEqual(judgeDrawing(drawing.replaceAll('pay SERVER', 'web SERVER')), []);
  });

  test('may repeat calls that reached nobody, or reach nobody themselves', () => {
    const drawing = drawRequests(twoAttempts, starts.slice(0, 4));
    const unreached = drawing.replaceAll(/\n +pay SERVER [^\n]+status_code=503/g, '');
    assert.deepEqual(judgeDrawing(unreached), ['error context-lost-in-process web -> pay 8']);
    assert.deepEqual(
      readFindings(unreached)[0]
        ?.evidence.slice(0, 2)
        .map(({ server }) => server === undefined),
      [true, false],
    );
  });

  test('may be calls of RPC', () => {
    const drawing = drawRequests(twoAttempts, starts.slice(0, 4))
      .replaceAll(
        /CLIENT "GET"(.*) http.request.method=GET url.full=\S+ http.response.status_code=(\S+)/g,
        'CLIENT "pay.Pay/Send"$1 rpc.system=grpc rpc.service=pay.Pay rpc.method=Send rpc.grpc.status_code=$2',
      )
      .replaceAll(
        /pay SERVER "GET \/pay"(.*) http.request.method=GET url.path=\S+ http.response.status_code=(\S+)/g,
        'pay SERVER "pay.Pay/Send"$1 rpc.system=grpc rpc.service=pay.Pay rpc.method=Send rpc.grpc.status_code=$2',
      )
      .replaceAll('grpc.status_code=503', 'grpc.status_code=14')
      .replaceAll('grpc.status_code=200', 'grpc.status_code=0');
    assert.deepEqual(judgeDrawing(drawing), ['error context-lost-in-process web -> pay 8']);
    assert.equal(readFindings(drawing)[0]?.protocol, 'rpc');
  });

  test('may be few: then a coincidence is possible', () => {
    assert.deepEqual(judgeDrawing(drawRequests(twoAttempts, [0])), [
      'warning context-lost-in-process web -> pay 2',
    ]);
  });

  test('may be those of requests that overlap', () => {
    const times = starts.map((_, place) => place * 10);
    assert.deepEqual(judgeDrawing(drawRequests(twoAttempts, times)), [
      'warning context-lost-in-process web -> pay 12',
    ]);
    const alone = drawRequests(oneAttempt, [0, 10]);
    assert.deepEqual(judgeDrawing(alone), ['warning context-lost-in-process web -> pay 2']);
    assert.deepEqual(readFindings(alone)[0]?.decide, [
      'Send such requests one after the other, and check again',
      'Check in the code of web whether "GET /buy" makes this call',
    ]);
  });

  test('may fit another request later than at first', () => {
    const drawing =
      drawRequest(1, 0, [{ from: 5, to: 20, code: 503 }], twoAttempts(0)) +
      drawRequest(2, 40, [{ from: 45, to: 60, code: 503 }], [{ from: 100, to: 120 }]);
    assert.deepEqual(judgeDrawing(drawing), ['warning context-lost-in-process web -> pay 3']);
    assert.match(readFindings(drawing)[0]?.doubt ?? '', /^Times do not show/);
  });

  test('are proven by many requests if only some of them overlap', () => {
    const times = [...Array.from({ length: 12 }, (_, at) => at * 400 + at * at * 17), 10, 417 + 12];
    assert.deepEqual(judgeDrawing(drawRequests(twoAttempts, times)), [
      'error context-lost-in-process web -> pay 28',
    ]);
  });

  test('need several requests if some overlap and others give up', () => {
    const giveUp = (at: number, place: number): readonly Attempt[] => [
      { from: at + 70, to: at + 90, code: place === 0 ? 503 : 200 },
    ];
    assert.deepEqual(judgeDrawing(drawRequests(giveUp, [0, 10, 730, 1_910])), []);
    assert.deepEqual(judgeDrawing(drawRequests(giveUp, [0, 10, 730, 1_910, 2_640])), [
      'error context-lost-in-process web -> pay 5',
    ]);
  });

  test('may have the spans of two libraries each', () => {
    const drawing = drawRequests(twoAttempts)
      .split('\n')
      .flatMap((line) => {
        const [, indent, from, to, rest] = /^( +)web CLIENT "GET" (\d+)\.\.(\d+) (.*)$/.exec(line) ?? [];
        if (indent === undefined) return [line.replace(/^( +)pay/, '$1  pay')];
        const outer = `${indent}web CLIENT "GET" ${Number(from) - 1}..${Number(to) + 1} ${rest}`;
        return [outer, `  ${line}`];
      })
      .join('\n');
    assert.deepEqual(judgeDrawing(drawing), ['error context-lost-in-process web -> pay 12']);
  });

  test('may belong to a request with one span of all attempts', () => {
    const drawing = starts
      .map((at, place) => {
        const [client, server] = drawCall({ from: at + 5, to: at + 20, code: 503 });
        const [all] = drawCall({ from: at + 4, to: at + 92 });
        const retries = twoAttempts(at).map((attempt, turn) => root(100 + 10 * place + turn, attempt));
        return drawChain(place + 1, entry(at, at + 100), all, client, server) + retries.join('');
      })
      .join('');
    assert.deepEqual(judgeDrawing(drawing), ['error context-lost-in-process web -> pay 12']);
  });

  test('may begin within the rounding of times, as soon as the attempt before them failed', () => {
    const soon = (at: number): readonly Attempt[] => [
      { from: at + 19, to: at + 50, code: 503 },
      { from: at + 50, to: at + 90 },
    ];
    assert.deepEqual(judgeDrawing(drawRequests(soon)), ['error context-lost-in-process web -> pay 12']);
    const sooner = (at: number): readonly Attempt[] => [{ from: at + 18, to: at + 90 }];
    assert.deepEqual(judgeDrawing(drawRequests(sooner)), []);
  });

  test('are not those of health probes', () => {
    const drawing = drawRequests(twoAttempts).replaceAll('/buy', '/healthz');
    assert.deepEqual(judgeDrawing(drawing), []);
  });

  test('are seen beside one call of a job', () => {
    const drawing = drawRequests(twoAttempts) + root(9, { from: 3_300, to: 3_320 });
    assert.deepEqual(judgeDrawing(drawing), ['error context-lost-in-process web -> pay 12']);
  });

  test('are seen beside calls of a job that never fail', () => {
    const requests = starts.map((at, place) =>
      drawRequest(
        place + 1,
        at,
        [
          { from: at + 1, to: at + 4, path: '/log' },
          { from: at + 5, to: at + 20, code: 503 },
        ],
        twoAttempts(at),
      ),
    );
    const job = starts.map((at, place) => root(9_000 + place, { from: at + 30, to: at + 40, path: '/log' }));
    assert.deepEqual(judgeDrawing([...requests, ...job].join('')), [
      'error context-lost-in-process web -> pay 12',
    ]);
  });

  test('ask for the same, one after the other, until one succeeds, within the request', () => {
    for (const retries of [
      // All requests alike would have lost these calls, retries or not.
      (at: number) =>
        twoAttempts(at)
          .slice(at === starts[0] ? 1 : 0)
          .map((attempt) => ({ ...attempt, path: '/other' })),
      // Before the first attempt ended.
      (at: number) => [{ from: at + 10, to: at + 90 }],
      // After the request.
      (at: number) => [{ from: at + 110, to: at + 130 }],
      (at: number) => [{ from: at + 50, to: at + 130 }],
      // After a success.
      (at: number) => [
        { from: at + 30, to: at + 50 },
        { from: at + 70, to: at + 90 },
      ],
      // By another replica.
      (at: number) => twoAttempts(at).map((attempt) => ({ ...attempt, extra: 'resource:host.name=other' })),
    ]) {
      const drawing = drawRequests(retries).replaceAll(
        /"GET \/buy" (\S+)/g,
        '"GET /buy" $1 resource:host.name=one',
      );
      assert.deepEqual(judgeDrawing(drawing), [], drawing);
    }
    const unnamed = drawRequests(twoAttempts).replaceAll(/url.full=http:..pay:80.pay/g, 'server.address=pay');
    assert.deepEqual(judgeDrawing(unnamed), []);
  });

  test('are not those of requests that repeat their calls themselves', () => {
    const drawing = starts
      .map((at, place) => {
        const again = drawCall({ from: at + 30, to: at + 50 });
        return `${begin(place + 1, at)}    ${again[0]}\n      ${again[1]}\n`;
      })
      .join('');
    assert.deepEqual(judgeDrawing(drawing), []);
    const polls = starts.map((at, place) => root(50 + place, { from: at + 60, to: at + 80 })).join('');
    assert.deepEqual(judgeDrawing(drawing + polls), []);
    assert.deepEqual(
      explainDrawing(drawing + polls).filter((line) => line.includes('no other call of the same kind')),
      [],
    );
    const soon = starts.map((at, place) =>
      drawRequest(
        place + 1,
        at,
        [
          { from: at + 5, to: at + 20, code: 503 },
          { from: at + 19, to: at + 50 },
        ],
        oneAttempt(at),
      ),
    );
    assert.deepEqual(judgeDrawing(soon.join('')), []);
  });

  test('are not reported beside requests that give up', () => {
    const drawing = drawRequests((at, place) => (place % 2 === 0 ? twoAttempts(at) : []));
    assert.deepEqual(judgeDrawing(drawing), []);
    assert.ok(explainDrawing(drawing).some((line) => line.includes('nearly every failed call of a request')));
  });
});

suite('calls that began traces beside failed ones', () => {
  test('may be those of a poller', () => {
    for (const period of [40, 90, 110, 250, 700]) {
      for (const code of [200, 503]) {
        const polls = Array.from({ length: Math.floor(5_700 / period) }, (_, turn) =>
          root(3_000 + turn, { from: turn * period + 3, to: turn * period + 12, code }),
        );
        const drawing = drawRequests(() => []) + polls.join('');
        assert.deepEqual(judgeDrawing(drawing), [], `${period} ${code}`);
      }
    }
  });

  test('may be those of a job that repeats its own calls', () => {
    const job = [300, 340, 400, 1_300, 1_340, 1_400, 3_600, 3_640].map((from, turn) =>
      root(3_000 + turn, { from, to: from + 20, code: turn % 3 === 2 ? 200 : 503 }),
    );
    assert.deepEqual(judgeDrawing(drawRequests(() => []) + job.join('')), []);
    assert.deepEqual(judgeDrawing(job.join('')), []);
  });

  test("may be a circuit breaker's probes, for which no request waits", () => {
    const after = drawRequests((at) => [{ from: at + 300, to: at + 310 }]);
    assert.deepEqual(judgeDrawing(after), []);
    const meanwhile = drawRequests((at) => [{ from: at + 25, to: at + 35 }], starts, 500);
    assert.deepEqual(listErrors(meanwhile), []);
  });

  test("may be a circuit breaker's probes while requests wait for another call", () => {
    const drawBeside = (from: number, to: number): string =>
      starts
        .map((at, place) => {
          const [client, server] = drawCall({ from: at + from, to: at + to, path: '/fallback' });
          return (
            `${begin(place + 1, at)}    ${client}\n      ${server}\n` +
            root(place + 101, { from: at + 25, to: at + 92 })
          );
        })
        .join('');
    for (const to of [92, 95])
      assert.deepEqual(judgeDrawing(drawBeside(26, to)), ['warning context-lost-in-process web -> pay 6']);
    // These calls ended before the last attempt did, or began after it.
    for (const [from, to] of [
      [26, 80],
      [92, 96],
      [93, 96],
    ] as const)
      assert.deepEqual(judgeDrawing(drawBeside(from, to)), ['error context-lost-in-process web -> pay 6']);
    const work = drawBeside(26, 95)
      .replaceAll(/web CLIENT "GET" (\S+) .*fallback.*/g, 'web INTERNAL "render" $1')
      .replaceAll(/\n.*pay SERVER "GET .fallback.*/g, '');
    assert.deepEqual(judgeDrawing(work), ['error context-lost-in-process web -> pay 6']);
  });

  test('may be those of a poller while requests overlap and the peer is down', () => {
    const times = Array.from({ length: 20 }, (_, turn) => turn * 100);
    const polls = Array.from({ length: 29 }, (_, turn) =>
      root(9_000 + turn, { from: turn * 100 + 40, to: turn * 100 + 60, code: 503 }),
    );
    assert.deepEqual(judgeDrawing(drawRequests(() => [], times, 1_000) + polls.join('')), []);
  });

  test('may be those of a poller beside one long request', () => {
    const polls = Array.from({ length: 50 }, (_, turn) =>
      root(3_000 + turn, { from: turn * 100 + 40, to: turn * 100 + 60, code: 503 }),
    );
    assert.deepEqual(listErrors(begin(1, 0, 6_000) + polls.join('')), []);
  });
});
