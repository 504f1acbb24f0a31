import assert from 'node:assert/strict';
import { it } from 'node:test';
import { buildTraceGraph } from '../../src/graph/trace-graph.ts';
import { indexHeaders, noHeaderEvidence } from '../../src/headers/wire.ts';
import { drawTrace } from '../draw-trace.ts';

const [call] = drawTrace('CLIENT service-a GET  a2  5..25');
assert.ok(call);
const traceparent = `00-${call.traceId}-${call.spanId}-01`;

for (const [stored, value] of [
  ['as the service wrote it', [traceparent]],
  ['as Jaeger stores a list', JSON.stringify([traceparent])],
  ['alone', traceparent],
] as const) {
  it(`a header that a span recorded is read ${stored}`, () => {
    const span = { ...call, attributes: new Map([['http.request.header.traceparent', value]]) };
    const headers = indexHeaders(noHeaderEvidence, buildTraceGraph([span]))(span, null, {
      client: 'service-a',
      server: null,
    });
    assert.deepEqual(headers?.sent?.headers, [{ name: 'traceparent', value: traceparent }]);
  });
}

for (const [name, value] of [
  ['traceresponse', (span: string) => span],
  ['server-timing', (span: string) => `db;dur=53, trace;desc=${span}`],
] as const) {
  it(`an answer that a CLIENT span recorded names the callee's span: ${name}`, () => {
    const [drawn] = drawTrace('CLIENT service-a GET  a2  5..25');
    assert.ok(drawn);
    const answered = (traceId: string) => {
      const said = value(`00-${traceId}-b7ad6b7169203331-00`);
      const span = { ...drawn, attributes: new Map([[`http.response.header.${name}`, [said]]]) };
      return indexHeaders(noHeaderEvidence, buildTraceGraph([span]))(span, null, {
        client: 'service-a',
        server: null,
      });
    };
    assert.deepEqual(answered(drawn.traceId)?.answer, {
      span: { traceId: drawn.traceId, spanId: 'b7ad6b7169203331', sampled: false },
      isDelivered: false,
      isUsual: true,
    });
    // A cache may return the answer of another call.
    assert.equal(answered('0af7651916cd43dd8448eb211c80319c'), null);
  });
}
