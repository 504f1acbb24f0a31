import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { checkDrawing } from '../engine/read-fixture-drawing.ts';
import { drawChain, drawClient, drawServer, judgeDrawing } from './judge-drawing.ts';

const call = drawClient({ from: 10, to: 90 });
const request = drawServer({ from: 20, to: 80 });
const hop = (from = 12, to = 88, service = 'gateway', path = '/work') =>
  `${service} SERVER "GET ${path}" ${from}..${to} http.request.method=GET url.path=${path}`;

const below = (parent: string, ...lines: readonly string[]) =>
  `trace 1\n  ${parent}\n${lines.map((line) => `    ${line}\n`).join('')}`;

const shown = ['warning header-passed-through gateway -> orders 1'];
const certain = ['error header-passed-through gateway -> orders 1'];

test("the hop is another service whose span of the same request encloses the callee's", () => {
  assert.deepEqual(judgeDrawing(below(call, hop(), request)), shown);
  assert.deepEqual(judgeDrawing(below(call, request)), []);
  assert.deepEqual(judgeDrawing(below(call, hop(12, 88, 'orders'), request)), []);
  assert.deepEqual(judgeDrawing(below(call, hop(12, 88, 'gateway', '/play'), request)), []);
  assert.deepEqual(judgeDrawing(below(call, hop(12, 70), request)), []);
});

test("if clocks do not show which of two requests came first, the longer one is the hop's", () => {
  assert.deepEqual(judgeDrawing(below(call, hop(21, 82), request)), shown);
  assert.deepEqual(judgeDrawing(below(call, hop(20, 80), request)), []);
});

test('a request of another call is no hop', () => {
  const hedged = [
    [hop(12, 70, 'west'), hop(20, 85, 'east')],
    [hop(11, 86, 'north'), hop(22, 95, 'south')],
  ];
  const draw = (servers: readonly string[]) => below(drawClient({ from: 10, to: 100 }), ...servers);
  assert.deepEqual(judgeDrawing(hedged.map(draw).join('').replace('trace 1', 'trace 2')), []);
});

test('only an expected call, or one that the hop has a span of, is not mirrored traffic', () => {
  const judge = (head: string) => judgeDrawing(head + below(call, hop(), request));
  assert.deepEqual(judge('expect web -> gateway -> orders\n'), certain);
  assert.deepEqual(judge('may gateway -> orders\n'), shown);
  assert.deepEqual(judge('expect web -> orders\nmay web -> gateway\n'), shown);
  assert.deepEqual(judge('expect web -> gateway -> stock\nmay gateway -> orders\n'), [
    ...shown,
    'error missing-call gateway -> stock 0',
  ]);
  const own = drawClient({ from: 15, to: 85, service: 'gateway' });
  assert.deepEqual(judgeDrawing(`trace 1\n  ${call}\n    ${hop()}\n      ${own}\n    ${request}\n`), certain);
  assert.deepEqual(judgeDrawing(below(call, hop(), request) + drawChain(2, own)), [
    ...shown,
    'warning context-lost-in-process gateway -> null 1',
  ]);
});

test('calls bypass the hop, unless the caller is expected to call the service itself', () => {
  const own = drawClient({ from: 15, to: 85, service: 'gateway' });
  const listPast = (head: string) => {
    const drawing = `${head}trace 1\n  ${call}\n    ${hop()}\n      ${own}\n    ${request}\n`;
    return checkDrawing(drawing).edges.flatMap(({ past }) => past?.service ?? []);
  };
  assert.deepEqual(listPast(''), ['gateway']);
  assert.deepEqual(listPast('expect web -> orders\nmay web -> gateway -> orders\n'), []);
});

test('one request is evidence for the others of the same hop, and a call of another service is not', () => {
  const ofHop = drawClient({ from: 15, to: 85, service: 'gateway' });
  const draw = (own: string) => `trace 1\n  ${call}\n    ${hop()}\n      ${own}\n    ${request}\n`;
  const second = below(
    drawClient({ from: 1010, to: 1090 }),
    hop(1012, 1088),
    drawServer({ from: 1020, to: 1080 }),
  );
  assert.deepEqual(judgeDrawing(draw(ofHop) + second.replace('trace 1', 'trace 2')), [
    'error header-passed-through gateway -> orders 2',
  ]);
  const ofOther = drawClient({ from: 15, to: 85, service: 'stock' });
  assert.deepEqual(judgeDrawing(draw(ofOther)), shown);
});

test('a request that ended late is passed on like the others if the hop has a call without a child for it', () => {
  const draw = (trace: number, at: number, end: number, own = true) =>
    [
      `trace ${trace}\n  ${drawClient({ from: at + 10, to: at + 90 })}`,
      `    ${hop(at + 12, at + 88)}`,
      ...(own ? [`      ${drawClient({ from: at + 15, to: at + 85, service: 'gateway' })}`] : []),
      `    ${drawServer({ from: at + 20, to: at + end })}\n`,
    ].join('\n');
  assert.deepEqual(judgeDrawing(draw(1, 0, 80) + draw(2, 1000, 94)), [
    'error header-passed-through gateway -> orders 2',
  ]);
  assert.deepEqual(judgeDrawing(draw(1, 0, 80) + draw(2, 1000, 94, false)), certain);
  assert.deepEqual(judgeDrawing(draw(1, 0, 94)), []);
});

test('a hop with whole calls to the service propagates', () => {
  const whole = drawChain(
    5,
    drawClient({ from: 500, to: 600, service: 'gateway' }),
    drawServer({ from: 510, to: 590 }),
  );
  assert.deepEqual(judgeDrawing(below(call, hop(), request) + whole), []);
});

test('messages, and spans below a message or a hand-made span, are no forwarded requests', () => {
  const functions = ['gateway', 'orders'].map(
    (service, at) => `${service} SERVER "handle" ${12 + at}..${88 - at} faas.trigger=pubsub`,
  );
  assert.deepEqual(
    judgeDrawing(below('web PRODUCER "send" 0..100 messaging.system=kafka', ...functions)),
    [],
  );
  assert.deepEqual(judgeDrawing(below('web INTERNAL "fetch" 0..100', hop(), request)), []);
  assert.deepEqual(
    judgeDrawing(below(call, 'gateway CONSUMER "take" 12..88 messaging.system=kafka', request)),
    [],
  );
});

test('each callee is reported separately', () => {
  const other = `trace 2\n  ${drawClient({ from: 1010, to: 1090 })}\n    ${hop(1012, 1088)}\n    ${hop(1020, 1080, 'stock')}\n`;
  assert.deepEqual(judgeDrawing(below(call, hop(), request) + other), [
    ...shown,
    'warning header-passed-through gateway -> stock 1',
  ]);
});

test('calls of a service with spans are not those of a service without spans', async () => {
  const path = new URL('../../fixtures/header-passed-through/broken-service.txt', import.meta.url);
  const { spans } = readDrawing(await readFile(path, 'utf8'));
  assert.deepEqual(checkTraces(spans).unjudged ?? [], []);
});
