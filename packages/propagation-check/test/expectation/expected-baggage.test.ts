import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { noExpectation } from '../../src/expect/expectation.ts';
import { isToleratedPeer } from '../../src/rules/tolerated-peer.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { checkDrawing } from '../engine/read-fixture-drawing.ts';

const call = (client: string, server: string) => `expect web -> orders
baggage hello=world
trace 1
  web        SERVER "GET /call" 0..100 http.request.method=GET url.path=/call
    web      CLIENT "GET" 10..90 http.request.method=GET url.full=http://orders:8082/work http.response.status_code=200 ${client}
      orders SERVER "GET /work" 20..80 http.request.method=GET url.path=/work ${server}
trace 2
  web        SERVER "GET /call" 200..300 http.request.method=GET url.path=/call
    web      CLIENT "GET" 210..290 http.request.method=GET url.full=http://orders:8082/work http.response.status_code=200
      orders SERVER "GET /work" 220..280 http.request.method=GET url.path=/work baggage.hello=world`;

function check(drawing: string) {
  return checkDrawing(drawing);
}

suite('baggage that services copy to span attributes', () => {
  test('is lost if the caller records it and the callee does not, although it records it on other spans', () => {
    const { verdict, edges, findings } = check(call('baggage.hello=world', ''));
    assert.equal(verdict, 'broken');
    assert.deepEqual(edges, [{ client: 'web', server: 'orders', protocol: 'http', calls: 2, broken: 1 }]);
    assert.deepEqual(
      findings.map(({ id, count }) => [id, count]),
      [['baggage-lost', 1]],
    );
  });

  test('is lost if the callee records another value', () => {
    const { findings } = check(call('', 'app.baggage.hello=moon'));
    assert.match(findings[0]?.evidence[0]?.says ?? '', /records another value than baggage hello=world/);
  });

  test('is not reported if it arrived, or if nobody recorded that it left', () => {
    assert.equal(check(call('baggage.hello=world', 'baggage.hello=world')).verdict, 'intact');
    assert.equal(check(call('', '')).verdict, 'intact');
    // A limit of the SDK may have dropped the attribute.
    assert.equal(check(call('baggage.hello=world', 'otel.dropped_attributes_count=2')).verdict, 'intact');
  });
});

suite('baggage at a tap', () => {
  const says = (sent: string, received: string, expected = 'expect web -> orders') => {
    const tap = `tap 15..85 GET /work 200 sent traceparent=00-<1>-<call>-01 ${sent} received traceparent=00-<1>-<call>-01 ${received}`;
    const drawing = `${call('id:call', '')}\n${tap}`.replace('expect web -> orders', expected);
    return check(drawing).findings.flatMap(({ id, evidence }) =>
      id === 'baggage-lost' ? evidence.map((shown) => shown.says) : [],
    );
  };
  const entry = 'baggage="a=1,hello=world"';

  test('is reported if it left the caller and did not reach the callee', () => {
    assert.deepEqual(says(entry, 'baggage=a=1'), [
      'baggage hello=world left the caller and did not reach the called service',
    ]);
  });

  test('is reported if it reached the callee with another value, which is not shown', () => {
    assert.deepEqual(says(entry, 'baggage=hello=moon'), [
      'baggage hello=world left the caller and reached the called service with another value',
    ]);
  });

  test('is reported if it did not leave the caller', () => {
    for (const sent of ['baggage=a=world', 'baggage=hello=moon', '']) {
      assert.deepEqual(says(sent, ''), [
        'baggage hello=world did not leave the caller, and did not reach the called service',
      ]);
    }
  });

  test('is not reported if it arrived with other entries', () => {
    assert.deepEqual(says(entry, 'baggage="hello=moon,hello=world"'), []);
  });

  test('is not expected from callers that no expectation names', () => {
    assert.deepEqual(says('', '', 'expect shop -> orders\nexpect web -> stock'), []);
  });
});

test('a forbidden edge is broken if it exists', () => {
  const { spans } = readDrawing(call('', ''));
  const expectation = {
    ...noExpectation,
    edges: [{ client: 'web', server: 'orders', rule: 'must-not' as const }],
  };
  const { verdict, findings } = checkTraces(spans, { expectation });
  assert.equal(verdict, 'broken');
  assert.deepEqual(
    findings.map(({ id, count }) => [id, count]),
    [['unexpected-edge', 2]],
  );
  const other = { ...noExpectation, edges: [{ client: 'orders', server: 'web', rule: 'must-not' as const }] };
  assert.equal(checkTraces(spans, { expectation: other }).verdict, 'intact');
});

test('a tolerated peer is named by host, by host and port, or by service', () => {
  const { spans } = readDrawing(`trace 1
  web CLIENT "GET" 0..10 url.full=https://api.example.com/x peer.service=stripe http.request.method=GET`);
  const [span] = spans;
  assert.ok(span);
  const isTolerated = (...toleratedPeers: readonly string[]) =>
    isToleratedPeer({ ...noExpectation, toleratedPeers }, span);
  for (const name of ['api.example.com', 'API.example.com:443', 'stripe']) assert.ok(isTolerated(name), name);
  for (const name of ['example.com', 'api.example.com:80', 'web']) assert.ok(!isTolerated(name), name);
  assert.ok(!isTolerated());
});
