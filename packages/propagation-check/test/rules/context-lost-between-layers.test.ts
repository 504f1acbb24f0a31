import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawChain, judgeDrawing } from './judge-drawing.ts';

const layer = (at: number, { service = 'web', request = 'http.method=GET http.target=/a' } = {}) =>
  `${service} INTERNAL "middleware" ${at}..${at + 8} ${request}`;
const server = (at: number, { service = 'web', path = '/a', kind = 'SERVER' } = {}) =>
  `${service} ${kind} "GET ${path}" ${at + 9}..${at + 69} http.method=GET http.target=${path}`;

const draw = (count: number, one: (at: number) => string, other: (at: number) => string, first = 1) =>
  Array.from(
    { length: count },
    (_, at) => drawChain(first + 2 * at, one(at * 500)) + drawChain(first + 2 * at + 1, other(at * 500)),
  ).join('');

const lost = (count: number, service = 'web') => [
  `error context-lost-in-process ${service} -> ${service} ${count}`,
];

test('a layer is followed by a request of its service, a few times only by chance', () => {
  assert.deepEqual(judgeDrawing(draw(6, layer, server)), lost(6));
  assert.deepEqual(judgeDrawing(draw(5, layer, server)), lost(5));
  assert.deepEqual(judgeDrawing(draw(4, layer, server)), ['warning context-lost-in-process web -> web 4']);
  const shop = { service: 'shop' };
  const both =
    draw(6, layer, server) +
    draw(
      6,
      (at) => layer(at, shop),
      (at) => server(at, shop),
      50,
    );
  assert.deepEqual(judgeDrawing(both), [...lost(6), ...lost(6, 'shop')]);
  assert.deepEqual(judgeDrawing(draw(6, layer, (at) => server(at, shop))), []);
  assert.deepEqual(judgeDrawing(draw(6, layer, (at) => server(at, { kind: 'CONSUMER' }))), []);
});

test('the request has the method and path of the layer, nearly every time', () => {
  assert.deepEqual(judgeDrawing(draw(6, layer, (at) => server(at, { path: '/b' }))), []);
  assert.deepEqual(judgeDrawing(draw(6, layer, (at) => server(at, { path: at > 2000 ? '/b' : '/a' }))), []);
  const swapped = draw(6, layer, (at) => server(at, { path: at % 1000 === 0 ? '/b' : '/a' })).replaceAll(
    /INTERNAL "middleware" (\d+500[.]{2}.*)\/a/g,
    'INTERNAL "middleware" $1/b',
  );
  assert.deepEqual(judgeDrawing(swapped), []);
  const post = { request: 'http.method=POST http.target=/a' };
  assert.deepEqual(judgeDrawing(draw(6, (at) => layer(at, post), server)), []);
  const without = (fact: RegExp) => (line: string) => line.replace(fact, '');
  for (const drop of [without(/http.target=\S+/), without(/http.method=\S+/)]) {
    assert.deepEqual(
      judgeDrawing(
        draw(
          6,
          (at) => drop(layer(at)),
          (at) => drop(server(at)),
        ),
      ),
      [],
    );
  }
});

test('a call that the service makes in the meantime is no layer', () => {
  const to = 'http.request.method=GET url.full=http://gateway:80/a';
  const client = (at: number) =>
    `web CLIENT "GET" ${at}..${at + 90} ${to} scope:fetch\n    gateway SERVER "GET /a" ${at + 1}..${at + 80} http.request.method=GET url.path=/a`;
  const of = (scope: string) => (at: number) => `${server(at)} scope:${scope}`;
  const other = drawChain(90, `web SERVER "GET /b" 9000..9010 http.method=GET http.target=/b scope:other`);
  assert.deepEqual(judgeDrawing(draw(6, client, of('http')) + other), []);
});

test('two layers are recognised by their scopes, whichever begins first', () => {
  const outer = (at: number) => `${server(at - 3).replace(/[.][.]\d+/, `..${at + 99}`)} scope:nginx`;
  assert.deepEqual(judgeDrawing(draw(6, outer, (at) => `${server(at)} scope:php`)), lost(6));
  assert.deepEqual(judgeDrawing(draw(6, outer, server)), []);
});

test('a layer within a trace did not begin one', () => {
  const inside = draw(6, layer, server).replaceAll(
    '  web INTERNAL',
    '  web INTERNAL "outer" 0..9999\n    web INTERNAL',
  );
  assert.deepEqual(judgeDrawing(inside), []);
});
