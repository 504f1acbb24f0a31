import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ownServiceName } from '../../src/calls/own-service.ts';
import { explainNothingToJudge } from '../../src/collect/explain-nothing-to-judge.ts';
import { hintAtExpectations } from '../../src/collect/hint-at-expectations.ts';
import { type Expectation, expectPath, noExpectation } from '../../src/expect/expectation.ts';
import { summarise } from '../../src/report/summary.ts';
import { markEdge } from '../../src/report/terminal-edges.ts';
import { thresholds } from '../../src/rules/thresholds.ts';
import { applyBaseline, type Baseline } from '../../src/verdict/apply-baseline.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { listOpenEdges } from '../../src/verdict/list-open-edges.ts';
import type { Result } from '../../src/verdict/result.ts';
import { drawTrace } from '../draw-trace.ts';
import { readDrawing } from './read-drawing.ts';
import { readFixtureDrawing, readFixtureText } from './read-fixture-drawing.ts';

/** A request of `web` that calls `pay` and the given addresses. */
function draw(...urls: readonly string[]): string {
  const get = 'http.request.method=GET';
  const calls = urls.map((url, at) => `  CLIENT web GET   b${at}  2${at}..2${at + 1} ${get} ${url}`);
  return [
    `SERVER web GET /         a1  0..60 ${get} url.path=/`,
    `  CLIENT web GET         a2  5..15 ${get} url.full=http://pay/pay`,
    `    SERVER pay GET /pay  a3  6..14 ${get} url.path=/pay`,
    ...calls,
  ].join('\n');
}

/** The given number of calls from `web` to `mailer`. */
function drawCalls(count: number): string {
  return Array.from(
    { length: count },
    (_, at) =>
      `trace 5${at}\n  web CLIENT "GET" ${at * 10}..${at * 10 + 5} http.request.method=GET url.full=http://mailer/work\n` +
      `    mailer SERVER "GET /work" ${at * 10 + 1}..${at * 10 + 4} http.request.method=GET url.path=/work`,
  ).join('\n');
}

const details = { source: 'here', reason: null, notes: [], collector: null };
const names = ['web', 'pay'];

