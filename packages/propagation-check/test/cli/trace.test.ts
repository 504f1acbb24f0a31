import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { pauseFor } from '../../src/collect/pause-for.ts';
import { findFreePort } from '../free-ports.ts';
import { startHttpServer } from '../source/http-server.ts';
import { healthyCapture, readCapture } from './captures.ts';
import { executeCli, makeFolder, spawnCli } from './run-cli.ts';
import { encodeSpan, exportSpans, makeCall, makeId, startTraceStore } from './trace-store.ts';

const id = 'a'.repeat(32);
const otherId = 'b'.repeat(32);
const expected = ['--expect', 'web -> orders'];

const makeOwnCall = (start: number) => makeCall(start, id);
const longAgo = () => Date.now() - 600_000;

test('an old trace is read once and judged at once', async (t) => {
  const store = await startTraceStore(t);
  store.add(...Object.values(makeOwnCall(longAgo())));
  const { code, stdout } = await executeCli('trace', id.toUpperCase(), '--source', store.source, ...expected);
  assert.equal(code, 0);
  assert.match(stdout, /^INTACT {2}1 edge, 1 call \(1 trace, 3 spans\)/);
  assert.equal(store.asked.filter((path) => path.startsWith('/api/v3/traces/')).length, 1);
});

test('waits for a trace that is still arriving until the verdict is certain', async (t) => {
  const { request, client, server } = makeOwnCall(Date.now() - 100);
  let looks = 0;
  const store = await startTraceStore(t, (target, { add }) => {
    if (!target.pathname.endsWith(id)) return;
    looks += 1;
    if (looks === 2) add(request, client);
    if (looks === 4) add(server);
  });
  const { code, stdout } = await executeCli('trace', id, '--source', store.source, ...expected);
  assert.equal(code, 0);
  assert.match(stdout, /^INTACT {2}1 edge, 1 call/);
  assert.equal(looks, 4);
});

test('spans that have not arrived when nothing more arrives count as missing', async (t) => {
  const { request, client } = makeOwnCall(Date.now() - 100);
  const store = await startTraceStore(t);
  store.add(request, client);
  const args = ['--source', store.source, ...expected, '--settle', '200ms'];
  const { code, stdout } = await executeCli('trace', id, ...args);
  assert.equal(code, 1);
  assert.match(stdout, /\(missing-server\)/);
});

test('the other side of a broken call is found in another trace by its host name', async (t) => {
  const { request, client, server } = makeOwnCall(longAgo());
  const { parentSpanId: _, ...root } = server;
  const store = await startTraceStore(t);
  store.add(request, client, { ...root, traceId: otherId });
  // A request at the same time that does not fit, by path and by time.
  store.add({
    ...root,
    traceId: 'c'.repeat(32),
    name: 'GET /other',
    attributes: { 'url.path': '/other', 'http.request.method': 'GET' },
  });
  store.add({ ...root, traceId: 'd'.repeat(32), start: client.end + 500, end: client.end + 600 });
  const { code, stdout } = await executeCli('trace', id, '--source', store.source, '--json');
  assert.equal(code, 1);
  const { traces, findings } = JSON.parse(stdout);
  assert.equal(traces, 2);
  assert.deepEqual(
    [findings[0].id, findings[0].client, findings[0].server],
    ['split-trace', 'web', 'orders'],
  );
  assert.match(findings[0].evidence[0].says, new RegExp(otherId));
});

test('the other side of a call by IP address is searched for, however slow the search for one by name', async (t) => {
  const { request, client, server } = makeOwnCall(Date.now() - 100);
  const { parentSpanId: _, ...root } = server;
  const byAddress = { ...client.attributes, 'url.full': 'http://127.0.0.1:8082/work' };
  const toElsewhere = { ...client.attributes, 'url.full': 'http://elsewhere/search' };
  const settleMs = 200;
  const store = await startTraceStore(t, async ({ searchParams }) => {
    // Longer than a trace takes to settle.
    if (searchParams.get('query.service_name') === 'elsewhere') {
      await pauseFor(settleMs * 1.5, new AbortController().signal);
    }
  });
  store.add(
    request,
    { ...client, attributes: byAddress },
    { ...client, spanId: '4'.repeat(16), attributes: toElsewhere },
    { ...root, traceId: otherId },
  );
  const args = ['--source', store.source, '--settle', `${settleMs}ms`, '--json'];
  const { code, stdout } = await executeCli('trace', id, ...args);
  const { findings } = JSON.parse(stdout);
  assert.equal(code, 1, stdout);
  assert.deepEqual(
    [findings[0].id, findings[0].client, findings[0].server],
    ['split-trace', 'web', 'orders'],
  );
});

