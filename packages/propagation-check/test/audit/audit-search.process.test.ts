import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { groupBy } from '../../src/util/group-by.ts';
import { executeCli } from '../cli/run-cli.ts';
import { encodeSpan, startTraceStore } from '../cli/trace-store.ts';
import { answer, startHttpServer } from '../source/http-server.ts';
import { makeTraffic } from './make-traffic.ts';

const minute = 60_000;

/** The beginning of a minute in the past, so that windows begin and end at whole minutes. */
const longAgo = Math.floor(Date.now() / minute) * minute - 30 * minute;
const window = ['--since', '10m', '--until', new Date(longAgo + 10 * minute).toISOString()];

suite('an audit of Jaeger', () => {
  test('reads the traces of every service once, and those of the preceding window', async (t) => {
    const store = await startTraceStore(t);
    store.add(
      ...makeTraffic({ from: longAgo, calls: 200, every: 2_900, brokenEvery: 10 }),
      ...makeTraffic({ from: longAgo, calls: 50, client: 'orders', server: 'stock' }),
      ...makeTraffic({ from: longAgo - 9 * minute, calls: 200 }),
      ...makeTraffic({ from: longAgo + 11 * minute, calls: 5, client: 'late' }),
    );
    const { code, stdout, stderr } = await executeCli('audit', '--source', store.source, ...window, '--json');
    assert.equal(code, 1, stderr);
    const { edges, before, window: read, outcome } = JSON.parse(stdout);
    assert.equal(outcome, 'failed');
    assert.deepEqual(
      edges.map((edge: Record<string, unknown>) => [edge.client, edge.server, edge.calls, edge.broken]),
      [
        ['orders', 'stock', 50, 0],
        ['web', 'orders', 200, 20],
      ],
    );
    const [stock, orders] = edges;
    assert.equal(stock.trend, null);
    assert.deepEqual([orders.trend.change, orders.trend.before.of], ['worse', 200]);
    assert.deepEqual(orders.causes[0].examples.length, 5);
    assert.deepEqual([read.traces, read.seen], [200 + 20 + 50, { complete: true, says: '' }]);
    assert.equal(before.traces, 200);
  });

  test('reads the newest part completely where there are more traces than the limit, and reports how much that is', async (t) => {
    const store = await startTraceStore(t);
    store.add(...makeTraffic({ from: longAgo, calls: 1_200, every: 500, brokenEvery: 2 }));
    const args = ['--source', store.source, ...window, '--limit', '450', '--json'];
    const { code, stdout } = await executeCli('audit', ...args);
    assert.equal(code, 1);
    const { edges, window: read } = JSON.parse(stdout);
    const [edge] = edges;
    assert.equal(read.seen.complete, false);
    assert.match(
      read.seen.says,
      /^\d+ % of the window was read, from \S+ on: it has more than 450 traces \(--limit\)$/,
    );
    assert.ok(read.traces > 225 && read.traces <= 450, `${read.traces} traces`);
    // At the end of the part that was read, no call has lost a side.
    assert.ok(Math.abs(edge.broken / edge.calls - 0.5) < 0.02, `${edge.broken} of ${edge.calls}`);
  });

  test('reads nothing where a single second has more traces than the limit, and reports it', async (t) => {
    const store = await startTraceStore(t);
    store.add(...makeTraffic({ from: longAgo + 10 * minute - 900, calls: 300, every: 1 }));
    const args = ['--source', store.source, ...window, '--limit', '210'];
    const { code, stdout } = await executeCli('audit', ...args);
    assert.equal(code, 2);
    assert.match(stdout, /^CANNOT TELL {2}/);
    assert.match(stdout, /note {2}nothing of the window was read/);
  });

  test('cannot tell an empty window from a source to which no service exports', async (t) => {
    const store = await startTraceStore(t);
    store.add(...makeTraffic({ from: longAgo + 11 * minute, calls: 3 }));
    const { code, stdout } = await executeCli('audit', '--source', store.source, ...window);
    assert.equal(code, 2);
    assert.match(stdout, /no trace begins in the window; check that services\s+export to it/);
  });

  test('reads an old version by the API of its UI', async (t) => {
    const { origin } = await startHttpServer(t, (request, response) => {
      const { pathname } = new URL(request.url ?? '', 'http://jaeger');
      if (pathname === '/api/services') answer(response, 200, { data: ['web'], errors: null });
      else if (pathname === '/api/traces') answer(response, 200, { data: [], errors: null });
      else answer(response, 404, 'not found');
    });
    const { code, stdout, stderr } = await executeCli('audit', '--source', `jaeger=${origin}`);
    assert.equal(code, 2);
    assert.match(stdout, /no trace begins in the window/, stderr);
  });

  test('is an error of one line where the server is not Jaeger, or does not answer', async (t) => {
    const { origin } = await startHttpServer(t, (_, response) =>
      answer(response, 404, { error: 'nothing here' }),
    );
    for (const [url, says] of [
      [origin, /^propagation-check: jaeger=\S+: \/api\/services answered .*, not Jaeger's API; .*\n$/],
      ['http://127.0.0.1:1', /^propagation-check: jaeger=http:\/\/127\.0\.0\.1:1: connection refused; .*\n$/],
    ] as const) {
      const { code, stdout, stderr } = await executeCli('audit', '--source', `jaeger=${url}`);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, says);
    }
  });
});

test('an audit of Tempo searches all services at once, and reads each trace', async (t) => {
  const spans = makeTraffic({ from: longAgo, calls: 250, every: 2_000, brokenEvery: 10 });
  const traces = groupBy(spans, ({ traceId }) => traceId);
  const asked: string[] = [];
  const { origin } = await startHttpServer(t, (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://tempo');
    const id = /^\/api\/v2\/traces\/(.+)$/.exec(pathname)?.[1];
    if (pathname === '/api/search') {
      asked.push(searchParams.get('q') ?? '');
      const [start, end, limit] = ['start', 'end', 'limit'].map((name) => Number(searchParams.get(name)));
      const found = traces
        .filter(([first]) => first.start >= (start ?? 0) * 1_000 && first.start <= (end ?? 0) * 1_000)
        .slice(0, limit)
        .map(([{ traceId }]) => ({ traceID: traceId }));
      answer(response, 200, { traces: found, metrics: {} });
    } else {
      const found = traces.find(([{ traceId }]) => traceId === id) ?? [];
      answer(response, 200, { trace: { resourceSpans: found.map(encodeSpan) } });
    }
  });
  const { code, stdout, stderr } = await executeCli(
    ...['audit', '--source', `tempo=${origin}`, ...window, '--json'],
  );
  assert.equal(code, 1, stderr);
  const { edges, window: read } = JSON.parse(stdout);
  assert.deepEqual([edges.length, edges[0].calls, edges[0].broken], [1, 250, 25]);
  assert.equal(read.seen.complete, true);
  assert.deepEqual(new Set(asked), new Set(['{}']));
});
