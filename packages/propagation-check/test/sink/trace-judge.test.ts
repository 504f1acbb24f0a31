import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Span } from '../../src/span/span.ts';
import { drawTrace, spanId, traceId } from '../draw-trace.ts';
import { breakCalls, callOrders, makeJudge, rename } from './make-judge.ts';

const minute = 60_000;

const of = (spans: readonly Span[], service: string) => spans.filter((span) => span.serviceName === service);

test('whole calls are intact when their traces are quiet', () => {
  const sink = makeJudge();
  sink.send(callOrders(10));
  sink.advance(20_000);
  assert.deepEqual(sink.list(), []);
  assert.equal(sink.state().open, 10);
  sink.advance(15_000);
  assert.deepEqual(sink.list(), ['web → orders intact: 10']);
  assert.equal(sink.state().open, 0);
});

test('a call is counted once, however many batches its trace is in', () => {
  const sink = makeJudge();
  for (let round = 0; round < 30; round += 1) {
    sink.send(callOrders(10, sink.now, round * 10 + 1));
    sink.advance(minute / 4);
  }
  sink.finish();
  assert.deepEqual(sink.list(), ['web → orders intact: 300']);
  assert.ok(sink.judge.totals.batches > 20);
  assert.deepEqual([sink.judge.totals.judged, sink.judge.totals.late], [900, 0]);
});

test('the halves of a broken call are matched although one of them is late', () => {
  const sink = makeJudge();
  const spans = breakCalls(callOrders(40));
  sink.send(of(spans, 'web'));
  sink.advance(4_000);
  sink.send(of(spans, 'orders'));
  sink.advance(minute);
  assert.deepEqual(sink.list(), ['web → orders broken split-trace: 40']);
  const [first] = sink.counted;
  assert.equal(first?.example.traceId.length, 32);
});

test('broken and whole calls of one edge have separate counters', () => {
  const sink = makeJudge();
  sink.send([...callOrders(60), ...breakCalls(callOrders(40, 1_000, 100))]);
  sink.advance(minute);
  assert.deepEqual(sink.list(), ['web → orders broken split-trace: 40', 'web → orders intact: 60']);
});

test('a broken call whose answer named its SERVER span is broken, however many others lack their other half', () => {
  const sink = makeJudge();
  const named = breakCalls(callOrders(10));
  const served = of(named, 'orders');
  const calls = of(named, 'web').map((span) => {
    const server = served.find(({ spanId }) => spanId.endsWith(span.spanId.slice(-4)));
    if (span.kind !== 'CLIENT' || server === undefined) return span;
    const answer = `00-${server.traceId}-${server.spanId}-01`;
    return {
      ...span,
      attributes: new Map([...span.attributes, ['http.response.header.traceresponse', answer]]),
    };
  });
  sink.send([...calls, ...served, ...of(breakCalls(callOrders(10, 1_000, 100)), 'web')]);
  sink.advance(minute);
  assert.deepEqual(sink.list(), ['web → orders broken split-trace: 10']);
});

test('spans that arrive after their trace was judged complete it, and no call is broken', () => {
  const sink = makeJudge();
  const late = callOrders(40, 2_000, 100);
  sink.send([...callOrders(40), ...of(late, 'web'), ...callOrders(40, 4_000, 200)]);
  sink.advance(40_000);
  assert.deepEqual(sink.list(), ['web → orders intact: 80']);
  sink.send(of(late, 'orders'));
  sink.advance(5 * minute);
  assert.deepEqual(sink.list(), ['web → orders intact: 120']);
  assert.equal(sink.judge.totals.late, 0);
});

test('a missing span is a break when it has not arrived a minute after its trace was judged', () => {
  const sink = makeJudge();
  const lost = callOrders(40, 2_000, 100).filter(({ kind }) => kind !== 'CLIENT');
  sink.send([...callOrders(40), ...lost, ...callOrders(40, 4_000, 200)]);
  sink.advance(30_000);
  assert.deepEqual(sink.list(), ['web → orders intact: 80']);
  sink.advance(80_000);
  assert.deepEqual(sink.list(), ['web → orders broken client-span-lost: 40', 'web → orders intact: 80']);
});

test('spans of a trace that was judged long ago are late, and their calls are never broken', () => {
  const sink = makeJudge();
  const spans = callOrders(10);
  sink.send(of(spans, 'web'));
  sink.advance(10 * minute);
  sink.send(of(spans, 'orders'));
  sink.advance(minute);
  const counted = sink.list();
  assert.ok(counted.includes('unknown → orders undecided judged-apart: 10'), counted.join());
  assert.doesNotMatch(counted.join(), /broken/);
  assert.equal(sink.judge.totals.late, 10);
});

