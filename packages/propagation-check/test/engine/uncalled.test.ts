import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ownServiceName } from '../../src/calls/own-service.ts';
import { hintAtExpectations } from '../../src/collect/hint-at-expectations.ts';
import { expectPath, noExpectation } from '../../src/expect/expectation.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import type { Result } from '../../src/verdict/result.ts';
import { drawTrace } from '../draw-trace.ts';

const get = 'http.request.method=GET';

/** A whole call of `web` to `orders`. */
const whole = `
  trace a
  SERVER web GET /                a1  0..60 ${get} url.path=/
    CLIENT web GET                a2  5..15 ${get} url.full=http://orders/orders/1
      SERVER orders GET /orders   a3  6..14 ${get} url.path=/orders/1`;

function judge(root: string): Result {
  return checkTraces(drawTrace(`${whole}\n  trace b\n  ${root}`));
}

suite('requests and messages that began traces and whose caller is unknown', () => {
  test('are listed at an endpoint that another service calls too', () => {
    const result = judge(`SERVER orders GET /orders  b1  100..110 ${get} url.path=/orders/2`);
    assert.deepEqual(result.unjudged, [{ client: null, peer: 'orders', calls: 1 }]);
    assert.equal(result.verdict, 'intact');
    assert.deepEqual(
      hintAtExpectations(result, ['web', 'orders'], noExpectation).map((note) =>
        note.replace(/: they.*lost; /, ' … '),
      ),
      [
        'not judged: orders (1 request) … if a service of yours makes them, name the edge with --expect "CALLER -> orders"; otherwise list "outside -> orders" under edges: may in --expectations',
      ],
    );
  });

  test('are listed at a service without any other span', () => {
    const result = judge(`SERVER stock GET /stock  b1  100..110 ${get} url.path=/stock`);
    assert.deepEqual(result.unjudged, [{ client: null, peer: 'stock', calls: 1 }]);
  });

  test('are listed beside an information on the service', () => {
    const calling = `        CLIENT orders GET         a4  7..13 ${get} url.full=http://example.com/`;
    const root = `  SERVER orders GET /orders   b1  100..110 ${get} url.path=/orders/2`;
    const { findings, unjudged } = checkTraces(drawTrace([whole, calling, '  trace b', root].join('\n')));
    assert.deepEqual(
      findings.map(({ severity, client }) => `${severity} ${client}`),
      ['info orders'],
    );
    assert.deepEqual(unjudged, [{ client: null, peer: 'orders', calls: 1 }]);
  });

  test('are listed if they are messages, whatever else the service shows', () => {
    const kafka = 'messaging.system=kafka messaging.destination.name=mails';
    const result = judge(`CONSUMER web mails process  b1  100..110 ${kafka}`);
    assert.deepEqual(result.unjudged, [{ client: null, peer: 'web', calls: 1, protocol: 'messaging' }]);
    assert.match(
      hintAtExpectations(result, ['web', 'orders'], noExpectation).join(),
      /^not judged: web \(1 message\): /,
    );
  });

  test('are not listed if they may come from outside: at other endpoints, of probes, or at services that call others', () => {
    const roots = [
      `SERVER orders GET /export       b1  100..110 ${get} url.path=/export`,
      `SERVER orders GET /orders       b1  100..110 ${get} url.path=/orders/healthz`,
      `SERVER web GET /                b1  100..110 ${get} url.path=/`,
      `SERVER stock GET /healthz       b1  100..110 ${get} url.path=/healthz`,
      'CONSUMER stock mails receive    b1  100..110 messaging.system=kafka messaging.batch.message_count=0',
    ];
    for (const root of roots) assert.equal(judge(root).unjudged, undefined, root);
    const calling = judge(
      `SERVER stock GET /  b1  100..110 ${get} url.path=/\n    CLIENT stock GET  b2  101..109 ${get} url.full=http://example.com/`,
    );
    assert.equal(calling.unjudged, undefined);
  });

  test('are not listed if the expectations say that they come from outside', () => {
    const spans = drawTrace(
      `${whole}\n  trace b\n  SERVER stock GET /stock  b1  100..110 ${get} url.path=/stock`,
    );
    const edges = [{ rule: 'may', client: 'outside', server: 'stock' }] as const;
    assert.equal(checkTraces(spans, { expectation: { ...noExpectation, edges } }).unjudged, undefined);
  });

  test('are not listed at a service whose callers the expectations name', () => {
    const spans = drawTrace(
      `${whole}\n  trace b\n  SERVER orders GET /orders  b1  100..110 ${get} url.path=/orders/2`,
    );
    const expectation = { ...noExpectation, edges: expectPath(['web', 'orders']) };
    assert.equal(checkTraces(spans, { expectation }).unjudged, undefined);
  });

  test('are not listed if no call between two services is whole: then nothing is judged', () => {
    const spans = drawTrace(`
      trace a
      SERVER web GET /           a1  0..60 ${get} url.path=/
      trace b
      SERVER orders GET /orders  b1  100..110 ${get} url.path=/orders/2`);
    const result = checkTraces(spans);
    assert.deepEqual([result.verdict, result.unjudged], ['unknown', undefined]);
    const own = drawTrace(`
      trace a
      CLIENT ${ownServiceName} GET  a0  0..70 ${get} url.full=http://web/
        SERVER web GET /            a1  1..60 ${get} url.path=/
      trace b
      SERVER orders GET /orders     b1  100..110 ${get} url.path=/orders/2`);
    assert.equal(checkTraces(own).unjudged, undefined);
  });
});
