import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { drawClient, drawServer, judgeDrawing } from './judge-drawing.ts';

const request = (from: number, to: number, path = '/call', kind = 'SERVER') =>
  `web ${kind} "GET ${path}" ${from}..${to} http.request.method=GET url.path=${path}`;
const call = (from: number, extra = '') => drawClient({ from, to: from + 80, extra });
const serve = (from: number, extra = '') => drawServer({ from, to: from + 60, extra });

/** Lines, each with its depth. */
type Trace = readonly (readonly [depth: number, line: string])[];

function drawTraces(...traces: readonly Trace[]): string {
  return traces
    .map((lines, at) =>
      [`trace ${at + 1}`, ...lines.map(([depth, line]) => `${'  '.repeat(depth)}${line}`), ''].join('\n'),
    )
    .join('');
}

const wholeCall = (from: number): Trace => [
  [2, call(from)],
  [3, serve(from + 10)],
];
const stale = (count: number) => [`error stale-context web -> orders ${count}`];

suite('calls below a request that had ended', () => {
  const owner = [[1, request(0, 100)], ...wholeCall(10)] as const;

  test('belong to requests that lack them', () => {
    const lost = [...owner, ...wholeCall(1010), ...wholeCall(2010)];
    assert.deepEqual(
      judgeDrawing(drawTraces(lost, [[1, request(1000, 1100)]], [[1, request(2000, 2100)]])),
      stale(2),
    );
  });

  test('are its own if other requests have theirs, or make no call at that time', () => {
    const late = [...owner, ...wholeCall(1010), ...wholeCall(2010)];
    const busy = (from: number) => [[1, request(from, from + 100)], ...wholeCall(from + 10)] as const;
    assert.deepEqual(judgeDrawing(drawTraces(late, busy(1000), busy(2000))), []);
    assert.deepEqual(
      judgeDrawing(drawTraces(late, [[1, request(3000, 3100)]], [[1, request(4000, 4100)]])),
      [],
    );
  });

  test('are its own if the requests that lack them have another route', () => {
    const late = [...owner, ...wholeCall(1010), ...wholeCall(2010)];
    const other = (from: number) => [[1, request(from, from + 100, '/other')]] as const;
    assert.deepEqual(judgeDrawing(drawTraces(late, other(1000), other(2000))), []);
  });

  test('are its own if most of them lie within no request', () => {
    const batch = [1010, 2010, 3010, 4010, 5010, 6010].flatMap(wholeCall);
    const idle = [[[1, request(1000, 1100)]], [[1, request(2000, 2100)]]] as const;
    assert.deepEqual(judgeDrawing(drawTraces([...owner, ...batch], ...idle)), []);
  });

  test('are reported for their own edge, and may begin before the older request ends', () => {
    const shop = [
      [1, drawClient({ from: -500, to: -420, service: 'shop' }, 'stock/items')],
      [2, drawServer({ from: -490, to: -430, service: 'stock' }, '/items')],
    ] as const;
    const idle = [[[1, request(1000, 1100)]], [[1, request(2000, 2100)]]] as const;
    const lost = [...owner, ...wholeCall(1010), ...wholeCall(2010)];
    assert.deepEqual(judgeDrawing(drawTraces(shop, lost, ...idle)), stale(2));
    const long = [[1, request(0, 1150)], ...lost.slice(1)] as const;
    assert.deepEqual(judgeDrawing(drawTraces(long, ...idle)), stale(2));
  });

  test('may also be below messages', () => {
    const message = (from: number) =>
      `web CONSUMER "jobs process" ${from}..${from + 100} messaging.system=kafka messaging.destination.name=jobs`;
    const lost = [[1, message(0)], ...wholeCall(10), ...wholeCall(1010), ...wholeCall(2010)] as const;
    assert.deepEqual(judgeDrawing(drawTraces(lost, [[1, message(1000)]], [[1, message(2000)]])), stale(2));
  });

  test('are not the calls of requests that have their own', () => {
    const late = [...owner, ...wholeCall(1010), ...wholeCall(2010)];
    const idle = [[[1, request(1000, 1100)]], [[1, request(2000, 2100)]]] as const;
    const busy = [[1, request(3000, 3100)], ...wholeCall(3010)] as const;
    assert.deepEqual(judgeDrawing(drawTraces(late, ...idle, busy)), stale(2));
    assert.deepEqual(judgeDrawing(drawTraces(late, ...idle, busy, [[1, request(3001, 3101)]])), []);
  });

  test('are late only if they began later than clocks differ', () => {
    const judge = (end: number) =>
      judgeDrawing(
        drawTraces(
          [[1, request(0, end)], ...wholeCall(10), ...wholeCall(510), ...wholeCall(1010)],
          [[1, request(500, 600)]],
          [[1, request(1000, 1100)]],
          // A call that no request waited for.
          [[1, request(-3000, -2900, '/other')], ...wholeCall(-2000)],
        ),
      );
    assert.deepEqual(judge(1004), stale(2));
    assert.deepEqual(judge(1005), []);
  });

  test('are on time if they began while it was open', () => {
    const parallel = [[1, request(0, 2200)], ...wholeCall(1010), ...wholeCall(2010)] as const;
    assert.deepEqual(
      judgeDrawing(drawTraces(parallel, [[1, request(1000, 1100)]], [[1, request(2000, 2100)]])),
      [],
    );
  });
});

