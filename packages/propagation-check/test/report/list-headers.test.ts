import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listHeaders } from '../../src/report/list-headers.ts';
import { drawTrace } from '../draw-trace.ts';

test('headers of the request come before those of the response', () => {
  const [span] = drawTrace(`
    SERVER b GET /work  b1  0..9 http.response.header.server-timing=trace http.request.header.traceparent=[]
  `);
  assert.ok(span !== undefined);
  assert.deepEqual(listHeaders(span), ['traceparent: (none)', 'server-timing: trace']);
});
