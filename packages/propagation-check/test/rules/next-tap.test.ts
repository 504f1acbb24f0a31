import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { describeNextTap } from '../../src/rules/next-tap.ts';
import type { Span } from '../../src/span/span.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { drawChain } from './judge-drawing.ts';

interface Broken {
  readonly client?: string;
  readonly server?: string;
  readonly names?: { readonly client: string | null; readonly server: string | null };
  /** The side that lacks a tap, and the addresses of the taps that saw the calls. */
  readonly side?: 'caller' | 'callee';
  readonly calledAt?: readonly string[];
}

/** Both lines of the step for a call whose spans have these attributes; a side without attributes has no span. */
function describeTap({
  client,
  server,
  names = { client: 'web', server: 'orders' },
  side,
  calledAt = [],
}: Broken): readonly [string, string] {
  const draw = (kind: Span['kind'], attributes: string): Span | undefined =>
    readDrawing(drawChain(1, `web ${kind} "GET" 0..9 http.request.method=GET ${attributes}`)).spans[0];
  const [tell = '', command = '', ...others] = describeNextTap({
    id: 'split-trace',
    severity: 'error',
    ...names,
    protocol: 'http',
    candidates: ['header-stripped'],
    ...(side === undefined ? {} : { nextTap: { side, calledAt, seen: [] } }),
    shown: [
      { client: null, server: null, says: '' },
      {
        client: client === undefined ? null : (draw('CLIENT', client) ?? null),
        server: server === undefined ? null : (draw('SERVER', server) ?? null),
        says: '',
      },
    ].slice(client === undefined ? 1 : 0),
  }).split('\n');
  assert.deepEqual(others, []);
  return [tell, command];
}

suite('a tap that the caller calls', () => {
  test('listens for other machines, and replaces the address that the caller calls', () => {
    assert.deepEqual(describeTap({ client: 'url.full=http://orders:8082/work' }), [
      'Let web call a tap instead of orders:8082, and check again with --wire wire-caller.jsonl added:',
      'propagation-check tap --listen 0.0.0.0:0 --target http://orders:8082 --client web --out wire-caller.jsonl',
    ]);
  });

  for (const [url, address, listen] of [
    ['http://localhost:8082/work', 'localhost:8082', '0'],
    ['http://127.0.0.1:8082/work', '127.0.0.1:8082', '0'],
    ['http://[::1]:8082/work', '[::1]:8082', '0'],
    ['http://orders.localhost:8082/work', 'orders.localhost:8082', '0.0.0.0:0'],
    ['http://[fd00::7]:8082/work', '[fd00::7]:8082', '0.0.0.0:0'],
    ['http://orders/work', 'orders:80', '0.0.0.0:0'],
  ] as const) {
    test(`${url}: --target http://${address}, --listen ${listen}`, () => {
      const [, command] = describeTap({ client: `url.full=${url}` });
      assert.match(command, new RegExp(`--listen ${listen} `));
      assert.ok(command.includes(` --target http://${address} `));
    });
  }

  test('asks for the address if no span names one, or it is no host name', () => {
    for (const client of [
      '',
      'server.address="$(reboot)"',
      'server.address="orders;x"',
      'server.address="x orders"',
    ]) {
      assert.deepEqual(describeTap({ client }), [
        'Let web call a tap instead of the address that it calls now (HOST:PORT), and check again with --wire wire-caller.jsonl added:',
        'propagation-check tap --listen 0 --target http://HOST:PORT --client web --out wire-caller.jsonl',
      ]);
    }
  });

  test('uses the address at which the callee was called if the caller has no span', () => {
    const [tell] = describeTap({ server: 'server.address=shop server.port=8080' });
    assert.match(tell, /instead of shop:8080,/);
  });

  test('has a label that is one word for a shell, and none for an unnamed service', () => {
    const nameCaller = (client: string | null) =>
      describeTap({ client: 'url.full=http://orders:8082/work', names: { client, server: 'orders' } });
    assert.match(nameCaller("it's web")[1], / --client 'it'\\''s web' --out/);
    assert.match(nameCaller('-x')[1], / --client '-x' --out/);
    assert.match(nameCaller('web.v2-a')[1], / --client web\.v2-a --out/);
    assert.match(nameCaller(null)[0], /^Let the caller call a tap/);
    assert.match(nameCaller(null)[1], /8082 --out/);
  });

  test('is not suggested for TLS', () => {
    for (const attribute of ['url.full', 'http.url']) {
      const [tell, command] = describeTap({ client: `${attribute}=https://orders/work` });
      assert.match(tell, /^A tap reads only plain HTTP.* where TLS ends/);
      assert.equal(command, '');
    }
    for (const client of [
      'server.address=api.stripe.com server.port=443',
      'url.full=http://api.stripe.com:443/v1/charges',
      'net.peer.name=api.stripe.com net.peer.port=8443 http.scheme=https',
      'server.address=api.stripe.com server.port=8443 url.scheme=https',
    ])
      assert.deepEqual(describeTap({ client }), [describeTap({ client: 'url.full=https://orders/' })[0], '']);
    assert.match(describeTap({ client: 'url.full=http://orders/?to=https://shop' })[0], /^Let web call/);
  });
});

suite('a tap in front of the callee', () => {
  const client = 'url.full=http://proxy:8080/work';
  const server = 'server.address=orders server.port=8082';

  test("replaces the service's own address", () => {
    assert.deepEqual(describeTap({ client, server, side: 'callee' }), [
      'Put a tap directly in front of orders: let the last hop before it call the tap instead of orders itself (orders:8082, if no proxy listens there), and check again with --wire wire-callee.jsonl added:',
      'propagation-check tap --listen 0.0.0.0:0 --target http://orders:8082 --server orders --out wire-callee.jsonl',
    ]);
  });

  test('asks for the address if the span repeats the one that the caller or a tap called', () => {
    const [tell, command] = describeTap({
      client,
      server: 'server.address=proxy server.port=8080',
      side: 'callee',
    });
    assert.match(tell, /itself \(HOST:PORT\), and/);
    assert.match(command, /--target http:\/\/HOST:PORT --server orders/);
    const calledAt = ['[::1]:8082', '127.0.0.1:8083'];
    assert.match(describeTap({ client, server, side: 'callee', calledAt })[1], /HOST:PORT/);
    assert.match(
      describeTap({ client, server, side: 'callee', calledAt: ['127.0.0.1:9'] })[1],
      /orders:8082/,
    );
    assert.match(describeTap({ server, side: 'callee' })[1], /orders:8082/);
    assert.match(describeTap({ client, side: 'callee' })[1], /HOST:PORT/);
  });

  test('asks for the address if the span has that of the TLS proxy in front of the service', () => {
    const encrypted = 'server.address=shop server.port=443 url.scheme=https';
    assert.match(
      describeTap({ client, server: encrypted, side: 'callee' })[1],
      /http:\/\/HOST:PORT --server/,
    );
  });

  test('needs no label if the span names its connection', () => {
    const peer = `${server} network.peer.address=10.0.0.7 network.peer.port=40000`;
    assert.doesNotMatch(describeTap({ client, server: peer, side: 'callee' })[1], /--server/);
  });

  test('is in front of the callee if that has no name', () => {
    const [tell] = describeTap({ client, server, side: 'callee', names: { client: 'web', server: null } });
    assert.match(tell, /^Put a tap directly in front of the called service:/);
  });
});
