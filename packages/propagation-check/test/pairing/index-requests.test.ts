import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findEdges } from '../../src/calls/edge.ts';
import { TraceGraph } from '../../src/graph/trace-graph.ts';
import { indexRequests } from '../../src/pairing/index-requests.ts';
import { compareRequests } from '../../src/pairing/pair.ts';
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
const attribute = fc.constantFrom('url.path', 'http.target');

test('a look before views are made keeps every request that a call may have made', () => {
  fc.assert(
    fc.property(
      path,
      fc.array(fc.tuple(attribute, target), { minLength: 1, maxLength: 8 }),
      (called, targets) => {
        const requests = targets.map(
          ([name, value], at) =>
            `trace b${at}\nSERVER b GET  b${at}  2..8 http.request.method=GET ${name}=${value}`,
        );
        const client = `trace a\nCLIENT a GET  a1  1..9 http.request.method=GET url.path=${called}`;
        const graph = new TraceGraph(storeOf(drawTrace([client, ...requests].join('\n'))));
        const [call, ...servers] = graph.spans.toSorted((one) => (one.kind === 'CLIENT' ? -1 : 1));
        assert.ok(call !== undefined);
        const mayBeSame = indexRequests([call], findEdges(graph).facts);
        for (const server of servers)
          if (compareRequests(call, server) === 'yes')
            assert.ok(mayBeSame(graph.rowOf(server), 0), server.name);
      },
    ),
    { seed: 20261129, numRuns: cases(500) },
  );
});