test('the other side of a call by a host name like that of its service is found among many services', async (t) => {
  const { request, client, server } = makeOwnCall(longAgo());
  const { parentSpanId: _, ...root } = server;
  const byHost = { ...client.attributes, 'url.full': 'http://orders-blue:8082/work' };
  const store = await startTraceStore(t);
  for (let index = 0; index < 30; index += 1)
    store.add({
      ...root,
      traceId: makeId(16),
      service: `service-${index}`,
      name: 'GET /other',
      attributes: {},
    });
  store.add(request, { ...client, attributes: byHost }, { ...root, traceId: otherId });
  const { code, stdout } = await executeCli('trace', id, '--source', store.source, '--json');
  const { findings, notes } = JSON.parse(stdout);
  assert.equal(code, 1, stdout);
  assert.equal(findings[0].id, 'split-trace');
  assert.match(notes.join(), /has 32 services, and .* of them: orders, /);
});

/** Two traces of one request whose context was lost between web and orders; each has a whole call beside. */
function makeBroken(host: string) {
  const start = longAgo();
  const { request, client, server } = makeOwnCall(start);
  const { parentSpanId: _, ...root } = { ...server, traceId: otherId };
  const front = makeCall(start, id);
  const wholeBefore = [
    { ...front.client, service: 'front', end: start + 110, attributes: { 'url.full': 'http://web/' } },
    { ...request, parentSpanId: front.client.spanId, start: start + 5 },
  ];
  const wholeBehind = [
    {
      ...front.client,
      traceId: otherId,
      spanId: '1'.repeat(16),
      parentSpanId: root.spanId,
      service: 'orders',
    },
    {
      ...front.server,
      traceId: otherId,
      spanId: '2'.repeat(16),
      parentSpanId: '1'.repeat(16),
      service: 'pay',
    },
  ].map((span) => ({
    ...span,
    start: start + 30,
    end: start + 60,
    attributes: { 'url.full': 'http://pay/p' },
  }));
  const attributes = { ...client.attributes, 'url.full': `http://${host}/work` };
  return [...wholeBefore, { ...client, attributes }, root, ...wholeBehind];
}

for (const host of ['orders-svc', 'orders-svc.prod.svc.cluster.local:8082', 'api.shop.example']) {
  test(`both sides of a broken call to ${host} are found from either trace, beside whole calls`, async (t) => {
    const store = await startTraceStore(t);
    store.add(...makeBroken(host));
    for (const traceId of [id, otherId]) {
      const { code, stdout } = await executeCli('trace', traceId, '--source', store.source);
      assert.equal(code, 1, stdout);
      assert.match(stdout, /✗ web → orders +http +broken 1 of 1/);
    }
  });
}

test('the caller of a request that began a trace is found in a file', async (t) => {
  const folder = await makeFolder(t);
  const file = join(folder, 'spans.json');
  await writeFile(file, JSON.stringify({ resourceSpans: makeBroken('orders-svc').map(encodeSpan) }));
  const { code, stdout } = await executeCli('trace', otherId, '--source', `file=${file}`);
  assert.equal(code, 1, stdout);
});

test('traces of other callers are not read into the verdict on a trace', async (t) => {
  for (const other of [
    { attributes: { 'url.full': 'http://orders/other', 'http.request.method': 'GET' } },
    { start: longAgo() - 1_000, end: longAgo() - 900 },
    { service: 'orders' },
  ]) {
    const store = await startTraceStore(t);
    const [before, request, client, root, ...behind] = makeBroken('orders');
    if (before === undefined || request === undefined || client === undefined || root === undefined) return;
    store.add(before, request, { ...client, ...other }, root, ...behind);
    const { code, stdout } = await executeCli('trace', otherId, '--source', store.source);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^INTACT {2}1 edge, 1 call \(1 trace, 3 spans\)/);
  }
});

