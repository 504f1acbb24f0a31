import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findEdges } from '../../src/calls/edge.ts';
import { buildTraceGraph } from '../../src/graph/trace-graph.ts';
import { findLinkedCalls } from '../../src/pairing/find-linked-calls.ts';
import { thresholds } from '../../src/rules/thresholds.ts';
import { readDrawing } from '../engine/read-drawing.ts';

/** The names of the calls without a child whose request is linked to a span around them. */
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

test('a request that is linked to the span around a call is that of the call', () => {
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

test('a request is of one call: of the same path, open then, and below the linked span', () => {
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

test('a request that is linked to several spans is of the one around a call', () => {
  const other = ['trace 3', '  web INTERNAL "job" 0..99 id:job'];
  assert.deepEqual(
    listLinked(...below, `    ${call()}`, ...other, 'trace 2', `  ${served('link:job link:request')}`),
    ['call'],
  );
});

test('a request of the same trace that names the span around a call is no other call', () => {
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

test('no views are made of messages and of calls that have their own request', () => {
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
