import assert from 'node:assert/strict';
import { it } from 'node:test';
import { buildTraceGraph } from '../../src/graph/trace-graph.ts';
import { indexHeaders, noHeaderEvidence } from '../../src/headers/wire.ts';
import { drawTrace } from '../draw-trace.ts';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

for (const [stored, value] of [
  ['as the service wrote it', [traceparent]],
  ['as Jaeger stores a list', JSON.stringify([traceparent])],
  ['alone', traceparent],
] as const) {
  it(`a header that a span recorded is read ${stored}`, () => {
    const [drawn] = drawTrace('CLIENT service-a GET  a2  5..25');
    assert.ok(drawn);
    const span = { ...drawn, attributes: new Map([['http.request.header.traceparent', value]]) };
    const headers = indexHeaders(noHeaderEvidence, buildTraceGraph([span]))(span, null, {
      client: 'service-a',
      server: null,
    });
    assert.deepEqual(headers?.sent?.headers, [{ name: 'traceparent', value: traceparent }]);
  });
}
