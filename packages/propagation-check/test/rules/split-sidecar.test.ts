import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { findEdges } from '../../src/calls/edge.ts';
import { buildTraceGraph } from '../../src/graph/trace-graph.ts';
import { listSharedCalls } from '../../src/rules/list-shared-calls.ts';
import { thresholds } from '../../src/rules/thresholds.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { drawChain, judgeDrawing } from './judge-drawing.ts';

/** Irregular, so that nothing else stays in step. */
const times = [0, 700, 2900, 3600, 5900, 6700];

interface Call {
  readonly service?: string;
  readonly host?: string;
  readonly from?: number;
  readonly to?: number;
}

const call = (at: number, { service = 'web', host = 'orders', from = 10, to = 90 }: Call = {}): string =>
  `${service} CLIENT "GET" ${at + from}..${at + to} http.request.method=GET url.full=http://${host}/items http.response.status_code=200`;
const serve = (at: number, service = 'orders'): string =>
  `${service} SERVER "GET /items" ${at + 20}..${at + 60} http.request.method=GET url.path=/items`;
const enter = (at: number): string =>
  `web SERVER "GET /cart" ${at}..${at + 100} http.request.method=GET url.path=/cart`;

type Draw = (at: number) => readonly string[];

const drawRounds = (drawRound: Draw, number: number): string =>
  times.map((at, round) => drawChain(number + round, ...drawRound(at))).join('');
/** Rounds, each in a trace of its own. */
const judge = (...rounds: readonly Draw[]): readonly string[] =>
  judgeDrawing(rounds.map((drawRound, at) => drawRounds(drawRound, 10 * at + 1)).join(''));