test('a search reads the newest traces of a service', async (t) => {
  const store = await startTraceStore(t);
  store.add(...Object.values(makeOwnCall(longAgo())));
  const args = ['--service', 'web', '--since', '30m', '--limit', '7', '--source', store.source];
  const { code, stdout } = await executeCli('trace', ...args);
  assert.equal(code, 0);
  assert.match(stdout, /✓ web → orders/);
  const [asked] = store.asked;
  assert.match(asked ?? '', /query\.service_name=web/);
  assert.match(asked ?? '', /query\.num_traces=7/);
  const nothing = await executeCli('trace', '--service', 'web', '--since', '1m', '--source', store.source);
  assert.equal(nothing.code, 2);
  assert.match(nothing.stdout, /^CANNOT TELL {2}jaeger=.*has no trace of service "web"/);
});

test('the message on a file without spans of the service names the services in it', async (t) => {
  const span = (traceId: string, service: string) => ({
    resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
    scopeSpans: [
      { spans: [{ traceId, spanId: 'a'.repeat(16), name: 'x', kind: 2, startTimeUnixNano: '1000000000' }] },
    ],
  });
  const folder = await makeFolder(t, {
    spans: JSON.stringify({ resourceSpans: [span(id, 'web'), span(otherId, 'orders')] }),
  });
  const search = async (service: string, ...args: readonly string[]) => {
    const source = `file=${join(folder, 'spans')}`;
    const { code, stdout } = await executeCli('trace', '--service', service, '--source', source, ...args);
    assert.equal(code, 2);
    return stdout.replace(/\s+/g, ' ');
  };
  assert.match(
    await search('wbe'),
    /has no span of service "wbe", only of orders, web; did you mean web instead of wbe\? $/,
  );
  assert.match(await search('nope'), /has no span of service "nope", only of orders, web $/);
  assert.match(
    await search('web', '--since', '1h'),
    /the traces of service "web" in .* are older than the time that was searched; search further back with --since $/,
  );
});

test('a search in a file finds traces of any age, unless --since limits it', async (t) => {
  const folder = await makeFolder(t, { spans: readCapture(healthyCapture) });
  const search = async (...args: readonly string[]) => {
    const source = `file=${join(folder, 'spans')}`;
    const { code, stdout } = await executeCli(
      'trace',
      '--service',
      'a',
      '--source',
      source,
      '--json',
      ...args,
    );
    return [code, JSON.parse(stdout).traces > 0];
  };
  assert.deepEqual(await search(), [0, true]);
  assert.deepEqual(await search('--since', '1m'), [2, false]);
});

test('the message of a receiver without spans says where services have to export', async () => {
  const port = await findFreePort();
  const args = ['--service', 'web', '--source', `otlp=127.0.0.1:${port}`, '--wait', '1ms', '--settle', '1ms'];
  const { code, stdout } = await executeCli('trace', ...args, '--json');
  assert.equal(code, 2);
  assert.equal(
    JSON.parse(stdout).reason,
    `no span of service "web" arrived in otlp=127.0.0.1:${port}; check its spelling (service.name), give it time with --wait, and set in the service OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:${port}, which takes gRPC and HTTP`,
  );
});

test('the report notes a search that ended at its limit', async (t) => {
  const store = await startTraceStore(t);
  for (const trace of ['a', 'b', 'c']) {
    const spans = Object.values(makeOwnCall(longAgo()));
    store.add(...spans.map((span) => ({ ...span, traceId: trace.repeat(32) })));
  }
  const search = async (limit: number, ...more: readonly string[]) => {
    const args = ['--service', 'web', '--limit', String(limit), '--source', store.source];
    return executeCli('trace', ...args, ...more);
  };
  const cut = await search(3);
  assert.equal(cut.code, 0);
  assert.match(
    cut.stdout.replace(/\s+/g, ' '),
    /^INTACT 1 edge, 3 calls \(3 traces, 9 spans\); the search ended at its limit of 3 traces, so that older ones may be left out \(--limit\) ✓/,
  );
  assert.deepEqual(JSON.parse((await search(3, '--json')).stdout).search, {
    service: 'web',
    limit: 3,
    limitReached: true,
  });
  const whole = await search(4);
  assert.match(whole.stdout, /^INTACT {2}1 edge, 3 calls \(3 traces, 9 spans\)\n/);
  assert.equal(JSON.parse((await search(4, '--json')).stdout).search.limitReached, false);
  const broken = await search(3, '--expect', 'web -> orders -> nowhere');
  assert.match(broken.stdout.replace(/\s+/g, ' '), /^BROKEN .* the search ended at its limit of 3 traces/);
});