suite('edges that nothing in the capture can judge', () => {
  test('a capture in which a service only calls itself has no verdict, unless that edge is expected', () => {
    const spans = drawTrace(`
      SERVER web GET /         a1  0..60 http.request.method=GET url.path=/
        CLIENT web GET         a2  5..15 http.request.method=GET url.full=http://web/pay
          SERVER web GET /pay  a3  6..14 http.request.method=GET url.path=/pay
    `);
    assert.equal(checkTraces(spans).verdict, 'unknown');
    const toItself = { ...noExpectation, edges: expectPath(['web', 'web']) };
    assert.equal(checkTraces(spans, { expectation: toItself }).verdict, 'intact');
  });

  test('a callee without a SERVER span is named in headline, note and JSON; the verdict stays', () => {
    const result = checkTraces(
      drawTrace(draw('url.full=http://orders:8082/a', 'url.full=http://orders:8082/b')),
    );
    assert.equal(result.verdict, 'intact');
    assert.deepEqual(result.unjudged, [{ client: 'web', peer: 'orders:8082', calls: 2 }]);
    assert.equal(
      summarise(result, details),
      '1 edge, 1 call (1 trace, 5 spans); not judged: web → orders:8082',
    );
    const expected = { ...noExpectation, edges: expectPath(['web', 'pay']) };
    for (const expectation of [noExpectation, expected]) {
      const notes = hintAtExpectations(result, names, expectation);
      assert.equal(notes.length, 1);
      assert.match(notes[0] ?? '', /^not judged: web → orders:8082 \(2 calls\): .*--expect "web -> orders"/);
    }
  });

  test("calls whose answer is another call's are named as such, and only those; the verdict stays", () => {
    const get = 'http.request.method=GET';
    const call = (trace: number, answer: string) =>
      `trace ${trace}\n  web CLIENT "GET" 100..110 ${get} url.full=http://orders/work ${answer}\n`;
    const cached = 'http.response.header.traceresponse=00-<1>-<filling>-01';
    const whole = `trace 1
  web CLIENT "GET" 0..50 ${get} url.full=http://orders/work
    orders SERVER "GET /work" 10..40 ${get} url.path=/work id:filling\n`;
    const { spans } = readDrawing(`${whole}${call(2, cached)}${call(3, cached)}${call(4, '')}`);
    const result = checkTraces(spans);
    assert.deepEqual(
      [result.verdict, result.unjudged],
      ['intact', [{ client: 'web', peer: 'orders:80', calls: 2, why: 'cached-answer' }]],
    );
    const [note = ''] = hintAtExpectations(result, ['web', 'orders'], noExpectation);
    assert.match(note, /^not judged: web → orders:80 \(2 calls\): the answers name spans of other calls/);
  });

  test('a call is whole if its SERVER span links to the span around the CLIENT span', () => {
    const drawing = readFixtureText('split-trace/healthy-link-to-request.txt');
    const { spans } = readDrawing(drawing);
    assert.deepEqual(checkTraces(spans).unjudged, undefined);
    assert.equal(checkTraces(readDrawing(drawing.replaceAll(/link:\w+/g, '')).spans).verdict, 'broken');
    const elsewhere = drawing.replaceAll('url.path=/work', 'url.path=/other');
    assert.equal(checkTraces(readDrawing(elsewhere).spans).unjudged?.[0]?.calls, 2);
  });

  test('messages to a destination from which nobody receives are named; the verdict stays', () => {
    const kafka = 'messaging.system=kafka messaging.destination.name=mails';
    const message = `trace b\nPRODUCER web publish  b1  70..71 ${kafka}`;
    const received = `  CONSUMER mailer process  b2  72..80 ${kafka}`;
    const judge = (...drawings: readonly string[]) => checkTraces(drawTrace(drawings.join('\n')));
    const unreceived = judge(`trace a\n${draw()}`, message);
    assert.equal(unreceived.verdict, 'intact');
    assert.deepEqual(unreceived.unjudged, [
      { client: 'web', peer: 'mails', calls: 1, protocol: 'messaging' },
    ]);
    assert.equal(
      summarise(unreceived, details),
      '1 edge, 1 call (2 traces, 4 spans); not judged: web → mails',
    );
    const [note, ...others] = hintAtExpectations(unreceived, names, noExpectation);
    assert.match(
      note ?? '',
      /^not judged: web → mails \(1 message\): no CONSUMER .*--expect "web -> RECEIVER"/,
    );
    assert.deepEqual(others, []);
    assert.equal(judge(`trace a\n${draw()}`, message, received).unjudged, undefined);
    const another = `trace c\nPRODUCER web publish  c1  170..171 ${kafka}`;
    const waiting = judge(`trace a\n${draw()}`, message, received, another).unjudged;
    assert.deepEqual(
      waiting?.map(({ calls, why }) => [calls, why]),
      [[1, 'waiting']],
    );
    const id = 'messaging.message.id=aaaaaaaa-bbbb-cccc-dddd-000000000001';
    const split = `trace c\nCONSUMER mailer process  c2  72..80 ${kafka} ${id}`;
    const broken = judge(`trace a\n${draw()}`, `${message} ${id}`, split);
    assert.deepEqual([broken.verdict, broken.unjudged], ['broken', undefined]);
    const requested = `trace a\nCLIENT ${ownServiceName} GET  a1  0..90\n  SERVER web GET /  a2  10..80`;
    assert.equal(judge(requested).verdict, 'intact');
    const sent = judge(requested, `    PRODUCER web publish  b1  70..71 ${kafka}`);
    assert.deepEqual([sent.verdict, sent.unjudged?.length], ['intact', 1]);
    assert.match(explainNothingToJudge(judge(message), names, noExpectation), /\(1 message\)/);
  });

  test('messages that nobody received are named with how to decide, if others of their destination were received', () => {
    const kafka = 'messaging.system=kafka messaging.destination.name=mails';
    const send = (at: number, more = '') =>
      `trace ${at + 1}\n  web PRODUCER "publish" ${at * 100}..${at * 100 + 5} id:m${at} ${kafka} ${more}`;
    const times = (at: number) => `${at * 100 + 10}..${at * 100 + 20}`;
    const receive = (at: number) => `${send(at)}\n    mailer CONSUMER "process" ${times(at)} ${kafka}`;
    const link = (at: number) =>
      `${send(at)}\ntrace 10${at}\n  mailer CONSUMER "process" ${times(at)} link:m${at} ${kafka}`;
    const numbers = Array.from({ length: 10 }, (_, at) => at);
    const judge = (...drawings: readonly string[]) => checkTraces(readDrawing(drawings.join('\n')).spans);
    const judgeAll = (draw: (at: number) => string) => judge(...numbers.map(draw));

    const half = judgeAll((at) => (at % 2 === 0 ? send(at) : receive(at)));
    const edge = { client: 'web', peer: 'mails', calls: 5, protocol: 'messaging', server: 'mailer' };
    assert.deepEqual([half.verdict, half.unjudged], ['unknown', [edge]]);
    assert.deepEqual(
      half.edges.map((one) => markEdge(one, half)),
      ['warning'],
    );
    assert.match(
      half.undecided?.[0]?.says ?? '',
      /^5 of 10 messages judged: no CONSUMER span of mailer has 5 messages .*edges: may in --expectations$/,
    );
    const most = judgeAll((at) => (at % 2 === 0 && at > 0 ? send(at) : receive(at)));
    assert.equal(most.verdict, 'intact');
    assert.match(summarise(most, details), /; not judged: web → mailer \(mails\)$/);
    const [note = '', ...others] = hintAtExpectations(half, ['web', 'mailer'], noExpectation);
    assert.match(
      note,
      /^not judged: web → mails \(5 messages\): mailer received others there, .*sampler of its own.*parentbased_always_on\)$/,
    );
    assert.deepEqual(others, []);
    // Two services share the destination: nothing shows which of them should have received the others.
    const shared = judgeAll((at) =>
      at % 2 === 0 ? send(at) : receive(at).replace('mailer', at > 4 ? 'archive' : 'mailer'),
    );
    assert.deepEqual([shared.verdict, shared.unjudged], ['unknown', [{ ...edge, server: 'archive' }, edge]]);
    // Less than half of each edge, but most of the destination.
    const mostOfShared = judgeAll((at) =>
      at % 3 === 0 ? send(at) : receive(at).replace('mailer', at % 3 === 1 ? 'archive' : 'mailer'),
    );
    assert.deepEqual(
      mostOfShared.edges.map(({ server, calls, unjudged = 0 }) => [server, calls, unjudged]),
      [
        ['archive', 3, 0],
        ['mailer', 3, 0],
      ],
    );
    assert.equal(mostOfShared.verdict, 'intact');
    assert.match(
      summarise(mostOfShared, details),
      /; not judged: web → archive \(mails\), web → mailer \(mails\)$/,
    );
    assert.match(
      hintAtExpectations(shared, ['web', 'mailer', 'archive'], noExpectation)[0] ?? '',
      /^not judged: web → mails \(5 messages\): archive, mailer received others there/,
    );
    const sampled = judgeAll((at) => (at % 2 === 0 ? send(at) : link(at)));
    assert.deepEqual([sampled.verdict, sampled.unjudged], ['unknown', [edge]]);
    const may = { ...noExpectation, edges: [{ client: 'web', server: 'mailer', rule: 'may' }] } as const;
    const filtered = checkTraces(
      readDrawing(numbers.map((at) => (at > 0 ? send(at) : link(at))).join('\n')).spans,
      { expectation: may },
    );
    assert.deepEqual(
      [filtered.verdict, ...filtered.edges.map((one) => markEdge(one, filtered))],
      ['intact', 'fine'],
    );

    // A consumer that keeps the context of the first message receives all messages below it, the last one much later.
    const stale = numbers.map((at) => `    mailer CONSUMER "process" ${times(at)} ${kafka}`).join('\n');
    assert.deepEqual(
      judgeAll((at) => (at === 0 ? `${send(0)}\n${stale}` : send(at))).unjudged?.map(({ calls }) => calls),
      [9],
    );

    // The last message may still be in the queue, and a rejected message is never received.
    const last = judgeAll((at) => (at === 9 ? send(at) : receive(at)));
    assert.deepEqual(
      [last.verdict, last.edges[0]?.unjudged, last.unjudged?.map(({ calls, why }) => [calls, why])],
      ['intact', undefined, [[1, 'waiting']]],
    );
    assert.equal(judgeAll((at) => (at === 3 ? send(at, 'status:ERROR') : receive(at))).unjudged, undefined);
    const links = numbers.map((at) => `link:m${at}`).join(' ');
    const batch = `trace 99\n  mailer CONSUMER "receive" 1000..1020 ${links} ${kafka}`;
    const whole = judge(...numbers.map((at) => send(at)), batch);
    assert.deepEqual([whole.verdict, whole.unjudged, whole.edges[0]?.calls], ['intact', undefined, 10]);
    // One span received six of the ten messages.
    const late = 'trace 98\n  web INTERNAL "end" 9000..9001';
    const sixOfTen = judge(...numbers.map((at) => send(at)), batch.replace(/link:m[6-9] /g, ''), late);
    assert.deepEqual(
      [sixOfTen.verdict, sixOfTen.edges[0]?.calls, sixOfTen.edges[0]?.unjudged],
      ['intact', 6, 4],
    );
    const oneOfTen = batch.replace(/link:m[1-9] /g, '');
    const other = judge(...numbers.map((at) => send(at)), oneOfTen, late, drawCalls(20));
    assert.equal(other.verdict, 'unknown', 'requests between the same services say nothing of messages');
    assert.deepEqual(
      other.edges.map((one) => [one.protocol, markEdge(one, other)]),
      [
        ['http', 'fine'],
        ['messaging', 'warning'],
      ],
    );
  });

  test('messages are open only if the service received others of their sender, or is expected to', () => {
    const topic = (system: string) => `messaging.system=${system} messaging.destination.name=events`;
    const send = (client: string, at: number, system = 'kafka') =>
      `trace ${client === 'web' ? 1 : 2}${at}\n  ${client} PRODUCER "send" ${at}..${at + 5} ${topic(system)}`;
    const receive = (at: number) => `    audit CONSUMER "process" ${at + 10}..${at + 20} ${topic('kafka')}`;
    const judge = (system: string, expectation: Expectation = noExpectation, more = '') => {
      const times = [1_000, 2_000, 3_000];
      const drawing = [
        ...times.map((at) => `${send('pay', at)}\n${receive(at)}`),
        ...times.map((at) => send('web', at, system)),
        'trace 99\n  web INTERNAL "end" 90000..90001',
        more,
      ];
      return checkTraces(readDrawing(drawing.join('\n')).spans, { expectation });
    };
    const edge = { client: 'web', server: 'audit' };
    const rule = (name: 'must' | 'must-not') => ({ ...noExpectation, edges: [{ ...edge, rule: name }] });
    const servers = ({ unjudged = [] }: Result) => unjudged.map(({ server }) => server);
    assert.equal(judge('kafka').verdict, 'intact');
    assert.deepEqual(servers(judge('kafka')), ['audit']);
    assert.equal(judge('kafka', rule('must-not')).verdict, 'intact');
    assert.equal(judge('kafka', rule('must')).undecided?.length, 1, 'told once');
    const whole = `${send('web', 500)}\n${receive(500)}`;
    const open = judge('kafka', noExpectation, whole);
    assert.deepEqual([open.verdict, open.edges.map(({ unjudged = 0 }) => unjudged)], ['unknown', [3, 0]]);
    assert.equal(
      judge('kafka', { ...noExpectation, toleratedPeers: ['web -> audit'] }, whole).verdict,
      'intact',
    );
    // The same name at another broker is another topic.
    assert.deepEqual(servers(judge('rabbitmq')), [undefined]);
    assert.equal(judge('rabbitmq', noExpectation, whole).verdict, 'intact');
  });

  test('a doubt leaves an edge open only if the edge has doubtful calls and is not optional', () => {
    const { spans } = readDrawing(readFixtureText('context-lost-in-process/shown-listener.txt'));
    const result = checkTraces(spans);
    assert.equal(result.verdict, 'unknown');
    const may = { ...noExpectation, edges: [{ client: 'api', server: 'search', rule: 'may' as const }] };
    assert.equal(checkTraces(spans, { expectation: may }).verdict, 'intact');
    assert.deepEqual(listOpenEdges({ ...result, edges: [] }, [], noExpectation, thresholds), []);
  });

  test('an error on requests does not hide open messages between the same services', () => {
    const kafka = 'messaging.system=kafka messaging.destination.name=mails';
    const get = 'http.request.method=GET';
    const split = [1_000, 2_000].map(
      (at) =>
        `trace ${at}\n  web SERVER "GET /" ${at}..${at + 90} ${get} url.path=/\n` +
        `    web CLIENT "GET" ${at + 10}..${at + 80} ${get} url.full=http://mailer:80/work http.response.status_code=200\n` +
        `trace 1${at}\n  mailer SERVER "GET /work" ${at + 20}..${at + 70} ${get} url.path=/work server.port=80`,
    );
    const sent = [3_000, 4_000, 5_000].map(
      (at) => `trace ${at}\n  web PRODUCER "send" ${at}..${at + 5} ${kafka}`,
    );
    const received = `    mailer CONSUMER "process" 5020..5030 ${kafka}`;
    const { spans } = readDrawing(
      [...split, ...sent, received, 'trace 99\n  web INTERNAL "end" 90000..90001'].join('\n'),
    );
    const result = checkTraces(spans);
    assert.equal(result.verdict, 'broken');
    const baseline: Baseline = [
      { client: 'web', server: 'mailer', protocol: 'http', finding: 'split-trace' },
    ];
    const { verdict, undecided = [] } = applyBaseline(result, baseline);
    assert.deepEqual([verdict, undecided.map(({ protocol }) => protocol)], ['unknown', ['messaging']]);
  });

  test('an expected edge is undecided once, although a warning leaves it open too', () => {
    const { spans, expectation } = readFixtureDrawing('missing-call/healthy-given-up.txt');
    assert.equal(checkTraces(spans, { expectation }).undecided?.length, 1);
  });

  test('dropped links are reported for the service whose spans lost them', () => {
    const kafka = 'messaging.system=kafka messaging.destination.name=events';
    const at = [1_000, 2_000, 3_000, 4_000, 5_000, 6_000];
    const receivers = ['archive', 'archive', 'worker', 'worker', 'worker', 'worker'];
    const drawing = at.map((from, number) => {
      const link = number < 3 ? `link:m${from}` : 'otel.dropped_links_count=1';
      return (
        `trace ${from}\n  web PRODUCER "send" ${from}..${from + 5} id:m${from} ${kafka}\n` +
        `trace 1${from}\n  ${receivers[number]} CONSUMER "process" ${from + 20}..${from + 30} ${link} ${kafka}`
      );
    });
    const end = 'trace 99\n  web INTERNAL "end" 90000..90001';
    const result = checkTraces(readDrawing([...drawing, end].join('\n')).spans);
    assert.deepEqual(
      result.edges.map(({ server, calls, unjudged = 0 }) => [server, calls, unjudged]),
      [
        ['archive', 2, 0],
        ['worker', 1, 3],
      ],
    );
    assert.deepEqual(
      result.undecided?.map(({ server }) => server),
      ['worker'],
    );
  });

  test('requests that continue other traces count in the protocol of the edge, and for no edge if they fit two', () => {
    const get = 'http.request.method=GET';
    const serve = (from: number) =>
      `orders SERVER "POST /Orders/work" ${from + 20}..${from + 80} ${get} url.path=/Orders/work flags:0x301`;
    const call = (client: string, from: number) =>
      `trace ${from}\n  ${client} SERVER "GET /call" ${from}..${from + 100} ${get} url.path=/call\n` +
      `    ${client} CLIENT "Orders/work" ${from + 10}..${from + 90} rpc.system=grpc rpc.service=Orders rpc.method=work server.address=orders\n` +
      `      ${serve(from)}`;
    const lost = [7_000, 8_000].map((from) => `trace ${from}\n  lost\n    ${serve(from)}`);
    const judge = (...clients: readonly string[]) => {
      const drawing = clients.flatMap((client, at) => [
        call(client, 1_000 + at * 2_000),
        call(client, 2_000 + at * 2_000),
      ]);
      const edges = clients.map((client) => ({ client, server: 'orders', rule: 'must' as const }));
      const { spans } = readDrawing([...drawing, ...lost].join('\n'));
      const result = checkTraces(spans, { expectation: { ...noExpectation, edges } });
      return [
        result.verdict,
        ...result.edges.map(({ protocol, calls, unjudged = 0 }) => [protocol, calls, unjudged]),
      ];
    };
    assert.deepEqual(judge('web'), ['unknown', ['rpc', 2, 2]]);
    assert.deepEqual(judge('web', 'admin'), ['intact', ['rpc', 2, 0], ['rpc', 2, 0]]);
  });

  test('if one replica sent all messages that nobody received, the note names it', () => {
    const { spans } = readDrawing(readFixtureText('split-trace/healthy-messages-of-replica-dropped.txt'));
    const result = checkTraces(spans);
    const fact =
      'all 10 messages come from web with service.instance.id=pod-2; the 20 whole ones come from others';
    assert.deepEqual([result.verdict, result.unjudged?.map(({ facts }) => facts)], ['intact', [[fact]]]);
    const [note = ''] = hintAtExpectations(result, ['web', 'orders'], noExpectation);
    assert.ok(note.includes(`; ${fact}`), note);
  });

  test('one trace within a request without its usual call is named; the verdict stays', () => {
    const get = 'http.request.method=GET';
    const buy = (at: number, from: number) =>
      `trace ${at}\n  web SERVER "GET /buy" ${from}..${from + 100} ${get} url.path=/buy http.route=/buy`;
    const call = (from: number) =>
      `    web CLIENT "GET" ${from + 5}..${from + 45} ${get} url.full=http://orders/orders\n      orders SERVER "GET /orders" ${from + 10}..${from + 40} ${get} url.path=/orders http.route=/orders`;
    const root = (from: number, path = '/orders') =>
      `trace 90\n  orders SERVER "GET ${path}" ${from}..${from + 10} ${get} url.path=${path} http.route=${path}`;
    const whole = Array.from({ length: 5 }, (_, at) => `${buy(at + 1, at * 1_000)}\n${call(at * 1_000)}`);
    const judge = (...more: readonly string[]) => {
      const {
        verdict,
        unjudged = [],
        explain = [],
      } = checkTraces(readDrawing([...whole, ...more].join('\n')).spans, { explain: true });
      return { verdict, unjudged, told: explain.map((end) => end.unjudged ?? null) };
    };
    const named = {
      verdict: 'intact',
      unjudged: [{ client: 'web', peer: 'orders', calls: 1 }],
      told: ['it may be a call of web, which had a request open, or of a program outside'],
    };
    assert.deepEqual(judge(buy(9, 8_000), root(8_020)), named);
    assert.deepEqual(judge(buy(9, 8_000), root(8_020, '/other')), named);
    const drawing = [...whole, buy(9, 8_000), root(8_020)].join('\n');
    const tolerated = { ...noExpectation, toleratedPeers: ['orders'] };
    assert.equal(checkTraces(readDrawing(drawing).spans, { expectation: tolerated }).unjudged, undefined);
    const outside = {
      verdict: 'intact',
      unjudged: [{ client: null, peer: 'orders', calls: 1 }],
      told: ['it began a trace, and nothing here shows who made it'],
    };
    assert.deepEqual(judge(buy(9, 8_000), root(8_200)), outside);
    assert.deepEqual(judge(`${buy(9, 8_000)}\n${call(8_000)}`, root(8_060)), outside);
    assert.deepEqual(judge(buy(9, 8_000).replaceAll('/buy', '/sell'), root(8_020)), outside);
  });

  test('roots that may be calls of a busy caller with an uninstrumented client are named', () => {
    const get = 'http.request.method=GET';
    const drawAll = (agent: string, startOf: (at: number) => number) =>
      Array.from({ length: 12 }, (_, at) => [
        `trace a${at}`,
        `SERVER web GET /            a${at}  ${at * 50}..${at * 50 + 120} ${get} url.path=/ user_agent.original=browser`,
        `  CLIENT web GET            b${at}  ${at * 50 + 5}..${at * 50 + 15} ${get} url.full=http://orders/one`,
        `    SERVER orders GET /one  c${at}  ${at * 50 + 6}..${at * 50 + 14} ${get} url.path=/one`,
        `trace d${at}`,
        `SERVER orders GET /two      d${at}  ${startOf(at)}..${startOf(at) + 8} ${get} url.path=/two user_agent.original=${agent}`,
      ]).flat();
    const judge = (agent: string, startOf: (at: number) => number) =>
      checkTraces(drawTrace(drawAll(agent, startOf).join('\n')), {
        expectation: { ...noExpectation, edges: expectPath(['web', 'orders']) },
      });
    const result = judge('got', (at) => at * 50 + (at % 3) * 30 + 20);
    assert.deepEqual(
      [result.verdict, result.unjudged],
      ['intact', [{ client: 'web', peer: 'orders', calls: 12 }]],
    );
    const [note = ''] = hintAtExpectations(result, ['web', 'orders'], {
      ...noExpectation,
      edges: expectPath(['web', 'orders']),
    });
    assert.match(
      note,
      /^not judged: web → orders \(12 calls\): .* a client library of it that is not instrumented/,
    );
    assert.equal(judge('browser', (at) => at * 50 + 20).unjudged, undefined);
    assert.equal(judge('got', (at) => 5_000 + at * 50).unjudged, undefined);
  });

  test('calls to an address with whole calls are unjudged after the last span of the callee', () => {
    const get = 'http.request.method=GET';
    const drawAll = (whole: number, path = '/one') =>
      Array.from({ length: 20 }, (_, at) => [
        `trace a${at}`,
        `SERVER web GET /            a${at}  ${at * 100}..${at * 100 + 50} ${get} url.path=/`,
        `  CLIENT web GET            b${at}  ${at * 100 + 5}..${at * 100 + 45} ${get} http.response.status_code=200 url.full=http://orders:8080${at < whole ? '/one' : path}`,
        ...(at < whole
          ? [`    SERVER orders GET /one  c${at}  ${at * 100 + 6}..${at * 100 + 44} ${get} url.path=/one`]
          : []),
      ]).flat();
    const ofThisTool = drawAll(11).map((line) => line.replace(/(SERVER|CLIENT) web/, '$1 propagation-check'));
    assert.equal(
      checkTraces(drawTrace(ofThisTool.join('\n'))).verdict,
      'intact',
      'its other calls are judged',
    );
    const judge = (whole: number, path?: string, expectation: Expectation = noExpectation) =>
      checkTraces(drawTrace(drawAll(whole, path).join('\n')), { expectation });
    const expectation = { ...noExpectation, edges: expectPath(['web', 'orders']) };
    for (const [whole, told] of [
      [1, 'unknown'],
      [10, 'unknown'],
      [11, 'intact'],
    ] as const) {
      const result = judge(whole);
      const calls = 20 - whole;
      assert.deepEqual(
        [result.verdict, result.unjudged],
        ['intact', [{ client: 'web', peer: 'orders:8080', calls, server: 'orders' }]],
        'nobody expects the edge: a cache, or the end of the capture, makes the same picture',
      );
      assert.match(
        hintAtExpectations(result, ['web', 'orders'], noExpectation).join('; '),
        /^not judged: web → orders:8080 \(\d+ calls\): other calls there are whole[^;]*$/,
      );
      const expected = judge(whole, '/one', expectation);
      assert.equal(expected.verdict, told);
      const says = `^${whole} of 20 calls judged: orders delivered no span from the time of ${calls} calls to orders:8080`;
      if (told === 'unknown') assert.match(expected.undecided?.[0]?.says ?? '', new RegExp(says));
    }
    for (const [whole, mark] of [
      [10, 'warning'],
      [11, 'fine'],
    ] as const) {
      const result = judge(whole);
      assert.deepEqual(
        result.edges.map((edge) => markEdge(edge, result)),
        [mark],
      );
    }
    // The end of a capture cuts off some calls.
    assert.equal(judge(19, '/one', expectation).verdict, 'intact');
    // Another path may belong to another service behind the same address.
    const { verdict, unjudged } = judge(8, '/other', expectation);
    assert.deepEqual([verdict, unjudged], ['intact', undefined]);
  });

  test('a forbidden edge to a service without spans holds, and a note says that the name occurs nowhere', () => {
    const result = checkTraces(drawTrace(draw()), {});
    const hint = (rule: 'must' | 'must-not') =>
      hintAtExpectations(result, ['web', 'payment-service'], {
        ...noExpectation,
        edges: [{ client: 'web', server: 'pay', rule }],
      })[0];
    const holds = ', so that must-not holds';
    const note = (clause: string) =>
      `no span of pay is here, only of payment-service, web${clause}: did you mean payment-service instead of pay?`;
    assert.deepEqual([hint('must'), hint('must-not')], [note(''), note(holds)]);
  });

  test('an expected edge in the wrong direction was never seen: the requests that lead to the calls do not count for it', () => {
    const result = checkTraces(drawTrace(draw()), {
      expectation: { ...noExpectation, edges: expectPath(['pay', 'web']) },
    });
    assert.deepEqual(
      result.findings.map(({ id, count }) => [id, count]),
      [['missing-call', 0]],
    );
    const hint = (...path: readonly string[]) =>
      hintAtExpectations(result, names, { ...noExpectation, edges: expectPath(path) });
    assert.deepEqual(hint('pay', 'web'), [
      'no call of pay -> web is whole, but 1 call of web -> pay: did you mean web -> pay?',
    ]);
    assert.deepEqual(hint('web', 'pay', 'web'), []);
  });

  test('calls to third parties, databases and unreached services are not listed', () => {
    const result = checkTraces(
      drawTrace(
        draw(
          'url.full=https://api.example.com/v1',
          'db.system.name=redis server.address=redis',
          'url.full=http://orders:8082/a http.response.status_code=503',
        ),
      ),
    );
    assert.deepEqual([result.verdict, result.unjudged], ['intact', undefined]);
    assert.match(
      hintAtExpectations(result, names, noExpectation).join(),
      /taken for calls to peers that emit none/,
    );
  });

  for (const host of [
    '10.0.0.7',
    '[fd00::1]',
    'orders.shop.svc.cluster.local',
    'orders.internal',
    'localhost',
  ])
    test(`${host} is inside of the network`, () => {
      const { unjudged } = checkTraces(drawTrace(draw(`url.full=http://${host}:8082/a`)));
      assert.equal(unjudged?.length, 1);
    });

  for (const host of ['8.8.8.8', 'orders.example', '[2001:db8::1]'])
    test(`${host} is outside`, () => {
      const { unjudged } = checkTraces(drawTrace(draw(`url.full=http://${host}:8082/a`)));
      assert.equal(unjudged, undefined);
    });

  test('a tolerated peer, or one with SERVER spans for some calls, is not listed', () => {
    const spans = drawTrace(draw('url.full=http://pay/other'));
    assert.equal(checkTraces(spans).unjudged, undefined);
    const silent = drawTrace(draw('url.full=http://orders:8082/a'));
    const expectation = { ...noExpectation, toleratedPeers: ['orders:8082'] };
    assert.equal(checkTraces(silent, { expectation }).unjudged, undefined);
  });
});

