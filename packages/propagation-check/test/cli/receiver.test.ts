import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { readSpanFile } from '../../src/source/file.ts';
import { startOtlpReceiver } from '../../src/source/otlp-receiver.ts';
import { findFreePort } from '../free-ports.ts';
import { startHttpServer } from '../source/http-server.ts';
import { entry, executeCli, makeFolder, spawnCli } from './run-cli.ts';
import { exportSpans } from './trace-store.ts';

const makeId = (bytes: number) => randomBytes(bytes).toString('hex');

/** A service `web` that calls `orders`, with or without a propagation header, and exports the spans of both. */
function startServices(t: TestContext, port: number, propagates: boolean): Promise<URL> {
  return startHttpServer(t, async (request, response) => {
    const { traceId, spanId } = readTraceparent(request);
    const start = performance.timeOrigin + performance.now() - 20;
    const [web, client] = [makeId(8), makeId(8)];
    const attributes = { 'http.request.method': 'GET' };
    await exportSpans(
      port,
      {
        ...{ traceId, spanId: web, parentSpanId: spanId, service: 'web', kind: 'SERVER', name: 'GET /' },
        ...{ start, end: start + 18, attributes },
      },
      {
        ...{ traceId, spanId: client, parentSpanId: web, service: 'web', kind: 'CLIENT', name: 'GET' },
        ...{
          start: start + 2,
          end: start + 12,
          attributes: { ...attributes, 'url.full': 'http://orders/work' },
        },
      },
      {
        ...(propagates ? { traceId, parentSpanId: client } : { traceId: makeId(16) }),
        ...{ spanId: makeId(8), service: 'orders', kind: 'SERVER', name: 'GET /work' },
        ...{ start: start + 4, end: start + 10, attributes: { ...attributes, 'url.path': '/work' } },
      },
    );
    response.end();
  });
}

function readTraceparent({ headers }: IncomingMessage) {
  const [, traceId = '', spanId = ''] = String(headers.traceparent).split('-');
  return { traceId, spanId };
}

for (const propagates of [true, false]) {
  test(`the spans of --save have the verdict of the run: ${propagates ? 'intact' : 'broken'}`, async (t) => {
    const port = await findFreePort();
    const url = await startServices(t, port, propagates);
    const path = join(await makeFolder(t), 'spans.jsonl.gz');
    const args = ['--source', `otlp=${port}`, '--save', path, '--requests', '3', '--settle', '100ms'];
    const run = await executeCli('run', url.href, ...args, '--expect', 'web -> orders', '--json');
    const file = await executeCli('file', path, '--expect', 'web -> orders', '--json');
    assert.equal(run.code, propagates ? 0 : 1, run.stdout + run.stderr);
    assert.equal(file.code, run.code);
    const [ofRun, ofFile] = [JSON.parse(run.stdout), JSON.parse(file.stdout)];
    for (const field of ['verdict', 'traces', 'spans', 'edges', 'findings']) {
      assert.deepEqual(ofFile[field], ofRun[field], field);
    }
    assert.equal(ofRun.edges.length, 2);
  });
}

test('--forward forwards the spans of services, and the requests of this tool', async (t) => {
  const collector = await startOtlpReceiver({ port: 0 });
  t.after(() => collector.close());
  const port = await findFreePort();
  const url = await startServices(t, port, true);
  const args = ['--source', `otlp=${port}`, '--forward', collector.url, '--expect', 'web -> orders'];
  const { code, stderr } = await executeCli('run', url.href, ...args);
  assert.deepEqual([code, stderr], [0, '']);
  const services = collector.readAll().map((span) => span.serviceName);
  assert.deepEqual(services.toSorted(), ['orders', 'propagation-check', 'web', 'web']);
});