test('a consumer that works long after its message was sent is not broken', () => {
  const sink = makeJudge();
  const message = (id: string, at: number) => {
    const trace = rename(
      drawTrace(`
        SERVER shop POST /buy       a1  ${at}..${at + 20} http.request.method=POST url.path=/buy
          PRODUCER shop send mails  a2  ${at + 5}..${at + 6} messaging.system=kafka messaging.destination.name=mails
            CONSUMER mailer mails   a3  ${at + 90_000}..${at + 90_010} messaging.system=kafka messaging.destination.name=mails`),
      id,
    );
    return { sent: of(trace, 'shop'), consumed: of(trace, 'mailer') };
  };
  const messages = Array.from({ length: 30 }, (_, index) => message(`${1000 + index}`, index * 1_000));
  for (let second = 0; second < 200; second += 1) {
    sink.send(messages[second]?.sent ?? []);
    sink.send(messages[second - 90]?.consumed ?? []);
    sink.advance(1_000);
  }
  sink.advance(5 * minute);
  assert.deepEqual(sink.list(), ['shop → mailer intact: 30']);
});

test('a trace is not broken while its root has not ended', () => {
  const sink = makeJudge();
  const stream = drawTrace(`
    SERVER web GET /stream      a1  0..600000 http.request.method=GET url.path=/stream
      CLIENT web GET            a2  1..599000 http.request.method=GET url.full=http://orders/stream
        SERVER orders GET       a3  2..10 http.request.method=GET url.path=/stream
          CLIENT orders GET     a4  3..9 http.request.method=GET url.full=http://stock/item
            SERVER stock GET    a5  4..8 http.request.method=GET url.path=/item`);
  const early = stream.filter(({ endTimeUnixNano }) => endTimeUnixNano < 1_000_000_000n);
  sink.send(callOrders(20));
  sink.send(early);
  sink.advance(4 * minute);
  sink.send(callOrders(20, sink.now, 100));
  sink.advance(6 * minute);
  sink.send(stream.filter((span) => !early.includes(span)));
  sink.advance(6 * minute);
  assert.doesNotMatch(sink.list().join(), /broken/);
  assert.ok(sink.list().includes('orders → stock intact: 1'), sink.list().join());
});

test('repeated exports count once', () => {
  const sink = makeJudge();
  sink.send(callOrders(10));
  sink.send(callOrders(10));
  sink.advance(40_000);
  sink.send(callOrders(10));
  sink.advance(minute);
  assert.deepEqual(sink.list(), ['web → orders intact: 10']);
});

test('an export that is repeated after its traces have left counts no call twice, and counts new calls in it', () => {
  const sink = makeJudge();
  const spans = callOrders(10);
  const [work] = of(callOrders(1, 0, 500), 'orders');
  const [caller] = of(spans, 'web').filter(({ kind }) => kind === 'CLIENT');
  assert.ok(work !== undefined && caller !== undefined);
  const second = { ...work, traceId: caller.traceId, parentSpanId: caller.spanId };
  sink.send(spans);
  sink.advance(10 * minute);
  sink.send([...spans, second]);
  sink.advance(10 * minute);
  assert.deepEqual(sink.list(), ['web → orders intact: 11']);
  assert.deepEqual([sink.judge.totals.late, sink.judge.totals.repeated], [31, 20]);
});

test('late spans that are sent again are counted once', () => {
  const sink = makeJudge();
  const spans = callOrders(10);
  sink.send(of(spans, 'web'));
  for (let turn = 0; turn < 3; turn += 1) {
    sink.advance(10 * minute);
    sink.send(of(spans, 'orders'));
  }
  sink.advance(minute);
  const [apart] = sink.list().filter((line) => line.includes('judged-apart'));
  assert.equal(apart, 'unknown → orders undecided judged-apart: 10');
  assert.equal(sink.judge.totals.repeated, 20);
});

test('a trace that is never quiet is judged after ten minutes, and no call is broken', () => {
  const sink = makeJudge();
  for (let round = 0; round < 70; round += 1) {
    const child = drawTrace(`INTERNAL loop turn  b${round.toString(16)} <- a1  ${sink.now}..${sink.now + 5}`);
    sink.send(
      child.map((span) => ({ ...span, traceId: traceId('7'), spanId: spanId((0x100 + round).toString(16)) })),
    );
    sink.advance(10_000);
  }
  assert.equal(sink.judge.totals.closed.age, 1);
  assert.doesNotMatch(sink.list().join(), /broken/);
});

test('a stop judges all traces; calls that may be incomplete because of it are undecided', () => {
  const sink = makeJudge();
  const lost = callOrders(40, 2_000, 100).filter(({ kind }) => kind !== 'CLIENT');
  sink.send([...callOrders(40), ...lost, ...callOrders(40, 4_000, 200)]);
  sink.finish();
  assert.deepEqual(sink.list(), ['web → orders intact: 80', 'web → orders undecided client-span-lost: 40']);
  const { received, judged, closed } = sink.judge.totals;
  assert.equal(received, judged);
  assert.equal(closed.stop, 120);
});

test('traces whose spans may be in transit are not judged early: exports are refused then', () => {
  const maxBytes = 250_000;
  const sink = makeJudge({ maxBytes });
  sink.send(callOrders(500));
  assert.equal(sink.judge.totals.judged, 0);
  assert.ok(sink.judge.bytes > maxBytes);
  sink.advance(6_000);
  assert.ok(sink.judge.bytes < maxBytes);
  assert.ok(sink.judge.totals.closed.memory > 0);
});

