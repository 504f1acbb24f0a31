import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Finding } from '../../src/verdict/result.ts';
import { checkDrawing } from '../engine/read-fixture-drawing.ts';

/** `web` calls `called`, and a request of `payments` in the same trace has a parent that is not in the data. */
const drawDark = (called: string, head = '', host = 'payments'): string => `${head}repeat 5 every 1000
trace 1
  web          SERVER "GET /buy" 0..100 http.request.method=GET url.path=/buy server.port=8080
    web        CLIENT "POST" 10..90 http.request.method=POST url.full=${called} http.response.status_code=200
    lost
      payments SERVER "POST /pay" 20..80 http.request.method=POST url.path=/pay server.address=${host} server.port=8082
end
`;

suite('a call to another address was open when the request began', () => {
  test('a service at that address probably stands in between', () => {
    const found = findMissing(drawDark('http://orders:8081/orders'));
    assert.equal(found.candidates?.[0], 'server-span-lost');
    assert.match(found.fix, /^if server-span-lost: Let the service at orders:8081 export its spans/);
    assert.match(found.facts?.[0] ?? '', /called orders:8081/);
    const [find, expect, ...others] = found.decide ?? [];
    assert.match(find ?? '', /^Find the service at orders:8081/);
    assert.match(expect ?? '', /--expect 'web -> SERVICE -> payments'/);
    assert.deepEqual(others, []);
  });

  test('also where all services listen on the same port', () => {
    const found = findMissing(drawDark('http://orders:8082/orders'));
    assert.equal(found.candidates?.[0], 'server-span-lost');
  });

  test('but not if that address may be the called service, or a third party', () => {
    const direct = [
      drawDark('http://payments:8082/orders'),
      drawDark('http://payments.shop.svc:9000/orders', '', 'pod-1'),
      drawDark('http://payments-svc.shop.svc/orders', '', 'pod-1'),
      drawDark('http://pay/orders', '', 'pod-1').replaceAll(' payments ', ' pay-api '),
      drawDark('http://10.0.0.7:8082/orders'),
      drawDark('https://api.partner.example/orders'),
    ];
    for (const drawing of direct) {
      const found = findMissing(drawing);
      assert.equal(found.candidates?.[0], 'client-span-lost');
      assert.ok(found.decide?.some((step) => step.includes('propagation-check tap')));
    }
  });

  test('or if an expectation says that the caller makes the call itself', () => {
    const found = findMissing(drawDark('http://orders:8081/orders', 'expect web -> payments\n'));
    assert.equal(found.candidates?.[0], 'client-span-lost');
    assert.equal(found.facts, undefined);
  });
});

suite('an expected caller of which the data hold no span', () => {
  const drawing = drawDark('http://orders:8081/orders', 'expect web -> orders -> payments\n');

  test('lost all its spans', () => {
    const found = findMissing(drawing);
    assert.equal(found.client, 'orders');
    assert.equal(found.candidates?.[0], 'client-span-lost');
    assert.match(found.fix, /^if client-span-lost: Let orders export its spans/);
    assert.deepEqual(found.facts, ['no span of orders is in the data']);
    assert.match(found.decide?.[0] ?? '', /^Restart orders with OTEL_TRACES_EXPORTER=otlp,console/);
  });
});

function findMissing(drawing: string): Finding {
  const { findings } = checkDrawing(drawing);
  const found = findings.find(({ id }) => id === 'missing-client');
  assert.ok(found);
  return found;
}
