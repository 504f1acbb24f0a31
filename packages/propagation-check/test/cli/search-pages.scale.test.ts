/** A search of many traces keeps one page of them in memory at a time. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { answer, startHttpServer, targetOf } from '../source/http-server.ts';
import { runCli } from './run-cli.ts';

const traces = 10_000;
const callsInTrace = 5;
/** The age of a trace in milliseconds. Some minutes have more traces than others. */
const ageOf = (trace: number) => 120_000 + trace * (trace % 1_000 < 500 ? 10 : 300);

/** Jaeger's API v3 over traces that are generated on request, in no order. @returns The most traces of an answer. */
async function startStore(t: TestContext) {
  const now = Date.now();
  const store = { source: '', most: 0 };
  const { origin } = await startHttpServer(t, (request, response) => {
    const { pathname, searchParams } = targetOf(request);
    if (pathname === '/api/v3/services') {
      answer(response, 200, { services: ['web', 'orders'] });
      return;
    }
    const time = (name: string) => Date.parse(searchParams.get(`query.${name}`) ?? '');
    const [from, to] = [time('start_time_min'), time('start_time_max')];
    const isSearch = pathname === '/api/v3/traces' && searchParams.get('query.service_name') === 'web';
    const isMatch = (trace: number) => isSearch && now - ageOf(trace) >= from && now - ageOf(trace) <= to;
    const found = Array.from({ length: traces }, (_, at) => (at * 7_919) % traces)
      .filter(isMatch)
      .slice(0, Number(searchParams.get('query.search_depth')));
    store.most = Math.max(store.most, found.length);
    answer(response, 200, {
      result: { resourceSpans: found.flatMap((trace) => encodeTrace(trace, now - ageOf(trace))) },
    });
  });
  store.source = `jaeger=${origin}`;
  return store;
}

function encodeTrace(trace: number, start: number) {
  const traceId = (trace + 1).toString(16).padStart(32, '0');
  const span = (id: number, parent: number, kind: number, from: number, to: number) => ({
    ...{ traceId, spanId: id.toString(16).padStart(16, '0'), kind, name: 'GET' },
    ...(parent === 0 ? {} : { parentSpanId: parent.toString(16).padStart(16, '0') }),
    startTimeUnixNano: `${start + from}000000`,
    endTimeUnixNano: `${start + to}000000`,
    attributes: [
      { key: 'http.request.method', value: { stringValue: 'GET' } },
      { key: 'url.full', value: { stringValue: `http://orders/orders/${id}` } },
      { key: 'url.path', value: { stringValue: `/orders/${id}` } },
      { key: 'note', value: { stringValue: `${'what no rule reads '.repeat(20)}${trace}` } },
    ],
  });
  const calls = Array.from({ length: callsInTrace }, (_, call) => 2 + call * 2);
  const ofService = (service: string, spans: readonly object[]) => ({
    resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
    scopeSpans: [{ spans }],
  });
  return [
    ofService('web', [span(1, 0, 2, 0, 90), ...calls.map((id) => span(id, 1, 3, id, id + 20))]),
    ofService(
      'orders',
      calls.map((id) => span(id + 1, id, 2, id + 1, id + 19)),
    ),
  ];
}

test('10,000 traces with 110,000 spans need at most 128 MB of heap', async (t) => {
  const store = await startStore(t);
  const args = ['trace', '--service', 'web', '--limit', String(traces), '--source', store.source, '--json'];
  const env = { NODE_OPTIONS: '--max-old-space-size=128' };
  const { code, stdout, stderr } = await runCli(t, args, { env });
  assert.equal(code, 0, stderr);
  const { edges, traces: read, spans, search } = JSON.parse(stdout);
  assert.deepEqual([read, spans], [traces, traces * (1 + 2 * callsInTrace)]);
  assert.deepEqual(edges, [
    { client: 'web', server: 'orders', protocol: 'http', calls: traces * callsInTrace, broken: 0 },
  ]);
  assert.deepEqual(search, { service: 'web', limit: traces, limitReached: true });
  assert.ok(store.most <= 200, `${store.most} traces in one answer`);
});

test('with more traces than the limit the newest are read', async (t) => {
  const { source } = await startStore(t);
  const args = ['trace', '--service', 'web', '--limit', '450', '--since', '2h', '--source', source, '--json'];
  const { stdout } = await runCli(t, args);
  const { traces: read, search } = JSON.parse(stdout);
  assert.deepEqual([read, search.limitReached], [450, true]);
});

test('an audit of these traces needs no more', async (t) => {
  const store = await startStore(t);
  const args = ['audit', '--since', '1h', '--source', store.source, '--json'];
  const env = { NODE_OPTIONS: '--max-old-space-size=128' };
  const { code, stdout, stderr } = await runCli(t, args, { env });
  assert.equal(code, 0, stderr);
  const { edges, window } = JSON.parse(stdout);
  assert.deepEqual([window.traces, window.seen.complete], [traces, true]);
  assert.deepEqual([edges.length, edges[0].calls], [1, traces * callsInTrace]);
  assert.ok(store.most <= 200, `${store.most} traces in one answer`);
});
