import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { describeWaiting } from '../../src/cli/describe-waiting.ts';
import type { Waiting } from '../../src/collect/collect-traces.ts';
import { waitForTurn } from '../../src/collect/pace-looks.ts';
import { startOtlpReceiver } from '../../src/source/otlp-receiver.ts';
import { findFreePort } from '../free-ports.ts';
import { startHttpServer } from '../source/http-server.ts';
import { executeCli } from './run-cli.ts';
import { type Call, exportSpans, makeCall, makeId, type StoredSpan, startTraceStore } from './trace-store.ts';

/** With these options a run ends only when the verdict is certain. */
const forever = ['--settle', '1h', '--wait', '1h'];
const expected = ['--expect', 'web -> orders'];

interface Parent {
  readonly traceId: string;
  readonly spanId: string;
}

/** The SERVER span as the root of another trace: the call lost its context. */
function asRoot({ parentSpanId: _, ...server }: StoredSpan): StoredSpan {
  return { ...server, traceId: makeId(16), spanId: makeId(8) };
}

/** A service at `/` that calls `onRequest` with the context of each request before it answers. */
function startWeb(test: TestContext, onRequest: (parent: Parent, start: number) => void | Promise<void>) {
  return startHttpServer(test, async (request, response) => {
    const [, traceId = '', spanId = ''] = String(request.headers.traceparent).split('-');
    await onRequest({ traceId, spanId }, performance.timeOrigin + performance.now());
    response.end('done');
  });
}

test('a recent whole trace is judged at once, whatever its caller outside', async (t) => {
  const { request, client, server } = makeCall(Date.now() - 100);
  const store = await startTraceStore(t);
  const stranger = { traceId: makeId(16), spanId: makeId(8) };
  store.add({ ...request, links: [stranger] }, client, server);
  const { code, stdout } = await executeCli('trace', request.traceId, '--source', store.source, ...forever);
  assert.equal(code, 0, stdout);
  assert.equal(store.asked.filter((path) => path.startsWith('/api/v3/traces/')).length, 1);
});

for (const kind of ['jaeger', 'otlp'] as const) {
  test(`a trace that a service begins with a link to the request belongs to the request (${kind})`, async (t) => {
    const port = await findFreePort();
    const store = await startTraceStore(t);
    const url = await startWeb(t, async (parent, start) => {
      const { request, client, server } = makeCall(start - 100);
      const spans = [{ ...request, links: [parent] }, client, server];
      // A whole call of another caller, at the same time.
      spans.push(...Object.values(makeCall(start - 100)));
      store.add(...spans);
      if (kind === 'otlp') await exportSpans(port, ...spans);
    });
    const source = kind === 'otlp' ? `otlp=127.0.0.1:${port}` : store.source;
    const args = ['--requests', '2', '--concurrency', '1', '--source', source, ...expected, '--json'];
    const { code, stdout } = await executeCli('run', url.href, ...args, ...forever);
    assert.equal(code, 0, stdout);
    const { notes } = JSON.parse(stdout);
    assert.match(notes.join(), /the 2 that began during the requests are checked instead/);
  });
}

const proofs: Readonly<
  Record<string, (call: Call, root: StoredSpan) => Partial<Record<'client' | 'root', object>>>
> = {
  'the answer names the SERVER span': (_, root) => ({
    client: { 'http.response.header.traceresponse': `["00-${root.traceId}-${root.spanId}-01"]` },
  }),
  'the SERVER span records the header that it ignored': ({ client }) => ({
    root: { 'http.request.header.traceparent': `00-${client.traceId}-${client.spanId}-01` },
  }),
};

for (const [name, prove] of Object.entries(proofs)) {
  test(`a broken call is judged at once where ${name}`, async (t) => {
    const store = await startTraceStore(t);
    const call = makeCall(Date.now() - 100);
    const root = asRoot(call.server);
    const said = prove(call, root);
    store.add(
      call.request,
      { ...call.client, attributes: { ...call.client.attributes, ...said.client } },
      { ...root, attributes: { ...root.attributes, ...said.root } },
    );
    const { traceId } = call.request;
    const args = ['--source', store.source, ...expected, ...forever];
    const { code, stdout } = await executeCli('trace', traceId, ...args);
    assert.equal(code, 1, stdout);
    assert.match(stdout, /✗ web → orders/);
  });
}

test('a call of another caller at the same time is not taken for the other side of a call', async (t) => {
  const { request, client, server } = makeCall(Date.now() - 100);
  let looks = 0;
  const store = await startTraceStore(t, ({ pathname }, { add }) => {
    if (!pathname.endsWith(request.traceId)) return;
    looks += 1;
    if (looks === 4) add(server);
  });
  store.add(request, client, asRoot(server));
  const args = ['--source', store.source, ...expected, ...forever];
  const { code, stdout } = await executeCli('trace', request.traceId, ...args);
  assert.equal(code, 0, stdout);
  assert.equal(looks, 4);
});

