import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { countSeenRequests } from '../../src/cli/count-requests.ts';
import type { Span } from '../../src/span/span.ts';
import { drawTrace } from '../draw-trace.ts';

/** Sets the status to ERROR, which a drawing cannot express. */
const fail = (span: Span): Span => ({ ...span, status: { code: 'ERROR', message: '' } });

function count(drawing: string): readonly [number, readonly string[]] {
  const spans = drawTrace(drawing).map((span) => (span.attributes.has('failed') ? fail(span) : span));
  const { sent, failures } = countSeenRequests(spans);
  return [sent, failures];
}

const get = 'http.request.method=GET server.address=web server.port=80';

suite('requests of a command', () => {
  test('are calls that are not inside another call', () => {
    const drawing = `
      INTERNAL suite test                   f1  0..60
        CLIENT suite GET                    a1  0..50 ${get} http.response.status_code=200
          SERVER web GET /                  a2  1..49 http.request.method=GET http.response.status_code=200
            CLIENT web GET                  a3  5..25 ${get} http.response.status_code=500
    `;
    assert.deepEqual(count(drawing), [1, []]);
  });

  test('failed with a status, or without an answer', () => {
    const drawing = `
      SERVER web GET /   a1  0..10 http.request.method=GET http.response.status_code=404
      trace b
      CLIENT suite GET   b1  20..30 ${get} failed=1
      trace c
      SERVER web s.M/Get   c1  40..50 rpc.system=grpc failed=1
    `;
    const failures = ['1 answered with 404', '1 without an answer', '1 answered with an error'];
    assert.deepEqual(count(drawing), [3, failures]);
  });

  test('are not health probes, database calls, or calls before the called service was up', () => {
    const drawing = `
      CLIENT suite GET   a1  0..10 ${get} failed=1
      trace b
      CLIENT suite GET   b1  20..30 ${get} http.response.status_code=200
      trace c
      SERVER web GET /healthz   c1  40..50 http.request.method=GET url.path=/healthz http.response.status_code=503
      trace d
      CLIENT suite SELECT   d1  40..50 db.system.name=postgresql failed=1
    `;
    assert.deepEqual(count(drawing), [1, []]);
  });

  test('include calls that fail after the service has answered others', () => {
    const drawing = `
      CLIENT suite GET   a1  0..10 ${get} http.response.status_code=200
      trace b
      CLIENT suite GET   b1  20..30 ${get} failed=1
    `;
    assert.deepEqual(count(drawing), [2, ['1 without an answer']]);
  });
});
