import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findEdges } from '../../src/calls/edge.ts';
import { buildTraceGraph } from '../../src/graph/trace-graph.ts';
import { findLinkedCalls } from '../../src/pairing/find-linked-calls.ts';
import { thresholds } from '../../src/rules/thresholds.ts';
import { readDrawing } from '../engine/read-drawing.ts';

/** The names of open calls whose request links to a span around them. */
function listLinked(...lines: readonly string[]): readonly string[] {
  const { spans } = readDrawing(`${lines.join('\n')}\n`);
  const graph = buildTraceGraph(spans);
  const { groups, openClients } = findEdges(graph);
  return [...findLinkedCalls(graph, groups, openClients, thresholds)].map(({ name }) => name);
}

const enter = 'web SERVER "GET /call" 0..100 http.request.method=GET url.path=/call id:request';
const call = (path = '/work', name = 'call') =>
  `web CLIENT "${name}" 10..90 http.request.method=GET url.full=http://orders${path}`;
const served = (link = 'link:request', path = '/work') =>
  `orders SERVER "GET" 20..80 http.request.method=GET url.path=${path} ${link}`;
const below = ['trace 1', `  ${enter}`];

test('a request that links to the span around a call belongs to the call', () => {
  assert.deepEqual(listLinked(...below, `    ${call()}`, 'trace 2', `  ${served()}`), ['call']);
  assert.deepEqual(
    listLinked(
      ...below,
      '    web INTERNAL "job" 5..95 id:job',
      `      ${call()}`,
      'trace 2',
      `  ${served('link:job')}`,
    ),
    ['call'],
  );
});

test('a request belongs to one call: with the same path, open when it began, and below the linked span', () => {
  assert.deepEqual(listLinked(...below, `    ${call('/play')}`, 'trace 2', `  ${served()}`), []);
  const late = served().replace('20..80', '120..180');
  assert.deepEqual(listLinked(...below, `    ${call()}`, 'trace 2', `  ${late}`), []);
  const beside = ['trace 3', `  shop SERVER "GET" 0..99 http.request.method=GET`, `    ${call()}`];
  assert.deepEqual(listLinked(...below, ...beside, 'trace 2', `  ${served()}`), []);
  assert.deepEqual(
    listLinked(...below, `    ${call('/play', 'other')}`, `    ${call()}`, 'trace 2', `  ${served()}`),
    ['call'],
  );
});

test('a request that links to several spans belongs to the call within one of them', () => {
  const other = ['trace 3', '  web INTERNAL "job" 0..99 id:job'];
  assert.deepEqual(
    listLinked(...below, `    ${call()}`, ...other, 'trace 2', `  ${served('link:job link:request')}`),
    ['call'],
  );
});

test('a request of the same trace that links to the span around a call is no further call', () => {
  const twice = (trace: number) => [
    `trace ${trace}`,
    `  ${enter.replace('id:request', `id:request${trace}`)}`,
    `    ${call('/work', `call ${trace}`)}`,
  ];
  assert.deepEqual(
    listLinked(...twice(1), 'trace 2', `  ${served('link:request1')}`, ...twice(3), `    ${served('')}`),
    ['call 1'],
  );
});

test('no views are made of messages and of calls that are whole', () => {
  for (const [client, server] of [
    ['CLIENT', 'SERVER'],
    ['PRODUCER', 'CONSUMER'],
  ]) {
    const sent = `web ${client} "send" 0..99 id:request`;
    const { spans } = readDrawing(
      `trace 1\n  ${sent}\n    ${call()}\ntrace 2\n  ${served().replace('SERVER', `${server}`)}\n`,
    );
    const graph = buildTraceGraph(spans);
    const { groups, openClients } = findEdges(graph);
    assert.equal(groups.length, 1);
    graph.view = () => assert.fail(`${client} ${server}`);
    assert.equal(findLinkedCalls(graph, groups, openClients, thresholds).size, 0);
  }
});
