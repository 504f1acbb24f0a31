import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { checkDrawing } from '../engine/read-fixture-drawing.ts';
import { explainDrawing } from './judge-drawing.ts';

/** Requests of users to web, which calls orders and a third party; orders is also called from outside. */
const system = `
repeat 3 every 1000
trace 1
  web      SERVER "GET /call" 0..200 http.request.method=GET url.path=/call
    web    CLIENT "GET" 10..90 http.request.method=GET url.full=http://orders:80/work http.response.status_code=200
      orders SERVER "GET /work" 20..80 http.request.method=GET url.path=/work server.port=80
    web    CLIENT "GET" 100..190 http.request.method=GET url.full=https://api.stripe.com/pay http.response.status_code=200
trace 2
  orders   SERVER "GET /work" 320..380 http.request.method=GET url.path=/work server.port=80
end
`;

function judge(path: string, drawing = system) {
  const { verdict, undecided = [], findings } = checkDrawing(`expect ${path}\n${drawing}`);
  const errors = findings.filter(({ severity }) => severity === 'error');
  return { verdict, says: undecided.map(({ says }) => says).join(), errors: errors.map(({ id }) => id) };
}

/** Messages to billing, linked or in separate traces, and others without a receiver in the capture. */
const drawMessages = (isLinked: boolean): string =>
  [1, 2, 3, 4]
    .map(
      (at) => `
trace ${at}1
  web       PRODUCER "send orders" ${at}000..${at}005 messaging.system=kafka messaging.destination.name=orders id:sent${at}
trace ${at}2
  billing   CONSUMER "process orders" ${at}020..${at}040 messaging.system=kafka messaging.destination.name=orders ${isLinked ? `link:sent${at}` : ''}
trace ${at}3
  web       PRODUCER "send mails" ${at}050..${at}055 messaging.system=kafka messaging.destination.name=mails
`,
    )
    .join('');

const misspelt = {
  verdict: 'unknown',
  says: 'no span of biling is here: did you mean billing instead of biling?',
  errors: [],
};

