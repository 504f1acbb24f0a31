import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawChain, explainDrawing, judgeDrawing } from './judge-drawing.ts';

const receive = (at: number, more = '') =>
  `worker CONSUMER "receive" ${at}..${at + 1} messaging.system=kafka messaging.destination.name=jobs ${more}`;
const call = (at: number, { service = 'worker', to = 'store', more = '' } = {}) =>
  `${service} CLIENT "POST" ${at}..${at + 60} http.request.method=POST url.full=http://${to}:8000/rows http.response.status_code=200 ${more}`;
const onPod = (pod: string) => `resource:k8s.pod.name=${pod}`;
const inLanguage = (language: string) => `resource:telemetry.sdk.language=${language}`;
const serve = (at: number, service = 'store') =>
  `${service} SERVER "POST /rows" ${at + 6}..${at + 50} http.request.method=POST url.path=/rows`;

/** Intervals between rounds, usually 2.6 s; they are irregular, because a timer could stay in step with regular ones. */
const gaps = [2200, 3000, 1800, 3400, 2600];
const startOf = (round: number) =>
  Array.from({ length: round }, (_, at) => gaps[at % gaps.length] ?? 0).reduce((sum, gap) => sum + gap, 0);

/** Traces about every 2.6 s; the spans of a trace are each the child of the one before. */
function drawRounds(
  count: number,
  drawRound: (at: number, round: number) => readonly (readonly string[])[],
): string {
  const traces = Array.from({ length: count }, (_, round) => drawRound(startOf(round), round)).flat();
  return traces.map((lines, at) => drawChain(at + 1, ...lines)).join('');
}

const usual = (at: number) => [[receive(at)], [call(at + 240), serve(at + 240)]];
const lost = (count: number, server = 'store') => [
  `error context-lost-in-process worker -> ${server} ${count}`,
];

test('each message is followed by a call that begins a trace', () => {
  assert.deepEqual(judgeDrawing(drawRounds(6, usual)), lost(6));
  assert.deepEqual(judgeDrawing(drawRounds(5, usual)), lost(5));
  assert.deepEqual(judgeDrawing(drawRounds(4, usual)), []);
  const two = drawRounds(6, (at) => [
    ...usual(at),
    [call(at + 250, { to: 'audit' }), serve(at + 250, 'audit')],
  ]);
  assert.deepEqual(judgeDrawing(two), [...lost(6), ...lost(6, 'audit')]);
  const inJobs = (at: number) => [
    [receive(at)],
    [`worker INTERNAL "job" ${at + 235}..${at + 310}`, call(at + 240), serve(at + 240)],
  ];
  assert.deepEqual(judgeDrawing(drawRounds(6, inJobs)), lost(6));
});

test('a timer may stay in step with messages at regular intervals', () => {
  const regular = (count: number) => drawRounds(count, (_, round) => usual(round * 2600));
  assert.deepEqual(judgeDrawing(regular(12)), ['warning context-lost-in-process worker -> store 12']);
  for (const count of [17, 33]) assert.deepEqual(judgeDrawing(regular(count)), []);
});

test('some messages may have no call, but each call needs a message', () => {
  const without = (missing: number) => (at: number, round: number) =>
    round < missing ? usual(at) : usual(at).slice(0, 1);
  assert.deepEqual(judgeDrawing(drawRounds(12, without(11))), lost(11));
  assert.deepEqual(judgeDrawing(drawRounds(6, without(5))), []);
  const twice = (at: number) => [...usual(at), [call(at + 1240), serve(at + 1240)]];
  assert.deepEqual(judgeDrawing(drawRounds(6, twice)), []);
  const late = (at: number) => [[receive(at)], [call(at + 2240), serve(at + 2240)]];
  assert.deepEqual(judgeDrawing(drawRounds(6, late)), []);
});

test('a message that is handled in a span has kept its context', () => {
  const handled = (at: number) => [
    [receive(at), `worker INTERNAL "handle" ${at}..${at + 1}`],
    ...usual(at).slice(1),
  ];
  assert.deepEqual(judgeDrawing(drawRounds(6, handled)), []);
  assert.deepEqual(judgeDrawing(drawRounds(6, (at) => [[receive(at), call(at + 240), serve(at + 240)]])), []);
  const linked = (at: number, round: number) => [
    [receive(at, `id:m${round}`)],
    [call(at + 240, { more: `link:m${round}` }), serve(at + 240)],
  ];
  assert.deepEqual(judgeDrawing(drawRounds(6, linked)), []);
});

test('requests are not messages, and other services handle other messages', () => {
  // Requests of a monitor; other requests would be judged as requests.
  const asked = (_: number, round: number) => [
    [`worker SERVER "GET /x" ${round * 2600}..${round * 2600 + 1} http.request.method=GET`],
    ...usual(round * 2600).slice(1),
  ];
  assert.deepEqual(judgeDrawing(drawRounds(6, asked)), []);
  assert.deepEqual(judgeDrawing(drawRounds(6, asked) + drawChain(990, receive(99_000))), []);
  const others = (at: number) => [[receive(at)], [call(at + 240, { service: 'cron' }), serve(at + 240)]];
  assert.deepEqual(judgeDrawing(drawRounds(6, others)), []);
});