/** 20 requests that call, then one without a call but with the given spans in its place. */
function drawOneLeft(...lines: readonly string[]): string {
  return [
    'repeat 20 every 1000',
    'trace 1',
    '  web        SERVER "GET /call" 0..100 http.request.method=GET url.path=/call',
    '    web      CLIENT "GET" 10..90 http.request.method=GET url.full=http://orders:8082/work',
    '      orders SERVER "GET /work" 20..80 http.request.method=GET url.path=/work user_agent.original=node',
    'end',
    'trace 2',
    '  web        SERVER "GET /call" 30000..30100 http.request.method=GET url.path=/call',
    ...lines,
  ].join('\n');
}

function drawRoot(trace: number, start: number, agent = 'node'): string {
  return `trace ${trace}\n  orders SERVER "GET /work" ${start}..${start + 60} http.request.method=GET url.path=/work user_agent.original=${agent}`;
}

/** Requests of one route that call orders, and of another route without calls; at orders, further traces begin at the times `at`. */
function drawTwoRoutes(at: number): string {
  return `
repeat 6 every 1000
trace 1
  web      SERVER "GET /a" 0..100 http.request.method=GET url.path=/a
    web    CLIENT "GET" 10..90 http.request.method=GET url.full=http://orders/work
      orders SERVER "GET /work" 20..80 http.request.method=GET url.path=/work
trace 2
  web      SERVER "GET /b" 300..400 http.request.method=GET url.path=/b
trace 3
  orders   SERVER "GET /list" ${at}..${at + 50} http.request.method=GET url.path=/list
end
`;
}