describe('an expected service that no span names', () => {
  it('leaves the edge open on either side if another service has a similar name', () => {
    for (const [path, meant] of [
      ['web -> ordres', 'did you mean orders instead of ordres?'],
      ['wbe -> orders', 'did you mean web instead of wbe?'],
    ] as const) {
      const { verdict, says, errors } = judge(path);
      assert.equal(verdict, 'unknown');
      assert.match(says, new RegExp(`^no span of \\w+ is here: ${meant.replace('?', '\\?')}$`));
      assert.deepEqual(errors, []);
    }
  });

  it('leaves a forbidden edge open, because it could never fail', () => {
    const { spans, expectation } = readDrawing(`expect web -> ordres\n${system}`);
    const edges = expectation.edges.map((edge) => ({ ...edge, rule: 'must-not' as const }));
    const { verdict, undecided } = checkTraces(spans, { expectation: { ...expectation, edges } });
    assert.equal(verdict, 'unknown');
    assert.equal(undecided?.[0]?.says, 'no span of ordres is here: did you mean orders instead of ordres?');
  });

  it('may be a service with a common prefix or suffix, on either side and on both', () => {
    const named = system
      .replaceAll(/\bweb\b/g, 'web-svc')
      .replaceAll(/\borders(?= +SERVER)/g, 'orders-service')
      .replaceAll('https://api.stripe.com/pay', 'http://billing:80/pay');
    for (const [path, absent, meant] of [
      ['web-svc -> orders', 'orders', ['did you mean orders-service instead of orders?']],
      ['web -> orders-service', 'web', ['did you mean web-svc instead of web?']],
      [
        'web -> orders',
        'web or orders',
        ['did you mean web-svc instead of web?', 'did you mean orders-service instead of orders?'],
      ],
    ] as const)
      assert.deepEqual(judge(path, named), {
        verdict: 'unknown',
        says: `no span of ${absent} is here: ${meant.join('; ')}`,
        errors: [],
      });
  });

  it('may be another service that is called at an address of this name, even if some calls to it have no SERVER span', () => {
    const named = system.replaceAll(/\borders(?= +SERVER)/g, 'orders-service');
    const lonely = named.replaceAll('https://api.stripe.com/pay', 'http://orders:80/pay');
    assert.deepEqual(judge('web -> orders', lonely), {
      verdict: 'unknown',
      says: 'no span of orders is here: did you mean orders-service instead of orders?',
      errors: [],
    });
    const elsewhere = named.replaceAll('https://api.stripe.com/pay', 'http://orders:81/pay');
    assert.deepEqual(judge('web -> orders', elsewhere).errors, ['missing-server']);
  });

  it('is not taken for the peer of other internal calls', () => {
    const inside = system.replaceAll('https://api.stripe.com/pay', 'http://billing:80/pay');
    assert.deepEqual(judge('web -> ordres', inside).errors, []);
    assert.deepEqual(judge('web -> bilings', inside).errors, [], 'the name of the host, misspelt');
    assert.deepEqual(judge('web -> stock', inside).errors, ['missing-server']);
    const atHost = inside.replaceAll('billing:80', 'stock-svc:80');
    assert.deepEqual(judge('web -> stock', atHost).errors, ['missing-server']);
  });

  it('is not taken for the receiver of messages to another destination, nor of messages that another service received in traces of their own', () => {
    assert.deepEqual(judge('web -> biling', drawMessages(true)), misspelt);
    assert.deepEqual(judge('web -> biling', drawMessages(false)).errors, []);
  });

  it('is a different service if the names differ in a letter or a number at the end', () => {
    const rename = (name: string): string => system.replaceAll('orders', name);
    const inside = (name: string, host: string): string =>
      rename(name).replaceAll('https://api.stripe.com/pay', `http://${host}:80/pay`);
    for (const [expected, known] of [
      ['service-b', 'service-a'],
      ['cart-v2', 'cart-v1'],
      ['cart.2', 'cart.1'],
      ['node12', 'node11'],
      ['node10', 'node9'],
      ['checkout-10', 'checkout'],
      ['checkout-v10', 'checkout'],
    ] as const) {
      assert.deepEqual(
        judge(`web -> ${expected}`, inside(known, 'peer')).errors,
        ['missing-server'],
        expected,
      );
      assert.doesNotMatch(judge(`web -> ${expected}`, rename(known)).says, /did you mean/, expected);
    }
    assert.deepEqual(judge('web -> card', inside('cart', 'peer')).errors, []);
    assert.deepEqual(judge('web -> service-A', inside('service-a', 'peer')).errors, []);
    assert.deepEqual(judge('web -> service_b', inside('service-b', 'peer')).errors, []);
    assert.deepEqual(judge('web -> payments', rename('payment-service')).errors, []);
  });

  it('leaves calls to an IP address open, which says nothing about the name', () => {
    const open = {
      verdict: 'unknown',
      says: 'no span of ordres is here: did you mean orders instead of ordres?',
      errors: [],
    };
    const lonely = system.replaceAll('https://api.stripe.com/pay', 'http://10.0.0.2:80/pay');
    assert.deepEqual(judge('web -> ordres', lonely), open);
    assert.deepEqual(judge('web -> stock', lonely).errors, ['missing-server']);
    const split = `
repeat 3 every 1000
trace 1
  web      SERVER "GET /call" 0..200 http.request.method=GET url.path=/call
    web    CLIENT "GET" 10..90 http.request.method=GET url.full=http://10.0.0.2:80/work http.response.status_code=200
trace 2
  orders   SERVER "GET /work" 20..80 http.request.method=GET url.path=/work server.port=80
end
`;
    assert.deepEqual(judge('web -> ordres', split), { ...open, verdict: 'broken', errors: ['split-trace'] });
    assert.deepEqual(judge('web -> orders', split).errors, ['split-trace']);
  });

  it('is not given calls that have another explanation: to a third party outside, or to a service that others call', () => {
    assert.deepEqual([judge('web -> stock').verdict, judge('web -> stock').errors], ['unknown', []]);
    assert.deepEqual([judge('cron -> orders').verdict, judge('cron -> orders').errors], ['unknown', []]);
  });

  it('is not the other service of the edge, which has spans, whatever the names of others', () => {
    const similar = 'trace 3\n  wbe INTERNAL "tick" 0..1\n';
    const { says } = judge('web -> stock', system + similar);
    assert.match(says, /^no span of stock is here, only of orders, wbe, web: check/);
  });

  it('may be misspelt even if nobody calls the other side, and as the caller of requests that began traces', () => {
    const users = system.replaceAll(/^ {6}orders .*\n/gm, '').replaceAll(/^ {4}web .*orders:80.*\n/gm, '');
    assert.deepEqual(judge('wbe -> orders', users).errors, []);
    assert.deepEqual(judge('cron -> orders', users).errors, ['missing-call']);
    const alone = 'trace 1\n  web SERVER "GET /call" 0..200 http.request.method=GET url.path=/call\n';
    assert.deepEqual(judge('wbe -> orders', alone).verdict, 'unknown');
    assert.deepEqual(judge('web -> wbe', alone).verdict, 'broken');
  });

  it("as a caller, says why its requests may be somebody else's", () => {
    const users = system.replaceAll(/^ {6}orders .*\n/gm, '').replaceAll(/^ {4}web .*orders:80.*\n/gm, '');
    const why = (edge: string, text: string): readonly string[] =>
      explainDrawing(`expect ${edge}\n${text}`).flatMap((line) => line.split('called service: ')[1] ?? []);
    const similar = why('wbe -> orders', users);
    assert.deepEqual([...new Set(similar)], ['wbe has no spans, and a service has a similar name']);
    assert.deepEqual(
      [...new Set(why('cron -> orders', system))],
      ['cron has no spans, and whole calls reach orders'],
    );
  });

  it('is the callee of calls that name it, whatever the names of others', () => {
    const dark = system.replaceAll('orders:80', 'orders2:80').replaceAll(/^ {6}orders .*\n/gm, '');
    assert.deepEqual(judge('web -> orders2', dark).errors, ['missing-server']);
  });
});