test('a cached answer proves nothing about the call that it answers', async (t) => {
  const { request, client, server } = makeCall(Date.now() - 100);
  const earlier = { ...client, spanId: makeId(8), start: client.start, end: client.start + 20 };
  const root = { ...asRoot(server), start: earlier.start + 5, end: earlier.end - 5 };
  const later = { ...client, start: client.start + 30 };
  const called = { ...server, start: later.start + 5 };
  const answer = { 'http.response.header.traceresponse': `00-${root.traceId}-${root.spanId}-01` };
  let looks = 0;
  const store = await startTraceStore(t, ({ pathname }, { add }) => {
    if (!pathname.endsWith(request.traceId)) return;
    looks += 1;
    if (looks === 4) add(called);
  });
  store.add(
    request,
    root,
    ...[earlier, later].map((span) => ({ ...span, attributes: { ...span.attributes, ...answer } })),
  );
  const args = ['--source', store.source, ...expected, ...forever, '--json'];
  const { code, stdout } = await executeCli('trace', request.traceId, ...args);
  assert.equal(code, 1, stdout);
  assert.equal(looks, 4);
});

/** Runs against a store to which `first` is added at the fifth look, and `second` some looks later. */
async function runLate(
  t: TestContext,
  {
    second,
    looksLater,
    args,
  }: { second: 'server' | 'another call'; looksLater: number; args: readonly string[] },
) {
  const late: Record<'first' | 'second', StoredSpan[]> = { first: [], second: [] };
  let looks = 0;
  const store = await startTraceStore(t, ({ pathname }, { add }) => {
    const own = late.first[0]?.traceId ?? late.second[0]?.traceId;
    if (own === undefined || !pathname.endsWith(own)) return;
    looks += 1;
    if (looks === 5) add(...late.first.splice(0));
    if (looks === 5 + looksLater) add(...late.second.splice(0));
  });
  const url = await startWeb(t, (parent, start) => {
    const { request, client, server } = makeCall(start, parent.traceId, parent.spanId);
    const more = makeCall(start, parent.traceId, parent.spanId);
    late.first.push(request, client);
    if (second === 'server') late.second.push(server);
    else {
      late.first.push(server);
      late.second.push({ ...more.client, parentSpanId: request.spanId }, more.server);
    }
  });
  return executeCli('run', url.href, '--source', store.source, ...args, '--json');
}

test('without an expectation more spans may arrive, as late as the first spans did', async (t) => {
  const args = ['--settle', '10s'];
  const { code, stdout } = await runLate(t, { second: 'another call', looksLater: 1, args });
  const { edges } = JSON.parse(stdout);
  assert.equal(code, 0, stdout);
  assert.equal(edges.find(({ client }: { client: string }) => client === 'web').calls, 2);
});

test('services that export rarely get more time than --settle gives', async (t) => {
  const args = ['--settle', '1ms', ...expected];
  const { code, stdout } = await runLate(t, { second: 'server', looksLater: 1, args });
  assert.equal(code, 0, stdout);
});

test('the pauses between requests to a source grow', async (t) => {
  const store = await startTraceStore(t);
  await executeCli('trace', makeId(16), '--source', store.source, '--wait', '1s');
  // A look every 15 ms would make 66.
  assert.ok(store.asked.length < 40, String(store.asked.length));
});

test('requests to a source have pauses, also where other traces answer for only some of the requests', async (t) => {
  const store = await startTraceStore(t);
  let requests = 0;
  const url = await startWeb(t, (_parent, start) => {
    requests += 1;
    const { request } = makeCall(start);
    if (requests === 1) store.add({ ...request, end: start + 1 });
  });
  const args = ['--requests', '2', '--concurrency', '1', '--settle', '50ms', '--wait', '1s'];
  const { code } = await executeCli('run', url.href, '--source', store.source, ...args);
  assert.equal(code, 2);
  const reads = store.asked.filter((path) => path.startsWith('/api/v3/traces/'));

  assert.ok(reads.length < 90, String(reads.length));
});

test('spans that arrive at a receiver end the pause', async (t) => {
  const source = await startOtlpReceiver({ port: 0 });
  t.after(() => source.close());
  const { signal } = new AbortController();
  const turn = {
    source,
    revision: source.revision,
    elapsedMs: 0,
    lookMs: 0,
    looksMs: 0,
    dueMs: 3_600_000,
    signal,
  };
  const waiting = waitForTurn(turn);
  await exportSpans(Number(new URL(source.url).port), makeCall(Date.now()).request);
  await waiting;
  assert.equal(source.revision, 1);
  // Spans that arrive during a look are not waited for.
  await waitForTurn(turn);
});

test('looks at a receiver pause only where they take more than a third of the time', async (t) => {
  const source = await startOtlpReceiver({ port: 0 });
  t.after(() => source.close());
  const hour = 3_600_000;
  const turn = { source, revision: -1, lookMs: hour, looksMs: hour, dueMs: 9 * hour };
  await waitForTurn({ ...turn, elapsedMs: 3 * hour, signal: new AbortController().signal });
  const ended = new AbortController();
  const resting = waitForTurn({ ...turn, elapsedMs: 2 * hour, signal: ended.signal });
  ended.abort(new Error('ended'));
  await assert.rejects(resting, { message: 'ended' });
});

test('the message names what the check waits for', () => {
  const waiting = { open: 1, all: 3, leftMs: 26_500 };
  const say = (awaited: Waiting['awaited']) => describeWaiting('otlp', { ...waiting, awaited });
  assert.equal(
    say([{ kind: 'edge', client: 'web', server: 'orders' }, { kind: 'any-span' }]),
    'otlp: waiting for a call web -> orders and 1 more, 1 of 3 traces (at most 27 s; Ctrl-C ends it)',
  );
  assert.match(say([]), /^otlp: waiting for spans of services that no span names yet, 1 of 3 traces/);
});