test('two sinks that share traces by a hash of their ids count the same as one', () => {
  const sinks = [makeJudge(), makeJudge()];
  const spans = callOrders(100);
  for (const [part, sink] of sinks.entries()) {
    sink.send(spans.filter((span) => Number.parseInt(span.traceId.slice(-4), 16) % sinks.length === part));
    sink.advance(minute);
    assert.deepEqual(sink.list(), ['web → orders intact: 50']);
  }
});

test('a trace that is split between two sinks, as when a sink is added, is not broken in the one without its root', () => {
  const sinks = [makeJudge(), makeJudge()];
  const moved = callOrders(40, 2_000, 100);
  const parts = [
    [...callOrders(40), ...of(moved, 'web')],
    [...of(moved, 'orders'), ...callOrders(40, 4_000, 200)],
  ];
  const lists = sinks.map((sink, part) => {
    sink.send(parts[part] ?? []);
    sink.advance(10 * minute);
    return sink.list();
  });
  assert.doesNotMatch(lists.join(), /broken/);
});

test('broken calls are counted once, however many batches their halves are in', () => {
  const sink = makeJudge();
  for (let round = 0; round < 20; round += 1) {
    const from = round * 100 + 1;
    sink.send([
      ...callOrders(60, sink.now, from),
      ...breakCalls(callOrders(40, sink.now + 2_000, from + 60)),
    ]);
    sink.advance(minute / 4);
  }
  sink.advance(10 * minute);
  assert.deepEqual(sink.list(), ['web → orders broken split-trace: 800', 'web → orders intact: 1200']);
});

test('an error of the engine loses its batch, is reported, and later batches are judged', () => {
  const faults: unknown[] = [];
  let isFaulty = true;
  let calls = 0;
  const sink = makeJudge({
    count: (_, more) => {
      if (isFaulty) throw new Error('no such rule');
      calls += more;
    },
    onFault: (error) => faults.push(error),
  });
  sink.send(callOrders(10));
  sink.advance(minute);
  isFaulty = false;
  sink.send(callOrders(10, sink.now, 11));
  sink.advance(minute);
  assert.deepEqual([faults.length, sink.judge.totals.failedBatches, calls], [1, 1, 10]);
  const { open, spans } = sink.state();
  assert.deepEqual([open, spans], [0, 0]);
});

test('calls to a callee without spans are undecided; calls that did not reach it are not counted', () => {
  const call = (from: number, url: string, status: number) =>
    of(callOrders(10, from * 10, from), 'web').map((span) =>
      span.kind === 'CLIENT'
        ? {
            ...span,
            attributes: new Map<string, string | number>([
              ['http.request.method', 'GET'],
              ['url.full', url],
              ['http.response.status_code', status],
            ]),
          }
        : span,
    );
  const sink = makeJudge();
  sink.send([
    ...call(1, 'http://stock:8080/work', 200),
    ...call(11, 'https://mail.example.com/send', 500),
    ...call(21, '/work', 200),
    ...call(31, 'http://stock:8080/work', 503),
  ]);
  // Answers of a cache, of a hop, or of an instance without spans.
  sink.send([...callOrders(20, 1_000, 100), ...of(callOrders(10, 2_000, 200), 'web')]);
  sink.advance(10 * minute);
  assert.deepEqual(sink.list(), [
    'web → mail.example.com:443 undecided uninstrumented-peer: 10',
    'web → orders intact: 20',
    'web → orders:80 undecided uninstrumented-peer: 10',
    'web → stock:8080 undecided uninstrumented-peer: 10',
    'web → unknown undecided uninstrumented-peer: 10',
  ]);
});

test('a hop that forwards its header is broken although its spans arrive after the calls around it were counted, and these stay counted', () => {
  const get = 'http.request.method=GET';
  const drawn = Array.from({ length: 3 }, (_, at) =>
    rename(
      drawTrace(`
        SERVER web GET /call      a1   0..100 ${get} url.path=/call
          CLIENT web GET          a2  10..90 ${get} url.full=http://proxy/work http.response.status_code=200
            SERVER proxy work     a3  12..88 ${get} url.path=/work http.response.status_code=200
              CLIENT proxy route  a4  14..86 ${get} url.full=http://orders/work http.response.status_code=200
            SERVER orders GET     a5  20..80 ${get} url.path=/work http.response.status_code=200
      `),
      String(at + 1),
    ),
  ).flat();
  const hop = ['proxy → orders broken header-passed-through: 3', 'web → proxy intact: 3'];
  const atOnce = makeJudge();
  atOnce.send(drawn);
  atOnce.advance(5 * minute);
  assert.deepEqual(atOnce.list(), [hop[0], 'web → orders undecided past-service: 3', hop[1]]);
  const late = makeJudge();
  late.send(drawn.filter(({ serviceName }) => serviceName !== 'proxy'));
  late.advance(40_000);
  assert.deepEqual(late.list(), ['web → orders intact: 3']);
  late.send(of(drawn, 'proxy'));
  late.advance(5 * minute);
  // A counter must not decrease.
  assert.deepEqual(late.list(), [hop[0], 'web → orders intact: 3', hop[1]]);
});
