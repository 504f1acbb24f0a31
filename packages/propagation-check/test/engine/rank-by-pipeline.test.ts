import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CollectorCounters } from '../../src/span/collector-counters.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from './read-drawing.ts';

const { spans, expectation } = readDrawing(`
expect web -> orders
trace 1
  web    SERVER "GET /a" 0..10 http.request.method=GET url.path=/a
    web    CLIENT "GET" 1..9 http.request.method=GET url.full=http://orders:80/a http.response.status_code=200
      orders SERVER "GET /a" 2..8 url.path=/a server.port=80
trace 2
  web    SERVER "GET /a" 20..30 http.request.method=GET url.path=/a
    web    CLIENT "GET" 21..29 http.request.method=GET url.full=http://orders:80/a http.response.status_code=200
trace 3
  web    SERVER "GET /a" 40..50 http.request.method=GET url.path=/a
    web    CLIENT "GET" 41..49 http.request.method=GET url.full=http://orders:80/a http.response.status_code=200
      orders SERVER "GET /a" 42..48 url.path=/a server.port=80
`);
const healthy: CollectorCounters = {
  name: 'collector=http://localhost:8888/metrics',
  accepted: 6,
  refused: 0,
  sent: 6,
  sendFailed: 0,
  enqueueFailed: 0,
};

function rank(collector: CollectorCounters | null): readonly string[] {
  const [finding] = checkTraces(spans, { expectation, collector }).findings;
  assert.equal(finding?.id, 'missing-server');
  return finding.candidates ?? [];
}

describe('pipeline counters', () => {
  it('make lost telemetry the first candidate if the Collector gave up spans', () => {
    assert.equal(rank(null)[0], 'not-sampled');
    assert.equal(rank({ ...healthy, sendFailed: 3 })[0], 'server-span-lost');
    assert.equal(rank({ ...healthy, enqueueFailed: 1 })[0], 'server-span-lost');
    assert.equal(rank({ ...healthy, sendFailed: 1, enqueueFailed: 1 })[0], 'server-span-lost');
  });

  it('keep the order of the others', () => {
    const others = rank(null).filter((cause) => cause !== 'server-span-lost');
    assert.deepEqual(rank({ ...healthy, sendFailed: 3 }), ['server-span-lost', ...others]);
  });

  it('exclude nothing if the Collector lost no spans, or only refused some for a while', () => {
    assert.deepEqual(rank(healthy), rank(null));
    assert.deepEqual(rank({ ...healthy, refused: 9 }), rank(null));
  });
});
