import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectTraces } from '../../src/collect/collect-traces.ts';
import { noExpectation } from '../../src/expect/expectation.ts';
import type { Span } from '../../src/span/span.ts';
import { makeId } from '../cli/trace-store.ts';
import { readDrawing } from '../engine/read-drawing.ts';

/** A request of this tool with the span that it caused, and the same request from another caller. */
const { spans } = readDrawing(`
trace 1
  propagation-check  CLIENT "GET" 0..100 http.request.method=GET url.full=http://web:8081/
    web              SERVER "GET /" 10..90 http.request.method=GET url.path=/
trace 2
  web                SERVER "GET /" 11..91 http.request.method=GET url.path=/
`);

test('spans that arrive during a slow search are kept, not those of another caller', async (t) => {
  const [request, caused, other] = spans;
  assert.ok(request && caused && other);
  const answeredAt = Number(request.endTimeUnixNano / 1_000_000n);
  t.mock.timers.enable({ apis: ['Date'], now: answeredAt });
  const settleMs = 20;
  const arrived: Span[] = [];
  let searches = 0;
  /** After the first look, each answer takes longer than the other caller's trace needs to settle. */
  const passTime = () => {
    if (searches > 0) t.mock.timers.setTime(Date.now() + settleMs * 1.5);
  };
  const { spans: collected } = await collectTraces({
    source: {
      name: 'slow',
      readTrace: async (id) => {
        const found = arrived.filter(({ traceId }) => traceId === id);
        passTime();
        return found;
      },
      searchTraces: async () => {
        passTime();
        searches += 1;
        if (searches === 2) arrived.push(caused);
        return [other];
      },
      close: async () => {},
    },
    ...{ traceIds: [request.traceId], requests: [request], answeredAt, services: ['web'] },
    readInputs: async () => ({ expectation: noExpectation, wire: [] }),
    ...{ waitMs: 60_000, settleMs, signal: t.signal },
  });
  assert.deepEqual(collected.slice(0, 2), [request, caused]);
});

test('the limit of a search grows with the number of calls', async (t) => {
  const [request, , other] = spans;
  assert.ok(request && other);
  const requests = repeat(request, 101);
  const begun = repeat({ ...other, parentSpanId: null }, 201);
  const limits: number[] = [];
  const { elsewhere } = await collectTraces({
    source: {
      name: 'store',
      readTrace: async () => [],
      searchTraces: async ({ limit }) => {
        limits.push(limit);
        return begun.slice(0, limit);
      },
      close: async () => {},
    },
    ...{ traceIds: requests.map(({ traceId }) => traceId), requests, services: ['web'] },
    readInputs: async () => ({ expectation: noExpectation, wire: [] }),
    ...{ waitMs: 0, settleMs: 0, signal: t.signal },
  });
  assert.deepEqual(limits, [202]);
  assert.equal(elsewhere.length, 201, 'others call the service, too');
});

function repeat(span: Span, count: number): readonly Span[] {
  return Array.from({ length: count }, () => ({ ...span, traceId: makeId(16), spanId: makeId(8) }));
}
