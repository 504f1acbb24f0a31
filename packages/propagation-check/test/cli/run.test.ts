import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { pauseFor } from '../../src/collect/pause-for.ts';
import { findFreePort } from '../free-ports.ts';
import { startHttpServer } from '../source/http-server.ts';
import { executeCli, makeFolder, spawnCli } from './run-cli.ts';
import {
  exportSpans,
  makeCall,
  makeId,
  type StoredSpan,
  startTraceStore,
  type TraceStore,
} from './trace-store.ts';

const now = () => performance.timeOrigin + performance.now();

/** Waits by the clock, because the span of the caller must enclose those of the request and the answer comes after their ends. */
async function waitUntil(end: number): Promise<void> {
  while (now() < end) await pauseFor(Math.ceil(end - now()), new AbortController().signal);
}

interface Traceparent {
  readonly traceId: string;
  readonly spanId: string;
}

function readTraceparent({ traceparent = '' }: IncomingHttpHeaders): Traceparent {
  const [, traceId = '', spanId = '', flags] = String(traceparent).split('-');
  assert.equal(flags, '01');
  return { traceId, spanId };
}

interface ServiceOptions {
  /** The `traceparent` that the service continues; null begins a new trace. */
  readonly extract?: (request: IncomingMessage) => Traceparent | null;
  readonly record: (span: StoredSpan) => void;
  readonly status?: number;
}

/** A service that records a SERVER span for each request. */
function startService(test: TestContext, { extract, record, status = 200 }: ServiceOptions): Promise<URL> {
  return startHttpServer(test, (request, response) => {
    const start = performance.timeOrigin + performance.now();
    const parent = extract === undefined ? readTraceparent(request.headers) : extract(request);
    request.resume().once('end', () => {
      record({
        traceId: parent?.traceId ?? makeId(16),
        spanId: makeId(8),
        ...(parent === null ? {} : { parentSpanId: parent.spanId }),
        service: 'web',
        kind: 'SERVER',
        name: 'GET /',
        start,
        end: performance.timeOrigin + performance.now(),
        attributes: { 'http.request.method': request.method ?? '', 'url.path': request.url ?? '' },
      });
      response.writeHead(status).end('done');
    });
  });
}

test('each request is the sampled root of a new trace, and only these traces are checked', async (t) => {
  const store = await startTraceStore(t);
  const url = await startService(t, { record: store.add });
  store.add(makeCall(Date.now()).request);
  const args = ['--requests', '5', '--concurrency', '2', '--source', store.source, '--json'];
  const { code, stdout } = await executeCli('run', `${url.href}a?b`, ...args);
  const { verdict, traces, edges, notes } = JSON.parse(stdout);
  assert.deepEqual([code, verdict, traces], [0, 'intact', 5]);
  assert.equal(notes.length, 1);
  const misspelt = await executeCli('run', url.href, '--source', store.source, '--service', 'wbe');
  assert.match(
    misspelt.stdout.replace(/\s+/g, ' '),
    /note --service wbe: no span of it is here, only of web: did you mean web instead of wbe\?/,
  );
  assert.deepEqual(edges, [
    { client: 'propagation-check', server: 'web', protocol: 'http', calls: 5, broken: 0 },
  ]);
});