test('a Collector that does not answer changes no verdict, and is noted', async (t) => {
  const [port, nowhere] = [await findFreePort(), await findFreePort()];
  const url = await startServices(t, port, true);
  const forward = `http://127.0.0.1:${nowhere}`;
  const args = ['--source', `otlp=${port}`, '--forward', forward, '--expect', 'web -> orders'];
  const { code, stderr } = await executeCli('run', url.href, ...args);
  assert.equal(code, 0);
  assert.match(
    stderr,
    /^propagation-check: --forward http:\S+: connection refused; .*\n.*2 of 2 exports were not/,
  );
});

const withoutTerminal =
  spawnSync('script', ['--version']).error === undefined ? false : 'there is no `script`';

test('when ending takes long after Ctrl-C, a terminal shows that a second one ends it', {
  skip: withoutTerminal,
}, async (t) => {
  const port = await findFreePort();
  const collector = await startHttpServer(t, () => undefined);
  const asked = Promise.withResolvers<void>();
  const url = await startHttpServer(t, async (request) => {
    const own = { ...readTraceparent(request), service: 'web', kind: 'SERVER', name: 'GET /' } as const;
    await exportSpans(port, { ...own, start: Date.now(), end: Date.now() + 1 });
    asked.resolve();
  });
  const args = ['run', url.href, '--source', `otlp=${port}`, '--forward', collector.href];
  const terminal = spawn('script', [
    '-qec',
    ['exec', process.execPath, entry, ...args].join(' '),
    '/dev/null',
  ]);
  t.after(() => terminal.kill('SIGKILL'));
  await asked.promise;
  terminal.stdin.write('\u0003');
  for await (const line of createInterface(terminal.stdout))
    if (line.includes('propagation-check: ending; a second signal (Ctrl-C) ends it at once')) break;
  const closed = once(terminal, 'close');
  terminal.stdin.write('\u0003');
  assert.deepEqual(await closed, [130, null]);
});

test('after Ctrl-C the saved file is complete', async (t) => {
  const path = join(await makeFolder(t), 'spans.jsonl.gz');
  const port = await findFreePort();
  const asked = Promise.withResolvers<void>();
  const url = await startHttpServer(t, async (request) => {
    const own = { ...readTraceparent(request), service: 'web', kind: 'SERVER', name: 'GET /' } as const;
    await exportSpans(port, { ...own, start: Date.now(), end: Date.now() + 1 });
    asked.resolve();
  });
  const child = spawnCli(t, ['run', url.href, '--source', `otlp=${port}`, '--save', path]);
  const stderr = text(child.stderr);
  await asked.promise;
  child.kill('SIGINT');
  assert.deepEqual(await once(child, 'close'), [130, null]);
  assert.equal(await stderr, 'propagation-check: interrupted, no verdict\n');
  assert.deepEqual(
    (await readSpanFile(path)).spans.map((span) => span.serviceName),
    ['web'],
  );
});

test('a file that cannot be written is an error before any request is sent, a full disk at the end', async (t) => {
  let requests = 0;
  const url = await startHttpServer(t, (_request, response) => {
    requests += 1;
    response.end();
  });
  const absent = join(await makeFolder(t), 'no', 'spans.jsonl');
  const { code, stderr } = await executeCli('run', url.href, '--source', 'otlp=0', '--save', absent);
  assert.equal(code, 2);
  assert.match(stderr, /^propagation-check: --save .*: there is no folder .*\n$/);
  assert.equal(requests, 0);
  const port = await findFreePort();
  const services = await startServices(t, port, true);
  const full = await executeCli('run', services.href, '--source', `otlp=${port}`, '--save', '/dev/full');
  assert.equal(full.code, 2);
  assert.match(
    full.stderr,
    /^propagation-check: --save \/dev\/full: the file is not complete: no space is left there/,
  );
});

test('--forward and --save need a receiver', async () => {
  for (const option of ['--save=x.jsonl', '--forward=http://127.0.0.1:4318']) {
    const source = 'jaeger=http://127.0.0.1:1';
    const { code, stderr } = await executeCli('run', 'http://127.0.0.1:1/', '--source', source, option);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^propagation-check: --(save|forward) takes what services send to this tool: --source otlp\n$/,
    );
  }
});

