import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ExpectedEdge, expectPath, noExpectation } from '../../src/expect/expectation.ts';
import { isToleratedEdge, isToleratedPeer, listToleratedNames } from '../../src/rules/tolerated-peer.ts';
import { readDrawing } from '../engine/read-drawing.ts';

const to = (attributes: string) => {
  const [span] = readDrawing(`trace 1\n  web CLIENT "GET" 0..10 ${attributes}\n`).spans;
  assert.ok(span);
  return (...toleratedPeers: string[]) => isToleratedPeer({ ...noExpectation, toleratedPeers }, span);
};

test('a peer is tolerated by host, by host and port, by its service, and by its queue', () => {
  const url = to('http.request.method=GET url.full=http://Pay.example:8080/charge');
  assert.deepEqual([url('pay.example'), url('PAY.example:8080'), url('pay.example:80')], [true, true, false]);
  const named = to('http.request.method=GET peer.service=payments');
  assert.deepEqual([named('Payments'), named('pay')], [true, false]);
  assert.ok(to('service.peer.name=payments')('payments'));
  assert.ok(to('messaging.system=kafka messaging.destination.name=Audit')('audit'));
  assert.ok(!to('http.request.method=GET server.address=pay')('pay:null'));
  assert.ok(!to('http.request.method=GET server.port=80')('null:80', 'null'));
});

test('one matching name is enough, and an empty list tolerates nothing', () => {
  const call = to('http.request.method=GET url.full=http://pay/charge');
  assert.deepEqual([call('mail', 'pay'), call('mail'), call()], [true, false, false]);
});

test('a peer that its caller must call is not tolerated, however both names are written', () => {
  const [span] = readDrawing(
    'trace 1\n  web CLIENT "GET" 0..10 http.request.method=GET url.full=http://orders:8080/a\n',
  ).spans;
  assert.ok(span);
  for (const peer of ['orders', 'orders:8080', 'web -> orders']) {
    const tolerates = (...path: readonly string[]): boolean =>
      isToleratedPeer({ ...noExpectation, edges: expectPath(path), toleratedPeers: [peer] }, span);
    assert.deepEqual([tolerates('web', 'orders'), tolerates('shop', 'orders')], [false, true], peer);
  }
});

test('a peer that its caller may call, or must not call, is tolerated', () => {
  const [span] = readDrawing(`trace 1\n  web CLIENT "GET" 0..10 url.full=http://orders:8080/a\n`).spans;
  assert.ok(span);
  for (const rule of ['may', 'must-not'] as const)
    assert.ok(
      isToleratedPeer(
        { ...noExpectation, edges: [{ client: 'web', server: 'orders', rule }], toleratedPeers: ['orders'] },
        span,
      ),
      rule,
    );
});

test('a peer of one caller is tolerated for that caller only, however the arrow is spaced', () => {
  const call = to('http.request.method=GET url.full=http://pay/charge');
  for (const arrow of ['->', ' -> ', '  ->\t'])
    assert.deepEqual(
      [`web${arrow}pay`, ` WEB${arrow}pay `, `shop${arrow}pay`, `web${arrow}mail`].map((peer) => call(peer)),
      [true, true, false, false],
      arrow,
    );
  assert.ok(call(' pay '));
});

test('an edge to one of several tolerated peers is not judged, unless that edge is required or forbidden', () => {
  const tolerates = (...edges: readonly ExpectedEdge[]): boolean =>
    isToleratedEdge(
      { ...noExpectation, edges, toleratedPeers: ['mail', 'pay'] },
      { client: 'web', server: 'pay' },
      true,
    );
  const edge = { client: 'web', server: 'pay' };
  assert.ok(tolerates());
  assert.ok(tolerates({ ...edge, rule: 'may' }));
  assert.ok(tolerates({ ...edge, client: 'shop', rule: 'must' }, { ...edge, server: 'mail', rule: 'must' }));
  assert.ok(!tolerates({ ...edge, rule: 'must' }));
  assert.ok(!tolerates({ ...edge, rule: 'must-not' }));
});

test('peers are named as they are called, without the caller', () => {
  assert.deepEqual(listToleratedNames({ ...noExpectation, toleratedPeers: ['mail', 'web -> pay:80'] }), [
    'mail',
    'pay:80',
  ]);
});