suite('requests that show no call', () => {
  const rows: Readonly<Record<string, readonly [drawing: string, calls: number]>> = {
    'a trace of the callee within it': [drawOneLeft(drawRoot(3, 30_020)), 1],
    'a trace of the callee within it, on an expected edge': [
      `expect web -> orders\n${drawOneLeft(drawRoot(3, 30_020))}`,
      1,
    ],
    'a trace of the callee within it, beside traces of another program, which are named once': [
      `expect web -> orders\n${drawOneLeft(drawRoot(3, 30_020), ...[4, 5, 6, 7].map((trace) => drawRoot(trace, trace * 1_000 + 20, 'curl/8')))}`,
      5,
    ],
    'a trace of another program': [drawOneLeft(drawRoot(3, 30_020, 'curl/8')), 0],
    'a trace at another time': [drawOneLeft(drawRoot(3, 30_200)), 0],
    'traces at an endpoint that no call reaches, one within each request of a route without calls': [
      drawTwoRoutes(330),
      6,
    ],
    'such traces at other times': [drawTwoRoutes(500), 0],
    'callers from outside also at other times': [
      drawOneLeft(drawRoot(3, 30_020), drawRoot(4, 31_000), drawRoot(5, 32_000)),
      0,
    ],
  };
  for (const [name, [drawing, calls]] of Object.entries(rows))
    test(`${name}: ${calls} not judged`, () => {
      const { spans, expectation } = readDrawing(drawing);
      const result = checkTraces(spans, { expectation });
      const { verdict, unjudged = [] } = result;
      assert.equal(verdict, 'intact');
      const ofWeb = unjudged.filter(({ client }) => client === 'web');
      assert.deepEqual(ofWeb, calls === 0 ? [] : [{ client: 'web', peer: 'orders', calls }]);
      const notes = hintAtExpectations(result, ['web', 'orders'], expectation);
      const isOfWeb = (note: string): boolean => note.startsWith('not judged: web →');
      assert.deepEqual(
        notes.map(isOfWeb),
        unjudged.map(({ client }) => client === 'web'),
      );
    });

  test('calls that all arrived with another path at another port are named; the verdict stays', () => {
    const get = 'http.request.method=GET';
    const call = (at: number, url: string, received: string, client = 'web') => `
      trace ${at}
      CLIENT ${client} GET  ${at}1  0..60 ${get} url.full=${url}
        SERVER stock GET    ${at}2  10..50 ${get} ${received}`;
    const judge = (...calls: readonly string[]) => checkTraces(drawTrace(calls.join('')));
    const hop = call(1, 'http://orders:8080/call', 'url.path=/ok server.port=8081');
    const handedOn = judge(hop, call(2, 'http://orders:8080/call', 'url.path=/ok server.port=8081'));
    const edge = { client: 'web', peer: 'orders:8080', calls: 2, server: 'stock', why: 'unseen-hop' };
    assert.deepEqual([handedOn.verdict, handedOn.unjudged], ['intact', [edge]]);
    const notes = hintAtExpectations(handedOn, ['web', 'stock'], noExpectation);
    assert.equal(notes.length, 1);
    assert.match(
      notes[0] ?? '',
      /^not judged: web → orders:8080 \(2 calls\): they arrived at stock .*--expect "web -> orders -> stock"$/,
    );

    const unnamed = (...calls: readonly string[]) => judge(...calls).unjudged;
    // A proxy that may remove a prefix; a redirect; and one call among several that went to this place.
    assert.equal(unnamed(call(1, 'http://orders:8080/api/ok', 'url.path=/ok server.port=8081')), undefined);
    assert.equal(unnamed(call(1, 'http://orders:8080/ok', 'url.path=/api/ok server.port=8081')), undefined);
    assert.equal(unnamed(call(1, 'http://orders:8080/call', 'url.path=/ok server.port=8080')), undefined);
    // The same path in another notation, behind an address that maps ports.
    for (const [sent, received] of [
      ['/orders/', '/orders'],
      ['/orders', '/orders/'],
      ['/o/a%3Ab', '/o/a:b'],
      ['/100%', '/100%/'],
    ])
      assert.equal(
        unnamed(call(1, `http://orders:80${sent}`, `url.path=${received} server.port=8080`)),
        undefined,
      );
    assert.equal(unnamed(call(1, 'http://orders:80/', 'url.path=/ok server.port=8080'))?.length, 1);
    assert.equal(unnamed(call(1, 'http://orders:80/100%', 'url.path=/ok server.port=8080'))?.length, 1);
    const ofItsName = judge(call(1, 'http://stock:80/call', 'url.path=/ok server.port=8080'));
    const [note = ''] = hintAtExpectations(ofItsName, ['web', 'stock'], noExpectation);
    assert.match(note, /^not judged: web → stock:80 .* send its spans to the same place$/);
    assert.equal(unnamed(hop, call(2, 'http://stock:8081/ok', 'url.path=/ok server.port=8081')), undefined);
    assert.equal(unnamed(call(1, 'http://orders:8080/call', 'url.path=/ok')), undefined);
    assert.equal(unnamed(call(1, 'http://orders:8080/call', 'server.port=8081')), undefined);
    const own = call(1, 'http://orders:8080/call', 'url.path=/ok server.port=8081', ownServiceName);
    assert.equal(unnamed(own), undefined);
    const itself = call(1, 'http://orders:8080/call', 'url.path=/ok server.port=8081', 'stock');
    assert.equal(unnamed(itself), undefined);
    // A proxy without CLIENT spans that rewrote the path, and a service without SERVER spans that made a call of its own.
    assert.equal(unnamed(hop.replace('CLIENT web', 'SERVER web')), undefined);
    assert.equal(unnamed(hop.replace('SERVER stock', 'INTERNAL stock')), undefined);
    const expectation = { ...noExpectation, edges: expectPath(['web', 'stock']) };
    assert.equal(checkTraces(drawTrace(hop), { expectation }).unjudged, undefined);
  });
});