test('a port in use is exit code 2 with advice, and no file is touched', async (t) => {
  const other = await startOtlpReceiver({ port: 0 });
  t.after(() => other.close());
  const { port } = new URL(other.url);
  const folder = await makeFolder(t, { 'spans.jsonl': 'of another run' });
  const path = join(folder, 'spans.jsonl');
  const args = ['--source', `otlp=127.0.0.1:0,${port}`, '--save', path];
  const { code, stdout, stderr } = await executeCli('run', 'http://127.0.0.1:1/', ...args);
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(
    stderr,
    /^propagation-check: otlp=127\.0\.0\.1:\d+: the port is in use, perhaps by a Collector: /,
  );
  assert.equal(await readFile(path, 'utf8'), 'of another run');
  const own = await findFreePort();
  const forward = ['--source', `otlp=${own}`, '--forward', `http://localhost:${own}`, '--save', path];
  const circle = await executeCli('run', 'http://127.0.0.1:1/', ...forward);
  assert.equal(circle.code, 2);
  assert.match(circle.stderr, /this is this receiver itself/);
  assert.equal(await readFile(path, 'utf8'), 'of another run');
});

test('without spans the message says where to export to, and what was refused', async (t) => {
  const port = await findFreePort();
  const run = async (send: () => Promise<unknown>) => {
    const url = await startHttpServer(t, async (_request, response) => {
      await send();
      response.end();
    });
    const { code, stdout } = await executeCli('run', url.href, '--source', `otlp=${port}`, '--wait', '50ms');
    assert.equal(code, 2);
    return stdout.replace(/\s+/g, ' ');
  };
  const silent = await run(async () => {});
  assert.match(
    silent,
    new RegExp(
      `OTEL_EXPORTER_OTLP_ENDPOINT=http://127\\.0\\.0\\.1:${port}, which takes gRPC and HTTP(?!.*refused)`,
    ),
  );
  const free = await executeCli(
    ...['run', (await startHttpServer(t, (_, response) => response.end())).href],
    ...['--source', 'otlp=0', '--wait', '50ms'],
  );
  assert.match(
    free.stdout.replace(/\s+/g, ' '),
    /; choose a port that is the same next time \(--source otlp=4318\), and set in the services OTEL_EXPORTER_OTLP_ENDPOINT=http:\/\/127\.0\.0\.1:4318/,
  );
  const refused = await run(() => fetch(`http://127.0.0.1:${port}/v1/trace`, { method: 'POST', body: '{}' }));
  assert.match(refused, /a request was refused: not found; OTLP\/HTTP traces go to \/v1\/traces/);
  const tls = await run(async () => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    socket.resume().write(Buffer.from([0x16, 3, 1, 0, 5]));
    await once(socket, 'close');
  });
  assert.match(tls, /a service wants to speak TLS, .* OTEL_EXPORTER_OTLP_ENDPOINT begin with http:\/\//);
});

test('refused exports are noted beside a verdict too', async (t) => {
  const port = await findFreePort();
  const services = await startServices(t, port, true);
  const post = (path: string, body: string) => {
    const headers = { 'content-type': 'application/json' };
    return fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body });
  };
  const url = await startHttpServer(t, async (request, response) => {
    await post('/v1/traces', '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"x","spanId":"y"}]}]}]}');
    for (let count = 0; count < 3; count += 1) await post('/', '{}');
    await fetch(services, { headers: { traceparent: String(request.headers.traceparent) } });
    response.end();
  });
  const args = ['--source', `otlp=${port}`, '--expect', 'web -> orders', '--json'];
  const { code, stdout } = await executeCli('run', url.href, ...args);
  assert.equal(code, 0, stdout);
  const notes: readonly string[] = JSON.parse(stdout).notes;
  assert.match(
    notes[0] ?? '',
    /^an export had spans that are not valid and were left out, the first: .*traceId: "x"/,
  );
  assert.match(notes[1] ?? '', /^a request was refused: not found; .* \(3 times\)$/);
});
