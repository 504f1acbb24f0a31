import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ownServiceName } from '../../src/calls/own-service.ts';
import { explainNothingToJudge } from '../../src/collect/explain-nothing-to-judge.ts';
import { expectPath, noExpectation } from '../../src/expect/expectation.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import type { Result } from '../../src/verdict/result.ts';
import { drawTrace } from '../draw-trace.ts';

const get = 'http.request.method=GET';
const kafka = 'messaging.system=kafka messaging.destination.name=mails';

/** Draws each line as a trace of its own. */
function judge(...rows: readonly string[]): Result {
  const traces = rows.map((row, at) => `trace ${(at + 10).toString(16)}\n${row.replace('ID', `${at + 10}`)}`);
  return checkTraces(drawTrace(traces.join('\n')));
}

function names(result: Result): readonly string[] {
  return (result.unjudged ?? []).map(({ client, peer, calls }) => `${client} -> ${peer} ${calls}`);
}

suite('likely calls, where nothing is judged', () => {
  test('traces that began while another service was busy; the note says what to expect', () => {
    const result = judge(
      `SERVER web GET /            ID  0..60 ${get} url.path=/ user_agent.original=curl`,
      `SERVER orders GET /orders   ID  20..30 ${get} url.path=/orders user_agent.original=axios`,
      `SERVER orders GET /orders   ID  40..50 ${get} url.path=/orders user_agent.original=axios`,
    );
    assert.deepEqual([result.verdict, names(result)], ['unknown', ['web -> orders 2']]);
    assert.match(
      explainNothingToJudge(result, ['web', 'orders'], noExpectation),
      /; not judged: web → orders \(2 traces\): .*check again with --expect "web -> orders"$/,
    );
  });

  test('not a single trace by its time alone', () => {
    const orders = `SERVER orders GET /orders  ID  20..30 ${get} url.path=/orders`;
    assert.deepEqual(names(judge(`SERVER web GET /  ID  0..60 ${get} url.path=/`, orders)), []);
  });

  test('not an edge that a finding reports', () => {
    const result = judge(
      `SERVER web GET /  ID  0..100 ${get} url.path=/
  CLIENT web GET  88  10..90 ${get} url.full=https://shop.example.com/orders/17 http.response.status_code=200`,
      `SERVER orders GET /orders/17  ID  20..80 ${get} url.path=/orders/17 server.address=origin.example.net`,
    );
    assert.deepEqual(
      result.findings.map(({ id, client, server }) => [id, client, server]),
      [['split-trace', 'web', 'orders']],
    );
    assert.deepEqual(names(result), []);
  });

  test('not traces of a program that sends requests to both services, or that began at other times', () => {
    const agent = 'user_agent.original=k6';
    const both = judge(
      `SERVER web GET /           ID  0..60 ${get} url.path=/ ${agent}`,
      `SERVER orders GET /orders  ID  20..30 ${get} url.path=/orders ${agent}`,
      `SERVER orders GET /orders  ID  40..50 ${get} url.path=/orders ${agent}`,
    );
    assert.deepEqual(names(both), []);
    const after = judge(
      `SERVER web GET /           ID  0..60 ${get} url.path=/`,
      `SERVER orders GET /orders  ID  62..70 ${get} url.path=/orders`,
      `SERVER orders GET /orders  ID  72..80 ${get} url.path=/orders`,
    );
    assert.deepEqual(names(after), []);
    const few = judge(
      `SERVER web GET /           ID  0..60 ${get} url.path=/`,
      ...[20, 30, 100, 200, 300].map(
        (start) => `SERVER orders GET /orders  ID  ${start}..${start + 9} ${get} url.path=/orders`,
      ),
    );
    assert.deepEqual(names(few), []);
    const probe = judge(
      `SERVER web GET /           ID  0..60 ${get} url.path=/`,
      `SERVER orders GET /healthz  ID  20..30 ${get} url.path=/healthz`,
      `SERVER orders GET /healthz  ID  40..50 ${get} url.path=/healthz`,
    );
    assert.deepEqual(names(probe), []);
  });

  test('of two services that enclose a trace, the inner one', () => {
    const result = judge(
      `SERVER web GET /           ID  0..60 ${get} url.path=/`,
      `SERVER orders GET /orders  ID  10..30 ${get} url.path=/orders`,
      `SERVER stock GET /stock    ID  15..25 ${get} url.path=/stock`,
      `SERVER orders GET /orders  ID  35..55 ${get} url.path=/orders`,
      `SERVER stock GET /stock    ID  40..50 ${get} url.path=/stock`,
    );
    assert.deepEqual(names(result), ['web -> orders 2', 'orders -> stock 2']);
  });

  test('one direction only, if the requests of both services touch', () => {
    const draw = (delay: number) =>
      judge(
        ...[0, 11, 22].flatMap((start) => [
          `SERVER web GET /           ID  ${start}..${start + 10} ${get} url.path=/`,
          `SERVER orders GET /orders  ID  ${start + delay}..${start + 10} ${get} url.path=/orders`,
        ]),
      );
    assert.deepEqual(names(draw(2)), ['web -> orders 3']);
    assert.deepEqual(names(draw(1)), ['web -> orders 3']);
    assert.deepEqual(names(draw(0)), []);
  });

  test('not backwards, if a service between the two has no spans', () => {
    const request = (start: number) => `SERVER web GET /  ID  ${start}..${start + 10} ${get} url.path=/
  CLIENT web GET  ${start + 30}  ${start + 1}..${start + 9} ${get} url.full=http://mid:80/m
SERVER api GET /a  ${start + 31} <- ${start + 70}  ${start + 3}..${start + 10} ${get} url.path=/a`;
    const result = judge(request(0), request(11), request(22));
    assert.deepEqual(
      result.findings.map(({ id, severity, client, server }) => [id, severity, client, server]),
      [
        ['missing-client', 'warning', 'web', 'api'],
        ['uninstrumented-peer', 'info', 'web', null],
      ],
    );
    assert.deepEqual(names(result), ['web -> mid:80 3']);
  });

  test('spans without a kind, and a service that shows only its database', () => {
    const manual = judge(
      'INTERNAL web work  ID  0..60',
      'INTERNAL orders work  ID  20..30',
      'INTERNAL orders work  ID  40..50',
    );
    assert.deepEqual(names(manual), ['web -> orders 2']);
    const database = judge(
      `SERVER web GET /      ID  0..60 ${get} url.path=/`,
      'CLIENT orders SELECT  ID  20..30 db.system=postgresql',
      'CLIENT orders SELECT  ID  40..50 db.system=postgresql',
    );
    assert.deepEqual(names(database), ['web -> orders 2']);
    const connecting = judge(
      `SERVER web GET /          ID  0..60 ${get} url.path=/`,
      'CLIENT orders dns.lookup  ID  20..30',
      'CLIENT orders dns.lookup  ID  40..50',
    );
    assert.deepEqual(names(connecting), []);
  });

  test('messages, which may be received at any time, if only one service can have sent them', () => {
    const message = `CONSUMER mailer process  ID  90..95 ${kafka}`;
    const web = `SERVER web GET /  ID  0..60 ${get} url.path=/`;
    assert.deepEqual(names(judge(web, message)), ['web -> mailer 1']);
    assert.deepEqual(names(judge(web, web.replace('web', 'shop'), message)), []);
  });

  test('requests to the path of a call that nobody continued, if the clocks differ', () => {
    const call = (path: string) =>
      judge(
        `CLIENT web GET             ID  9000..9060 ${get} url.full=http://10.0.0.7:80/orders`,
        `SERVER orders GET ${path}  ID  20..30 ${get} url.path=${path}`,
      );
    assert.deepEqual(names(call('/orders')), ['web -> 10.0.0.7:80 1', 'web -> orders 1']);
    assert.deepEqual(names(call('/other')), ['web -> 10.0.0.7:80 1']);
  });

  test('not of this tool or tolerated peers, and not if an edge is expected or judged', () => {
    const rows = (client: string) =>
      drawTrace(`
        trace a
        SERVER ${client} GET /     a1  0..60 ${get} url.path=/
        trace b
        SERVER orders GET /orders  b1  20..30 ${get} url.path=/orders
        trace d
        SERVER orders GET /orders  d1  40..50 ${get} url.path=/orders`);
    assert.deepEqual(names(checkTraces(rows('web'))), ['web -> orders 2']);
    assert.deepEqual(names(checkTraces(rows(ownServiceName))), []);
    const own = judge(
      `CLIENT ${ownServiceName} GET  ID  0..70 ${get} url.full=http://web/`,
      `SERVER web GET /  ID  0..60 ${get} url.path=/`,
    );
    assert.deepEqual(names(own), []);
    const tolerated = { ...noExpectation, toleratedPeers: ['orders'] };
    assert.deepEqual(names(checkTraces(rows('web'), { expectation: tolerated })), []);
    const expected = { ...noExpectation, edges: expectPath(['web', 'pay']) };
    assert.deepEqual(names(checkTraces(rows('web'), { expectation: expected })), []);
    const whole = drawTrace(`
      trace c
      CLIENT web GET       c1  200..260 ${get} url.full=http://pay/pay
        SERVER pay GET /p  c2  210..250 ${get} url.path=/pay`);
    assert.equal(checkTraces([...rows('web'), ...whole]).verdict, 'intact');
    assert.ok(!names(checkTraces([...rows('web'), ...whole])).includes('web -> orders 2'));
  });
});