test('the request is as the options say', async (t) => {
  const seen: { method: string | undefined; headers: IncomingHttpHeaders; body: string }[] = [];
  const store = await startTraceStore(t);
  const url = await startHttpServer(t, async (request, response) => {
    seen.push({ method: request.method, headers: request.headers, body: await text(request) });
    response.end();
  });
  const run = (...args: readonly string[]) =>
    executeCli('run', url.href, '--source', store.source, '--wait', '50ms', ...args);
  await run('--baggage', 'tenant=a,b ü', '--baggage', 'x=1', '--request-header', 'X-Own: y', '--data', '{}');
  await run('--method', 'put', '--header', 'Authorization: hush');
  const [post, put] = seen;
  assert.equal(post?.method, 'POST');
  assert.equal(post.body, '{}');
  assert.equal(post.headers.baggage, 'tenant=a%2Cb%20%C3%BC,x=1');
  assert.equal(post.headers['x-own'], 'y');
  assert.match(String(post.headers.traceparent), /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  assert.equal(put?.method, 'PUT');
  assert.equal(put.headers.authorization, undefined);
  assert.equal(put.headers.baggage, undefined);
  assert.notEqual(put.headers.traceparent, post.headers.traceparent);
});

test('baggage is noted where no span shows whether it arrives', async (t) => {
  const store = await startTraceStore(t);
  const run = async (attributes: StoredSpan['attributes']) => {
    const record = (span: StoredSpan) =>
      store.add({ ...span, attributes: { ...span.attributes, ...attributes } });
    const url = await startService(t, { record });
    const args = ['--source', store.source, '--baggage', 'tenant=acme', '--json'];
    const { code, stdout } = await executeCli('run', url.href, ...args);
    assert.equal(code, 0, stdout);
    return JSON.parse(stdout).notes.join();
  };
  assert.match(await run({}), /not judged: nothing shows whether baggage tenant=acme arrives/);
  assert.doesNotMatch(await run({ 'baggage.tenant': 'acme' }), /baggage/);
});

test('waits for late spans', async (t) => {
  const late: StoredSpan[] = [];
  let looks = 0;
  const store = await startTraceStore(t, ({ pathname }, { add }) => {
    if (late[0] !== undefined && pathname.endsWith(late[0].traceId)) looks += 1;
    if (looks === 3) add(...late.splice(0));
  });
  const url = await startService(t, { record: (span) => late.push(span) });
  const { code, stdout } = await executeCli('run', url.href, '--source', store.source);
  assert.equal(code, 0);
  assert.match(stdout, /^INTACT {2}1 edge, 1 call/);
});

test('a system that begins its own traces is searched by its first service', async (t) => {
  const store = await startTraceStore(t);
  const url = await startService(t, { extract: () => null, record: store.add });
  const args = [
    'run',
    url.href,
    '--requests',
    '2',
    '--source',
    store.source,
    '--settle',
    '100ms',
    '--wait',
    '2s',
  ];
  const named = await executeCli(...args, '--service', 'web');
  assert.equal(named.code, 2, 'a single service that continued nobody is nothing to judge');
  assert.match(named.stdout, /\(2 traces, 2 spans\)/);
  assert.match(
    named.stdout.replace(/\s+/g, ' '),
    /begins traces of its own; the 2 that began during the requests are checked instead/,
  );
  const expected = await executeCli(...args, '--expect', 'web -> orders');
  assert.equal(expected.code, 1, 'the service at the head of an expected path is searched for as well');
  const unnamed = await executeCli(...args);
  assert.equal(unnamed.code, 2, 'the few services that the source knows are asked for without a name, too');
  assert.match(unnamed.stdout, /\(2 traces, 2 spans\)/);
  addOthers(store);
  const among = await executeCli(...args);
  assert.equal(among.code, 2);
  assert.match(
    among.stdout.replace(/\s+/g, ' '),
    /\(2 traces, 2 spans\).* has 21 services, and .* searched for in 20 of them: web, /,
  );
});

test('a system that begins its own traces is not found behind too many services', async (t) => {
  const store = await startTraceStore(t);
  addOthers(store);
  const url = await startService(t, { extract: () => null, record: store.add });
  const { code, stdout } = await executeCli('run', url.href, '--source', store.source, '--wait', '100ms');
  assert.equal(code, 2);
  assert.match(
    stdout.replace(/\s+/g, ' '),
    /^CANNOT TELL 1 request was answered .* name the service there with --service NAME/,
  );
});

/** Spans of 20 services that take no part. */
function addOthers(store: TraceStore): void {
  for (let service = 0; service < 20; service += 1) {
    const start = Date.now();
    const ids = { traceId: makeId(16), spanId: makeId(8) };
    store.add({ ...ids, service: `other-${service}`, kind: 'INTERNAL', name: 'x', start, end: start });
  }
}

test('a service that begins a trace and links to the request has no unknown caller', async (t) => {
  const store = await startTraceStore(t);
  const sent: Traceparent[] = [];
  const url = await startService(t, {
    extract: ({ headers }) => {
      sent.push(readTraceparent(headers));
      return null;
    },
    record: (span) => store.add({ ...span, links: sent.slice(-1) }),
  });
  const args = ['--source', store.source, '--service', 'web', '--settle', '100ms', '--wait', '2s'];
  const { code, stdout } = await executeCli('run', url.href, ...args, '--json');
  const { edges, findings } = JSON.parse(stdout);
  assert.deepEqual(findings, [], 'the caller is this tool');
  assert.deepEqual(
    edges.map(({ client, server, calls }: Record<string, unknown>) => [client, server, calls]),
    [['propagation-check', 'web', 1]],
  );
  assert.equal(code, 0);
});

/** Answers with a SERVER span of front and a call to back inside it, which has lost its context or its header. */
function startCaller(
  test: TestContext,
  record: (span: StoredSpan) => void,
  loss: 'context' | 'header' | 'both',
): Promise<URL> {
  return startHttpServer(test, async (incoming, response) => {
    const start = now();
    const context = loss === 'both' ? { traceId: makeId(16), spanId: '' } : readTraceparent(incoming.headers);
    const [called, answered, end] = [start + 5, start + 15, start + 20];
    await waitUntil(end);
    const server = { traceId: context.traceId, spanId: makeId(8) };
    const client = { traceId: loss === 'context' ? makeId(16) : context.traceId, spanId: makeId(8) };
    const method = { 'http.request.method': 'GET' };
    record({
      ...server,
      ...(context.spanId === '' ? {} : { parentSpanId: context.spanId }),
      service: 'front',
      kind: 'SERVER',
      name: 'GET /',
      start,
      end,
      attributes: { ...method, 'url.path': '/' },
    });
    record({
      ...client,
      ...(loss === 'context' ? {} : { parentSpanId: server.spanId }),
      service: 'front',
      kind: 'CLIENT',
      name: 'GET',
      start: called,
      end: answered,
      attributes: { ...method, 'url.full': 'http://127.0.0.1:8082/work', 'http.response.status_code': 200 },
    });
    record({
      traceId: loss === 'context' ? client.traceId : makeId(16),
      ...(loss === 'context' ? { parentSpanId: client.spanId } : {}),
      spanId: makeId(8),
      service: 'back',
      kind: 'SERVER',
      name: 'GET /work',
      start: called + 2,
      end: answered - 2,
      attributes: { ...method, 'url.path': '/work', 'http.response.status_code': 200 },
    });
    response.end('done');
  });
}

for (const [loss, id] of [
  ['context', 'context-lost-in-process'],
  ['header', 'split-trace'],
  ['both', 'split-trace'],
] as const) {
  test(`a call by address that lost its ${loss === 'both' ? 'header, below a service that begins its own traces' : loss} is found`, async (t) => {
    const store = await startTraceStore(t);
    const url = await startCaller(t, store.add, loss);
    // Another service calls back at the same time, and there are other requests.
    const start = Date.now();
    const job = { traceId: makeId(16), spanId: makeId(8), service: 'job', start, end: start + 60_000 };
    store.add({
      ...job,
      kind: 'CLIENT',
      name: 'GET',
      attributes: { 'url.full': 'http://127.0.0.1:8082/work' },
    });
    const args = ['--source', store.source, '--requests', '3', '--concurrency', '1', '--settle', '100ms'];
    const { code, stdout } = await executeCli('run', url.href, ...args, '--wait', '5s', '--json');
    const { findings } = JSON.parse(stdout);
    assert.equal(code, 1, stdout);
    assert.deepEqual(
      findings.map((finding: { id: string; client: string; server: string; count: number }) => [
        finding.id,
        finding.client,
        finding.server,
        finding.count,
      ]),
      [[id, 'front', 'back', 3]],
    );
  });
}

test('a call that a service also makes without an open request is a job', async (t) => {
  const store = await startTraceStore(t);
  /** A whole call from web to back, in a trace of its own. */
  const poll = (at: number) => {
    const client = { traceId: makeId(16), spanId: makeId(8) };
    store.add(
      { ...client, service: 'web', kind: 'CLIENT', name: 'GET', start: at, end: at + 10 },
      {
        traceId: client.traceId,
        spanId: makeId(8),
        parentSpanId: client.spanId,
        service: 'back',
        kind: 'SERVER',
        name: 'GET /poll',
        start: at + 2,
        end: at + 8,
      },
    );
  };
  const url = await startHttpServer(t, async (request, response) => {
    const { traceId, spanId } = readTraceparent(request.headers);
    const start = now();
    const end = start + 20;
    await waitUntil(end);
    poll(start + 5);
    const attributes = { 'http.request.method': 'GET', 'url.path': '/' };
    const server = { traceId, parentSpanId: spanId, spanId: makeId(8), start, end, attributes };
    store.add({ ...server, service: 'web', kind: 'SERVER', name: 'GET /' });
    response.end('done');
  });
  const run = async () => {
    const args = ['--requests', '5', '--concurrency', '1', '--source', store.source, '--json'];
    const { code, stdout } = await executeCli('run', url.href, ...args);
    const { findings } = JSON.parse(stdout);
    return [code, findings.map((finding: { id: string }) => finding.id)];
  };
  assert.deepEqual(await run(), [1, ['context-lost-in-process']], 'as if it were the requests that call');
  poll(now() + 1_000);
  assert.deepEqual(await run(), [0, []]);
});

test('the first requests are sent one after the other, and the others at the same time', async (t) => {
  const store = await startTraceStore(t);
  let [open, most]: [number, number[]] = [0, []];
  const url = await startHttpServer(t, async (_request, response) => {
    open += 1;
    most.push(open);
    await waitUntil(now() + 50);
    open -= 1;
    response.end();
  });
  for (const [requests, expected] of [
    ['1', [1]],
    ['2', [1, 1]],
    ['3', [1, 1, 2]],
    ['6', [1, 1, 1, 2, 3, 4]],
  ] as const) {
    most = [];
    await executeCli('run', url.href, '--requests', requests, '--source', store.source, '--wait', '50ms');
    assert.deepEqual(most, expected);
  }
  most = [];
  const args = ['--requests', '6', '--concurrency', '3', '--source', store.source, '--wait', '50ms'];
  await executeCli('run', url.href, ...args);
  assert.deepEqual([most.slice(0, 3), Math.max(...most)], [[1, 1, 1], 3]);
});

test('a context that a service loses is found although requests overlap', async (t) => {
  const store = await startTraceStore(t);
  let requests = 0;
  const url = await startHttpServer(t, async (request, response) => {
    const { traceId, spanId } = readTraceparent(request.headers);
    const start = now();
    requests += 1;
    const end = start + 100 + 15 * (requests % 4);
    const { client, server } = makeCall(start);
    const { parentSpanId: _, ...root } = client;
    await waitUntil(end);
    store.add({ ...root, end: end - 10 }, server, {
      ...{ traceId, parentSpanId: spanId, spanId: makeId(8), service: 'web', kind: 'SERVER', name: 'GET /' },
      ...{ start, end, attributes: { 'http.request.method': 'GET', 'url.path': '/' } },
    });
    response.end();
  });
  const run = async (count: string, ...expected: readonly string[]) => {
    const args = ['--requests', count, '--source', store.source, '--json', ...expected];
    const { code, stdout } = await executeCli('run', url.href, ...args);
    const { findings } = JSON.parse(stdout);
    return [code, findings.map((found: { id: string; count: number }) => [found.id, found.count])];
  };
  const lost = (count: number) => [['context-lost-in-process', count]];
  const expected = ['--expect', 'web -> orders'];
  assert.deepEqual(await run('3', ...expected), [1, lost(3)]);
  assert.deepEqual(await run('3'), [2, lost(3)], 'one request alone may be a coincidence');
  assert.deepEqual(await run('2'), [1, lost(2)]);
  assert.deepEqual(await run('6'), [1, lost(6)]);
});

test('calls that a service makes by itself during the requests do not belong to them', async (t) => {
  const store = await startTraceStore(t);
  const url = await startService(t, {
    record: (span) => {
      const poll = { traceId: makeId(16), service: 'web', start: span.start + 0.1, end: span.start + 0.2 };
      store.add(span, { ...poll, spanId: makeId(8), kind: 'CLIENT', name: 'poll' });
    },
  });
  const { code, stdout } = await executeCli('run', url.href, '--requests', '3', '--source', store.source);
  assert.equal(code, 0);
  assert.match(stdout, /\(3 traces, 6 spans\)/);
  assert.match(stdout.replace(/\s+/g, ' '), /note no call between services was seen, only spans of web/);
});

test('traces that never arrive do not count as intact', async (t) => {
  const store = await startTraceStore(t);
  let spans = 0;
  const record = (span: StoredSpan) => {
    spans += 1;
    if (spans !== 2) store.add(span);
  };
  const url = await startService(t, { record });
  const { code, stdout } = await executeCli(
    ...['run', url.href, '--requests', '3', '--source', store.source, '--wait', '200ms'],
  );
  assert.equal(code, 2);
  assert.match(
    stdout,
    /^CANNOT TELL {2}nothing arrived in jaeger=\S+ of 1 of the 3 traces; the others\s+are\s+intact\n/,
  );
});

test('explains why no spans arrived', async (t) => {
  const store = await startTraceStore(t);
  const url = await startService(t, { record: () => {} });
  const run = async (...args: readonly string[]) => {
    const { code, stdout } = await executeCli(
      ...['run', url.href, '--source', store.source, '--wait', '50ms', ...args],
    );
    assert.equal(code, 2);
    return stdout.replace(/\s+/g, ' ');
  };
  assert.match(
    await run('--service', 'web'),
    /nor any of web in the last hour: check that the service exports/,
  );
  store.add(makeCall(Date.now() - 60_000).request);
  assert.match(
    await run('--service', 'wbe'),
    /nor any of wbe in the last hour: did you mean web instead of wbe\? /,
  );
  assert.match(await run('--service', 'web'), /although it holds other traces of web of the last hour/);
});

test('failed requests without a span are reported once', async (t) => {
  const store = await startTraceStore(t);
  const url = await startHttpServer(t, (_, response) => response.writeHead(404).end());
  const run = async (requests: string) => {
    const { code, stdout } = await executeCli(
      ...['run', url.href, '--requests', requests, '--source', store.source, '--wait', '50ms'],
    );
    assert.equal(code, 2);
    return stdout.replace(/\s+/g, ' ');
  };
  assert.match(
    await run('1'),
    /^CANNOT TELL 1 of 1 request failed \(1 answered with 404\); no span of it arrived in jaeger=/,
  );
  assert.match(
    await run('2'),
    /^CANNOT TELL 2 of 2 requests failed \(2 answered with 404\); no span of the 2 requests arrived in jaeger=/,
  );
});

test('error answers and failed requests are noted', async (t) => {
  const store = await startTraceStore(t);
  const url = await startService(t, { record: store.add, status: 503 });
  const refused = await executeCli('run', url.href, '--requests', '2', '--source', store.source);
  assert.equal(refused.code, 2);
  assert.match(
    refused.stdout.replace(/\s+/g, ' '),
    /^CANNOT TELL 2 of 2 requests failed \(2 answered with 503\); .* --allow-failed-requests/,
  );
  const args = ['run', url.href, '--requests', '2', '--source', store.source, '--allow-failed-requests'];
  const allowed = await executeCli(...args);
  assert.equal(allowed.code, 0);
  assert.match(
    allowed.stdout.replace(/\s+/g, ' '),
    /^INTACT 1 edge, 2 calls \(2 traces, 4 spans\); 2 of 2 requests failed \(2 answered with 503\) /,
  );
  const { verdict, reason, requests: counts } = JSON.parse((await executeCli(...args, '--json')).stdout);
  assert.deepEqual(
    [verdict, reason, counts],
    ['intact', null, { sent: 2, failed: 2, failures: ['2 answered with 503'] }],
  );

  let requests = 0;
  const flaky = await startService(t, {
    record: store.add,
    extract: (request) => {
      requests += 1;
      if (requests === 2) request.socket.destroy();
      return readTraceparent(request.headers);
    },
  });
  const inTurn = ['--requests', '3', '--concurrency', '1', '--source', store.source, '--settle', '100ms'];
  const partly = await executeCli('run', flaky.href, ...inTurn);
  assert.equal(partly.code, 2);
  assert.match(
    partly.stdout.replace(/\s+/g, ' '),
    /^CANNOT TELL 1 of 3 requests failed \(1 without an answer: the connection was closed without an answer/,
  );
});

test('a service that does not answer in time', async (t) => {
  const store = await startTraceStore(t);
  const url = await startHttpServer(t, () => {});
  const { code, stderr } = await executeCli('run', url.href, '--source', store.source, '--timeout', '1s');
  assert.equal(code, 2);
  assert.match(stderr, /: no answer within 1000 ms \(--timeout\)\n$/);
});

test('a receiver accepts the spans of services', async (t) => {
  const port = await findFreePort();
  const url = await startService(t, { record: (span) => void exportSpans(port, span) });
  const args = ['--source', `otlp=127.0.0.1:${port}`, '--settle', '100ms'];
  const { code, stdout } = await executeCli('run', url.href, ...args);
  assert.equal(code, 0, stdout);
  assert.match(stdout, /✓ propagation-check → web/);
});

/** A service whose HTTP client makes no span and sends no header, so that the called service begins a new trace. */
function startUninstrumentedCaller(test: TestContext, record: (span: StoredSpan) => void): Promise<URL> {
  return startHttpServer(test, async (request, response) => {
    const { traceId, spanId } = readTraceparent(request.headers);
    const start = now();
    const end = start + 20;
    await waitUntil(end);
    const attributes = { 'http.request.method': 'GET' };
    const web = { traceId, parentSpanId: spanId, spanId: makeId(8), service: 'web', kind: 'SERVER' } as const;
    record({ ...web, name: 'GET /', start, end, attributes: { ...attributes, 'url.path': '/' } });
    record({
      traceId: makeId(16),
      spanId: makeId(8),
      service: 'orders',
      kind: 'SERVER',
      name: 'GET /work',
      start: start + 5,
      end: start + 15,
      attributes: { ...attributes, 'url.path': '/work' },
    });
    response.end('done');
  });
}

test('calls of a caller without an instrumented client are judged with the others', async (t) => {
  const run = async (...more: readonly string[]) => {
    const port = await findFreePort();
    const sent: Promise<void>[] = [];
    const url = await startUninstrumentedCaller(t, (span) => void sent.push(exportSpans(port, span)));
    const args = ['--source', `otlp=127.0.0.1:${port}`, '--requests', '3', '--concurrency', '1'];
    const { code, stdout } = await executeCli('run', url.href, ...args, '--settle', '200ms', ...more);
    await Promise.all(sent);
    return { code, stdout };
  };
  const expected = await run('--expect', 'web -> orders', '--json');
  const { findings, notes, spans } = JSON.parse(expected.stdout);
  assert.equal(expected.code, 1, expected.stdout);
  assert.deepEqual(
    findings.map(({ id, count }: { id: string; count: number }) => [id, count]),
    [['client-not-instrumented', 3]],
  );
  assert.equal(spans, 9);
  assert.doesNotMatch(notes.join(), /no span of orders/);
  const alone = await run();
  assert.equal(alone.code, 2, alone.stdout);
  assert.match(
    alone.stdout.replace(/\s+/g, ' '),
    /^CANNOT TELL web -> orders: 3 traces began at orders during the requests, and nothing says who called: .*--expect "web -> orders"/,
  );
  const file = join(await makeFolder(t), 'spans.jsonl');
  const saved = await run('--save', file);
  const read = await executeCli('file', file);
  assert.equal(read.code, 2, read.stdout);
  assert.equal(read.stdout, saved.stdout);
  for (const command of [['audit'], ['watch', '--once']]) {
    const again = await executeCli(...command, file);
    assert.equal(again.code, 2, again.stdout);
    assert.match(
      (again.stdout + again.stderr).replace(/\s+/g, ' '),
      /web -> orders: 3 traces began at orders during/,
    );
  }
  const aside = await run('--expect', 'propagation-check -> web');
  assert.equal(aside.code, 0, aside.stdout);
  assert.match(
    aside.stdout.replace(/\s+/g, ' '),
    /note not judged: orders \(3 requests\): they began traces, and nothing here shows who made them/,
  );
});

test('other traces that reach the receiver are judged once they are complete', async (t) => {
  const port = await findFreePort();
  const url = await startHttpServer(t, async (request, response) => {
    const { traceId, spanId } = readTraceparent(request.headers);
    const start = now();
    const own = { traceId, parentSpanId: spanId, spanId: makeId(8), start, end: start + 1 };
    const job = {
      traceId: makeId(16),
      spanId: makeId(8),
      service: 'job',
      start: start - 5_000,
      end: start - 4_000,
    };
    await exportSpans(
      port,
      { ...own, service: 'web', kind: 'SERVER', name: 'GET /' },
      { ...job, kind: 'CLIENT', name: 'GET', attributes: { 'url.full': 'http://bill/' } },
    );
    response.end();
    // After the trace of the request is whole, and before it has settled.
    await waitUntil(now() + 300);
    const called = { traceId: job.traceId, parentSpanId: job.spanId, spanId: makeId(8), service: 'bill' };
    const time = { start: job.start + 10, end: job.end - 10 };
    await exportSpans(port, { ...called, ...time, kind: 'SERVER', name: 'GET /' });
  });
  const args = ['--source', `otlp=127.0.0.1:${port}`, '--settle', '900ms', '--json'];
  const { code, stdout } = await executeCli('run', url.href, ...args);
  const { edges, findings } = JSON.parse(stdout);
  assert.equal(code, 0, stdout);
  assert.deepEqual(findings, []);
  assert.deepEqual(
    edges.map(({ client, server, calls }: { client: string; server: string; calls: number }) => [
      client,
      server,
      calls,
    ]),
    [
      ['job', 'bill', 1],
      ['propagation-check', 'web', 1],
    ],
  );
});

test('an edge past a service without spans is not blamed', async (t) => {
  const store = await startTraceStore(t);
  let requests = 0;
  // Forwards every other request with its header, and calls orders by the same path without one.
  const url = await startHttpServer(t, async (request, response) => {
    requests += 1;
    const { traceId, spanId } = readTraceparent(request.headers);
    const start = now() + 5;
    const end = start + 10;
    await waitUntil(end);
    const isHandedOn = requests % 2 === 1;
    store.add({
      traceId: isHandedOn ? traceId : makeId(16),
      ...(isHandedOn ? { parentSpanId: spanId } : {}),
      spanId: makeId(8),
      service: isHandedOn ? 'web' : 'orders',
      kind: 'SERVER',
      name: 'GET /',
      start,
      end,
      attributes: { 'http.request.method': 'GET', 'url.path': '/' },
    });
    response.end();
  });
  const args = ['--requests', '4', '--concurrency', '1', '--source', store.source, '--settle', '100ms'];
  const { code, stdout } = await executeCli('run', url.href, ...args, '--wait', '500ms', '--json');
  const { verdict, findings } = JSON.parse(stdout);
  assert.deepEqual(findings, [], stdout);
  assert.deepEqual([code, verdict], [2, 'unknown']);
});

test('a receiver that has only other traces names their services', async (t) => {
  const port = await findFreePort();
  const url = await startHttpServer(t, async (_request, response) => {
    const start = Date.now() - 60_000;
    const end = start + 1;
    const span = { kind: 'SERVER', name: 'x', start, end } as const;
    const services = ['web', 'a', 'b', 'c', 'd', 'e', 'f'];
    await exportSpans(
      port,
      ...services.map((service) => ({ ...span, traceId: makeId(16), spanId: makeId(8), service })),
    );
    response.end();
  });
  const cases = [
    [[], / name the service that was called with --service NAME, and/],
    [['a'], / the process that took the requests probably has no OpenTelemetry SDK, or exports elsewhere/],
    [['webb'], / --service: did you mean web instead of webb\?$/],
    [['shop'], / no span of shop is here: check the name/],
  ] as const;
  for (const [services, advice] of cases) {
    const { code, stdout } = await executeCli(
      ...['run', url.href, '--source', `otlp=127.0.0.1:${port}`, '--wait', '50ms'],
      ...services.flatMap((service) => ['--service', service]),
    );
    assert.equal(code, 2);
    const told = stdout.trim().replace(/\s+/g, ' ');
    assert.match(
      told,
      /^CANNOT TELL 1 request was answered and no span of it arrived .* but spans of a, b, c, d, e and 2 more did, in traces that fit no request of ours/,
    );
    assert.match(told, advice);
  }
});

test('Ctrl-C ends a pending request', async (t) => {
  const store = await startTraceStore(t);
  const asked = Promise.withResolvers<void>();
  const url = await startHttpServer(t, () => asked.resolve());
  const child = spawnCli(t, ['run', url.href, '--source', store.source]);
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  await asked.promise;
  child.kill('SIGINT');
  assert.deepEqual(await once(child, 'close'), [130, null]);
  assert.deepEqual([await stdout, await stderr], ['', 'propagation-check: interrupted, no verdict\n']);
});