test('a trace of a single service cannot be judged', async (t) => {
  const store = await startTraceStore(t);
  store.add(makeOwnCall(longAgo()).request);
  const { code, stdout } = await executeCli('trace', id, '--source', store.source);
  assert.equal(code, 2);
  assert.match(
    stdout.replace(/\s+/g, ' '),
    /^CANNOT TELL no call between two services was seen, only spans of web \(1 trace, 1 span\);/,
  );
});

test('a trace that never arrives gives no verdict, alone or among others', async (t) => {
  const store = await startTraceStore(t);
  const nothing = await executeCli('trace', id, '--source', store.source, '--wait', '100ms');
  assert.equal(nothing.code, 2);
  assert.match(nothing.stdout, /^CANNOT TELL {2}.*has no span of trace a{32}/);
  store.add(...Object.values(makeOwnCall(longAgo())));
  const partly = await executeCli('trace', id, otherId, '--source', store.source, '--wait', '100ms');
  assert.equal(partly.code, 2);
  assert.match(
    partly.stdout,
    /^CANNOT TELL {2}jaeger=\S+ has no span of b{32};\s+the\s+other\s+traces\s+are\s+intact\n/,
  );
  assert.match(partly.stdout, /✓ web → orders/);
  const named = [id, otherId, '--source', store.source, '--wait', '100ms', '--expect', 'web -> orders -> b'];
  const broken = await executeCli('trace', ...named);
  assert.equal(broken.code, 1, 'what is broken is broken without the others');
  assert.match(broken.stdout, /note {2}jaeger=\S+ has no span of b{32}\n/);
  const folder = await makeFolder(t, {});
  const baseline = ['--baseline', join(folder, 'known.yaml'), '--update-baseline'];
  const refused = await executeCli('trace', ...named, ...baseline);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /--update-baseline: traces are missing or requests failed, /);
  assert.deepEqual(await readdir(folder), []);
});

test('headers are sent to the source', async (t) => {
  const seen = Promise.withResolvers<string | undefined>();
  const store = await startTraceStore(t);
  const url = await startHttpServer(t, (request, response) => {
    seen.resolve(request.headers.authorization);
    response.writeHead(307, { location: store.url.href }).end();
  });
  await executeCli('trace', id, '--source', `jaeger=${url.origin}`, '--header', 'Authorization: Bearer x');
  assert.equal(await seen.promise, 'Bearer x');
});

test('Ctrl-C ends the waiting cleanly', async (t) => {
  const asked = Promise.withResolvers<void>();
  const store = await startTraceStore(t, () => asked.resolve());
  const child = spawnCli(t, ['trace', id, '--source', store.source, '--wait', '1h']);
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  await asked.promise;
  child.kill('SIGINT');
  assert.deepEqual(await once(child, 'close'), [130, null]);
  assert.deepEqual([await stdout, await stderr], ['', 'propagation-check: interrupted, no verdict\n']);
});

test('Ctrl-C ends a request that is not answered', async (t) => {
  const asked = Promise.withResolvers<void>();
  const url = await startHttpServer(t, () => asked.resolve());
  const child = spawnCli(t, ['trace', id, '--source', `jaeger=${url.origin}`]);
  const stderr = text(child.stderr);
  await asked.promise;
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'close'), [143, null]);
  assert.equal(await stderr, 'propagation-check: interrupted, no verdict\n');
});

test('a search in a receiver that has just opened waits for spans', async () => {
  const start = Date.now();
  const { request, client, server } = makeOwnCall(start);
  const port = await findFreePort();
  const source = `otlp=127.0.0.1:${port}`;
  const args = ['--service', 'web', '--source', source, '--wait', '60s', '--settle', '10ms'];
  const found = executeCli('trace', ...args);
  for (;;) {
    try {
      await exportSpans(port, request, client, server);
      break;
    } catch {
      // The receiver is not listening yet.
      await pauseFor(10, new AbortController().signal);
    }
  }
  const { code, stdout } = await found;
  assert.equal(code, 0, stdout);
  assert.match(stdout, /✓ web → orders/);
});