test('calls within requests of the service are not calls after messages', () => {
  const within = (at: number) => [
    ...usual(at),
    [
      `worker SERVER "GET /x" ${at + 1000}..${at + 1100} http.request.method=GET`,
      call(at + 1010),
      serve(at + 1010),
    ],
  ];
  assert.deepEqual(judgeDrawing(drawRounds(6, within)), lost(6));
});

test('each service handles its own messages', () => {
  const both = (at: number) => [
    ...usual(at),
    [receive(at + 700).replace('worker', 'mailer')],
    [call(at + 940, { service: 'mailer' }), serve(at + 940)],
  ];
  assert.deepEqual(judgeDrawing(drawRounds(6, both)), [
    ...lost(6),
    'error context-lost-in-process mailer -> store 6',
  ]);
});

test('a call belongs to the last message before it, however long earlier messages took', () => {
  const long = (at: number) => [
    [receive(at)],
    [call(at + 240).replace(/\d+[.][.]\d+/, `${at + 240}..${at + 2595}`), serve(at + 240)],
  ];
  assert.deepEqual(judgeDrawing(drawRounds(6, long)), lost(6));
});

const handle = (at: number, more = '', path = '/x') =>
  `worker SERVER "GET ${path}" ${at}..${at + 1} http.request.method=GET http.route=${path} ${more}`;
/** Requests at regular times, as a monitor sends them. */
const times = [0, 700, 2900, 3600, 5900, 6700];
const afterRequests = ['warning context-lost-in-process worker -> store 6'];

test('requests count like messages if each is followed by such a call and is no probe', () => {
  const after = (path: string) => (_: number, round: number) => {
    const at = times[round] ?? 0;
    return [[handle(at, '', path)], [call(at + 40), serve(at + 40)]];
  };
  assert.deepEqual(judgeDrawing(drawRounds(6, after('/x'))), afterRequests);
  assert.deepEqual(judgeDrawing(drawRounds(6, after('/healthz'))), []);
});

test('messages whose handlers keep their context are not requests', () => {
  const handled = (_: number, round: number) => {
    const at = times[round] ?? 0;
    return [
      [receive(at), `worker INTERNAL "handle" ${at}..${at + 1}`],
      [call(at + 40), serve(at + 40)],
    ];
  };
  assert.deepEqual(judgeDrawing(drawRounds(6, handled) + drawChain(990, handle(99_000))), []);
});

test('a route is evidence only for as many calls as it has requests', () => {
  const says = (starts: readonly number[]) => {
    const requests = drawRounds(6, (_, round) => [[handle(times[round] ?? 0)]]);
    const calls = starts.map((at, number) => drawChain(100 + number, call(at), serve(at))).join('');
    return explainDrawing(requests + calls).some((line) =>
      /such calls as requests|has no request|request is followed/.test(line),
    );
  };
  assert.ok(says([400, 1300, 3300, 4100, 6300, 7100]));
  assert.ok(!says([400, 1300, 3300, 4100]));
  assert.ok(!says(Array.from({ length: 40 }, (_, at) => at * 200)));
});

test('messages are ordered by their ends', () => {
  const overlapping = (at: number, round: number) => {
    const next = at + 30 + (round % 3) * 15;
    return [
      [receive(at).replace(`${at + 1}`, `${at + 100}`)],
      [receive(next)],
      [call(next + 3), serve(next + 3)],
      [call(at + 102), serve(at + 102)],
    ];
  };
  assert.deepEqual(judgeDrawing(drawRounds(6, overlapping)), lost(12));
});

test('a call after a message is reported once, whichever request ended at that time', () => {
  const both = (_: number, round: number) => {
    const at = times[round] ?? 0;
    return [[receive(at)], [handle(at)], [call(at + 40), serve(at + 40)]];
  };
  assert.deepEqual(judgeDrawing(drawRounds(6, both)), lost(6));
});

test('calls of another process of the service, such as of a browser with its name, do not count', () => {
  const apart = (enter: typeof receive, of: string, others: string) => (_: number, round: number) => {
    const at = times[round] ?? 0;
    return [[enter(at, of)], [call(at + 40, { more: others }), serve(at + 40)]];
  };
  for (const [one, other] of [
    [onPod('worker-1'), onPod('worker-2')],
    [inLanguage('nodejs'), inLanguage('webjs')],
  ] as const) {
    assert.deepEqual(judgeDrawing(drawRounds(6, apart(receive, one, other))), []);
    assert.deepEqual(judgeDrawing(drawRounds(6, apart(receive, one, one))), lost(6));
    assert.deepEqual(judgeDrawing(drawRounds(6, apart(handle, one, other))), []);
    assert.deepEqual(judgeDrawing(drawRounds(6, apart(handle, one, one))), afterRequests);
  }
});

test('an export of telemetry, which an SDK makes as soon as a span ends, is no call of the handler', () => {
  const targets = ['/v1/traces', '/v1/logs', '/api/v2/spans', '/api/traces'].map(
    (path) => `http.request.method=POST url.full=http://store:4318${path}`,
  );
  const rpc =
    'rpc.system=grpc rpc.service=opentelemetry.proto.collector.trace.v1.TraceService rpc.method=Export';
  for (const about of [...targets, rpc])
    for (const enter of [receive, handle]) {
      const after = (_: number, round: number) => {
        const at = times[round] ?? 0;
        return [[enter(at)], [`worker CLIENT "Export" ${at + 40}..${at + 100} ${about}`, serve(at + 40)]];
      };
      assert.deepEqual(judgeDrawing(drawRounds(6, after)), [], about);
    }
});