suite('a CLIENT span that began a trace within a call to the same URL', () => {
  const ofWeb: Draw = (at) => [enter(at), call(at)];
  const whole: Draw = (at) => [...ofWeb(at), serve(at, 'orders-v2')];
  const ofProxy =
    (about: Call = {}): Draw =>
    (at) => [call(at, { service: 'web-proxy', from: 12, to: 88, ...about }), serve(at)];
  const beside = ['warning split-trace web -> web-proxy 6'];
  const broken = ['error split-trace web -> web-proxy 6'];

  test("is a sidecar's", () => {
    assert.deepEqual(judge(ofWeb, ofProxy()), broken);
    assert.deepEqual(judge(whole, ofProxy()), beside);
  });

  test("is the sidecar's of its own service", () => {
    const ofShop =
      (draw: Draw): Draw =>
      (at) =>
        draw(at + 350).map((line) => line.replace(/^web/, 'shop').replace('http://orders', 'http://pay'));
    assert.deepEqual(judge(ofWeb, ofProxy(), ofShop(ofWeb), ofShop(ofProxy())), [
      ...broken,
      'error split-trace shop -> shop-proxy 6',
    ]);
  });

  test('is not, if it ends later', () => {
    assert.deepEqual(judge(ofWeb, ofProxy({ to: 120 })), []);
  });

  test('is not, if similar spans are within no call', () => {
    assert.deepEqual(judge(ofWeb, ofProxy(), ofProxy({ from: 212, to: 288 })), []);
  });

  test('is not, if its target is unknown', () => {
    const unnamed =
      (draw: Draw): Draw =>
      (at) =>
        draw(at).map((line) => line.replace(/url.full=\S+/, 'server.address=orders'));
    assert.deepEqual(judge(unnamed(ofWeb), unnamed(ofProxy())), []);
    const hostless =
      (draw: Draw): Draw =>
      (at) =>
        draw(at).map((line) => line.replace('url.full=http://orders', 'url.path='));
    assert.deepEqual(judge(hostless(ofWeb), hostless(ofProxy())), []);
  });

  test('is not, if both services call the callee', () => {
    const shop = ofProxy({ service: 'shop' });
    assert.deepEqual(
      judge((at) => [...ofWeb(at), serve(at)], shop),
      [],
    );
    const often: Draw = (at) => [...ofWeb(at + 300), serve(at + 300)];
    assert.deepEqual(judge(ofWeb, often, shop), ['warning missing-server web -> orders 6']);
  });

  test('is not, if it has another URL of the host', () => {
    const elsewhere: Draw = (at) => ofProxy()(at).map((line) => line.replace('/items', '/stock'));
    assert.deepEqual(judge(ofWeb, elsewhere), []);
  });

  test('is not, if it would lie within a call at any time', () => {
    const busy: Draw = (at) =>
      [0, 1, 2, 3].map((part) => call(at, { from: part * 600, to: part * 600 + 590 }));
    assert.deepEqual(
      judge(
        (at) => [busy(at)[0] ?? ''],
        (at) => [busy(at)[1] ?? ''],
        (at) => [busy(at)[2] ?? ''],
        (at) => [busy(at)[3] ?? ''],
        (at) => ofProxy({ from: 2, to: 68 })(at + 120),
      ),
      [],
    );
  });

  test('is not, if the callee calls its own URL, or the caller calls again', () => {
    const again =
      (service: string): Draw =>
      (at) => [
        call(at, { service, from: 22, to: 58 }),
        serve(at, 'stock').replace(/\d+\.\.\d+/, `${at + 24}..${at + 56}`),
      ];
    assert.deepEqual(
      judge((at) => [...ofWeb(at), serve(at)], again('orders')),
      ['error context-lost-in-process orders -> stock 6'],
    );
    const ofCron: Draw = (at) => [call(at + 200, { service: 'cron' })];
    assert.deepEqual(judge(whole, ofProxy({ service: 'web' }), ofCron), [
      'error context-lost-in-process web -> orders 6',
    ]);
  });

  test('is not, at an address that means another machine for each service', () => {
    for (const host of ['localhost:8080', '127.0.0.1:8080', '[::1]:8080']) {
      const outer: Draw = (at) => [enter(at), call(at, { host })];
      assert.deepEqual(judge(outer, ofProxy({ host })), [], host);
      assert.deepEqual(
        judge((at) => [...outer(at), serve(at, 'stock')], ofProxy({ host })),
        [],
        host,
      );
    }
  });

  test('is not, if a request that began a trace explains the call; a request without details does not explain it', () => {
    const root: Draw = (at) => [serve(at, 'stock')];
    const unknown: Draw = (at) => [`stock SERVER "GET" ${at + 20}..${at + 60} http.request.method=GET`];
    const ofSidecar = (...rounds: readonly Draw[]) =>
      judge(...rounds).filter((line) => line.includes('web-proxy'));
    assert.deepEqual(ofSidecar(ofWeb, ofProxy(), root), []);
    assert.deepEqual(ofSidecar(ofWeb, ofProxy(), unknown), broken);
    assert.deepEqual(ofSidecar(whole, ofProxy(), root), beside);
  });
});

test('views are made only of calls to hosts that several services call, and only if several began traces', () => {
  const list = (proxies: number) => {
    const began = (service: string, host: string, number: number) =>
      times
        .slice(0, proxies)
        .map((at, round) => drawChain(number + round, call(at, { service, host }), serve(at)));
    const message = 'messaging.system=kafka server.address=orders';
    const others = [
      drawChain(1, enter(0), call(0)),
      drawChain(2, enter(0), call(0, { host: 'stock' })),
      drawChain(3, `web PRODUCER "send" 0..1 ${message}`, `orders CONSUMER "take" 5..6 ${message}`),
      drawChain(4, 'web CLIENT "SELECT" 0..1 db.system=mysql server.address=orders'),
    ];
    const lines = [...others, ...began('web-proxy', 'orders', 10), ...began('shop', 'own', 20)];
    const graph = buildTraceGraph(readDrawing(lines.join('')).spans);
    const { inner, outer } = listSharedCalls({ graph, facts: findEdges(graph).facts, thresholds });
    const name = ({ serviceName, attributes }: (typeof inner)[number]) =>
      `${serviceName} ${attributes.get('url.full')}`;
    return [inner.map(name), outer.map(name)];
  };
  const proxies = times.slice(1).map(() => 'web-proxy http://orders/items');
  assert.deepEqual(list(5), [proxies, ['web http://orders/items', ...proxies].sort()]);
  assert.deepEqual(list(4), [[], []]);
});
