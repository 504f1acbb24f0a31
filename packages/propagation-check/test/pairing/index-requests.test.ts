import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findEdges } from '../../src/calls/edge.ts';
import { TraceGraph } from '../../src/graph/trace-graph.ts';
import { compareRequests } from '../../src/pairing/compare-requests.ts';
import { indexRequests } from '../../src/pairing/index-requests.ts';
import { storeOf } from '../../src/span/span-writer.ts';
import { cases } from '../cases.ts';
import { drawTrace } from '../draw-trace.ts';

/** A text of this length is not interned, so that its bytes are compared. */
const long = `/${'x'.repeat(600)}`;
const prefix = fc.constantFrom('', '/v1', '/ä', long, `/v2${long}`);
const tail = fc.constantFrom(
  '',
  '/',
  '/3',
  '/33',
  '/items/3',
  '/items/33',
  '/bitems/3',
  '/items/ä',
  '/a/items/3',
);
const path = fc.tuple(prefix, tail).map((parts) => parts.join('') || '/');
const target = fc.tuple(path, fc.constantFrom('', '?', '?q=/a', '#top', '/')).map((parts) => parts.join(''));

/** The attributes and the name of a span of an HTTP, RPC or MCP request. */
const about = fc
  .tuple(
    fc.constantFrom('GET', 'orders.Get'),
    target,
    fc.constantFrom(
      'http.request.method=POST url.path=',
      'http.request.method=POST http.target=',
      'rpc.system=grpc url.path=',
      'rpc.system=grpc rpc.method=v1.Items/3 url.path=',
      'mcp.method.name=tools/call url.path=',
      'mcp.method.name=tools/call rpc.method=v1.Items/3 url.path=',
    ),
  )
  .map(([name, value, attributes]): [string, string] => [name, `${attributes}${value}`]);
const withoutPath = fc.constantFrom<[string, string]>(
  ['POST', 'http.request.method=POST server.port=80'],
  ['Get', 'rpc.system=grpc rpc.method=v1.Items/3'],
  ['Put', 'rpc.system=grpc rpc.method=v1.Items/33'],
  ['POST', 'http.request.method=POST server.port=80 url.path=/v1.Items/3'],
  ['POST', `http.request.method=POST server.port=81 url.path=${long}/v1.Items/3`],
  ['tools/call', 'mcp.method.name=tools/call'],
);
const request = fc.oneof(about, withoutPath);

test('a test before views are made keeps every request that a call may have made', () => {
  fc.assert(
    fc.property(request, fc.array(request, { minLength: 1, maxLength: 8 }), ([name, call], requests) => {
      const servers = requests.map(
        ([named, attributes], at) => `trace b${at}\nSERVER b ${named}  b${at}  2..8 ${attributes}`,
      );
      const graph = new TraceGraph(
        storeOf(drawTrace([`trace a\nCLIENT a ${name}  a1  1..9 ${call}`, ...servers].join('\n'))),
      );
      const client = graph.spans.find(({ kind }) => kind === 'CLIENT');
      assert.ok(client !== undefined);
      const mayBeSame = indexRequests([client], findEdges(graph).facts);
      for (const server of graph.spans)
        if (server !== client && compareRequests(client, server) === 'yes')
          assert.ok(mayBeSame(graph.rowOf(server), 0), server.name);
    }),
    { seed: 20261129, numRuns: cases(1000) },
  );
});

/** A call, which is the first of the list, and requests, with their facts. */
function draw(call: string, requests: readonly string[]) {
  const lines = requests.map(
    (request, at) => `trace b${at}\nSERVER b ${request.replace(' ', `  b${at}  2..8 `)}`,
  );
  const graph = new TraceGraph(
    storeOf(drawTrace([`trace a\nCLIENT a ${call.replace(' ', '  a1  1..9 ')}`, ...lines].join('\n'))),
  );
  const client = graph.spans.find(({ kind }) => kind === 'CLIENT') ?? assert.fail();
  const rows = graph.spans.filter((span) => span !== client).map((span) => graph.rowOf(span));
  return { client, rows, facts: findEdges(graph).facts };
}

test('requests that share neither path, method, port nor name with the call are excluded', () => {
  for (const [call, request] of [
    ['GET url.path=/items/3', 'GET url.path=/items/4'],
    ['GET url.path=/items/3', `GET url.path=${long}/items/4`],
    [`GET url.path=${long}/3`, `GET url.path=${long}/4`],
    ['GET url.path=/items/3 server.port=80', 'GET url.path=/items/4 server.port=80'],
    ['GET http.request.method=GET server.port=80', 'GET url.path=/items/3 server.port=81'],
    ['GET http.request.method=GET', 'GET url.path=/items/3'],
    ['Get rpc.system=grpc rpc.method=v1.Items/3', 'Put rpc.system=grpc rpc.method=v1.Items/4'],
    ['Get rpc.system=grpc rpc.method=v1.Items/3', 'Get2 url.path=/v1.Items/4'],
    ['GET url.path=/v1.Items/3', 'GET rpc.system=grpc rpc.method=v1.Items/4 url.path=/v1.Items/3'],
  ] as const) {
    const { client, rows, facts } = draw(call, [request]);
    assert.equal(indexRequests([client], facts)(rows[0] ?? 0, 0), false, `${call}, ${request}`);
  }
});

test('the path of a request is decoded once for many calls, and never if its last bytes exclude it', () => {
  const { client, rows, facts } = draw('GET url.path=/items/3', [
    `GET url.path=${long}/items/4`,
    'GET url.path=/items/3',
  ]);
  const [longer = 0, same = 0] = rows;
  const mayBeSame = indexRequests([client, client], facts);
  const decoded: number[] = [];
  const found: number[] = [];
  const [pathOf, targetIdOf] = [facts.pathOf.bind(facts), facts.targetIdOf.bind(facts)];
  facts.pathOf = (row) => {
    decoded.push(row);
    return pathOf(row);
  };
  facts.targetIdOf = (row) => {
    found.push(row);
    return targetIdOf(row);
  };
  for (const row of [longer, same]) for (const at of [0, 1]) assert.equal(mayBeSame(row, at), row === same);
  assert.deepEqual(decoded, [same]);
  assert.deepEqual(found, [longer, same]);
});

test('requests of RPC and MCP are found by more than their path among many paths', () => {
  const others = Array.from({ length: 300 }, (_, at) => `SERVER b GET  c${at}  2..8 url.path=/of/${at}`);
  for (const [call, request] of [
    ['http.request.method=POST url.path=/v1.Items/3', 'rpc.system=grpc rpc.method=v1.Items/3'],
    ['mcp.method.name=tools/call url.path=/mcp', 'mcp.method.name=tools/call'],
  ] as const) {
    const lines = [`CLIENT a GET  a1  1..9 ${call}`, `SERVER b POST  b1  2..8 ${request} url.path=${long}`];
    const graph = new TraceGraph(storeOf(drawTrace([...lines, ...others].join('\n'))));
    const [client, server] = [...graph.spans].sort((one, other) => (one.spanId < other.spanId ? -1 : 1));
    assert.ok(client !== undefined && server !== undefined);
    assert.ok(indexRequests([client], findEdges(graph).facts)(graph.rowOf(server), 0), call);
  }
});