suite('requests below a span that had ended', () => {
  const lonely = (from: number) =>
    [
      [1, request(from, from + 100)],
      [2, call(from + 10)],
    ] as const;
  const kept = (first: string) =>
    drawTraces(
      [
        [1, request(0, 100)],
        [2, first],
        [3, serve(20)],
        [3, serve(1020)],
        [3, serve(2020)],
      ],
      lonely(1000),
      lonely(2000),
    );

  test('got the headers of an earlier call, which was answered', () => {
    assert.deepEqual(judgeDrawing(kept(call(10))), stale(2));
  });

  test('got those of an abandoned call, if it was to another path', () => {
    const givenUp = (path: string) =>
      `web CLIENT "GET" 10..90 http.request.method=GET url.full=http://orders:8082${path} error.type=timeout status:ERROR`;
    assert.deepEqual(judgeDrawing(kept(givenUp('/login'))), stale(2));
    assert.ok(!judgeDrawing(kept(givenUp('/work'))).some((line) => line.includes('stale-context')));
  });

  test('are not reported if no call of the service lacks a child', () => {
    const whole = [[1, request(1000, 1100)], ...wholeCall(1010)] as const;
    const late = [
      [1, request(0, 100)],
      [2, call(10)],
      [3, serve(20)],
      [3, serve(1020)],
    ] as const;
    assert.deepEqual(judgeDrawing(drawTraces(late, whole)), []);
  });

  const isStale = (...traces: readonly Trace[]): boolean =>
    judgeDrawing(drawTraces(...traces)).some((line) => line.includes('stale-context'));
  const keptCall = [
    [1, request(0, 100)],
    [2, call(10)],
    [3, serve(20)],
  ] as const;

  test('must have got those of a call of the same service, for the same request', () => {
    const late = [...keptCall, [3, serve(1020)], [3, serve(2020)]] as const;
    const other = (from: number, path: string, service = 'web') =>
      [
        [1, request(from, from + 100).replace('web', service)],
        [2, drawClient({ from: from + 10, to: from + 90, service }, `orders:8082${path}`)],
      ] as const;
    assert.ok(isStale(late, other(1000, '/work'), other(2000, '/work')));
    assert.ok(!isStale(late, other(1000, '/play'), other(2000, '/play')));
    assert.ok(!isStale(late, other(1000, '/work', 'shop'), other(2000, '/work', 'shop')));
  });

  test('must be several that are late', () => {
    const early = [...keptCall, [3, serve(40)], [3, serve(1020)]] as const;
    assert.ok(!isStale(early, lonely(20), lonely(1000)));
  });

  test('may be one for each call only if calls beside it repeat it', () => {
    const late = [3, serve(1020)] as const;
    const moved = (trace: Trace): Trace =>
      trace.map(([depth, line]) => [
        depth,
        line.replace(/(\d+)\.\.(\d+)/, (_, from, to) => `${+from + 5000}..${+to + 5000}`),
      ]);
    const repeats = [
      [1, 'web INTERNAL "all" 0..2000'],
      [2, call(10)],
      [3, serve(20)],
      [3, serve(1020)],
      [2, call(1010)],
    ] as const;
    assert.ok(isStale(repeats, moved(repeats)));
    assert.ok(!isStale(repeats));
    const ofAnother = [...keptCall, late] as const;
    assert.ok(!isStale(ofAnother, lonely(1000), moved(ofAnother), moved(lonely(1000))));
    const below = [...ofAnother, [2, 'web INTERNAL "again" 1000..1100'], [3, call(1010)]] as const;
    assert.ok(!isStale(below, moved(below)));
    const roots = [
      [
        [1, call(10)],
        [2, serve(20)],
        [2, serve(1020)],
      ],
      [[1, call(1010)]],
    ] as const;
    assert.ok(!isStale(...roots, ...roots.map(moved)));
  });

  test('may be deferred work if most calls of that time have no such request: their peer may make no spans', () => {
    const deferred = [...keptCall, [3, serve(1620)], [3, serve(2820)]] as const;
    const every = (period: number) =>
      Array.from({ length: 3000 / period }, (_, at) => lonely(1000 + at * period));
    assert.ok(!isStale(deferred, ...every(200)));
    assert.ok(isStale(deferred, lonely(1600), lonely(2800)));
    const before = [200, 400, 600, 800].map(lonely);
    const after = [3000, 3200, 3400, 3600].map(lonely);
    assert.ok(isStale(deferred, ...before, lonely(1600), lonely(2800), ...after));
    const throughHop = (trace: Trace): Trace =>
      trace.map(([depth, line]) => [depth, line.replace(/^web/, 'gateway')]);
    const ofHop = [
      ...keptCall.slice(0, 2),
      [3, 'gateway SERVER "GET /work" 15..85 http.request.method=GET url.path=/work server.port=8081'],
      ...deferred.slice(2),
    ] as const;
    assert.ok(!isStale(ofHop, ...every(200).map(throughHop)));
    assert.ok(isStale(ofHop, ...[lonely(1600), lonely(2800)].map(throughHop)));
    const beside = [[1, request(200, 300)], ...ofHop.slice(1, 3)] as const;
    assert.ok(!isStale(deferred, beside, ...[lonely(1600), lonely(2800)].map(throughHop)));
  });

  test('are on time if the span was open', () => {
    const open = [
      [1, request(0, 3000)],
      [2, 'web INTERNAL "work" 5..2900'],
      [3, serve(1020)],
      [3, serve(2020)],
    ] as const;
    assert.ok(
      !judgeDrawing(drawTraces(open, lonely(1000), lonely(2000))).some((line) =>
        line.includes('stale-context'),
      ),
    );
  });
});
