import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { entry, makeFolder, runCli } from '../cli/run-cli.ts';
import { spansPerCall, startTraffic, type Traffic } from './real-traffic.ts';
import { startSinkProcess } from './start-sink-process.ts';

const timeout = 120_000;
const withoutTerminal =
  spawnSync('script', ['--version']).error === undefined ? false : 'there is no `script`';
/** On a busy machine the exports of the two sides of a call may arrive seconds apart, and so may many large exports. */
const closing = ['--close-after', '10s'];
const received = 'propagation_sink_spans_received_total';
const intact = '{client="web",server="orders",verdict="intact",cause=""}';
const broken = '{client="web",server="orders",verdict="broken",cause="split-trace"}';

function openTraffic(t: TestContext, url: string): Traffic {
  const traffic = startTraffic(url);
  t.after(() => traffic.shutdown().catch(() => undefined));
  return traffic;
}

/** Requests the path unchanged: `fetch` would normalise it. */
async function askRaw(url: string, path: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const [response] = await once(request({ hostname, port, path }).end(), 'response');
  return `${response.statusCode} ${await text(response)}`;
}

async function call(traffic: Traffic, count: number, isBroken = false): Promise<void> {
  for (let made = 0; made < count; made += 1) traffic.call(isBroken);
  await traffic.flush();
}

describe('a running sink', { concurrency: true }, () => {
  test('judges exports of SDKs over gRPC and HTTP when their traces are quiet', {
    timeout,
  }, async (t) => {
    const sink = await startSinkProcess(t, [...closing]);
    const traffic = openTraffic(t, sink.url);
    await call(traffic, 40);
    await call(traffic, 30, true);
    await sink.waitFor('propagation_sink_spans_judged_total', 70 * spansPerCall);
    assert.deepEqual(await sink.listCalls(), [`${broken} 30`, `${intact} 40`]);
    assert.equal(await sink.read('propagation_sink_exports_refused_total'), 0);
    assert.equal(await sink.read('propagation_sink_traces_open'), 0);
    const metrics = await (await fetch(`${sink.metricsUrl}/metrics`)).text();
    assert.match(metrics, /verdict="intact",cause=""\} 40 # \{trace_id="[0-9a-f]{32}"\} 40 /);
    assert.match(metrics, /\n# EOF\n$/);
    const quality = await fetch(`${sink.metricsUrl}/api/quality-metrics?service=orders&hours=1`);
    assert.match(await quality.text(), /"scores":\[\{"key":"received",.*"max":100,"value":57\}\]/);
  });

  test('keeps every count through SIGTERM, and continues from it', { timeout }, async (t) => {
    const state = join(await makeFolder(t), 'state.json');
    const first = await startSinkProcess(t, ['--state', state]);
    const traffic = openTraffic(t, first.url);
    await call(traffic, 50);
    await call(traffic, 20, true);
    assert.equal(await first.stop('SIGTERM'), 0);
    const second = await startSinkProcess(t, ['--state', state]);
    assert.deepEqual(await second.listCalls(), [`${broken} 20`, `${intact} 50`]);
    assert.equal(await second.read(received), 70 * spansPerCall);
    assert.equal(await second.read('propagation_sink_spans_judged_total'), 70 * spansPerCall);
    assert.equal(await second.read('propagation_sink_spans_lost_total'), 0);
    await call(openTraffic(t, second.url), 5);
    assert.equal(await second.stop('SIGINT'), 0);
    const third = await startSinkProcess(t, ['--state', state]);
    assert.deepEqual(await third.listCalls(), [`${broken} 20`, `${intact} 55`]);
  });

  test('loses open traces when it is killed, and counts their spans', { timeout }, async (t) => {
    const state = join(await makeFolder(t), 'state.json');
    const first = await startSinkProcess(t, ['--state', state]);
    await call(openTraffic(t, first.url), 50);
    assert.equal(await first.stop('SIGTERM'), 0);
    const second = await startSinkProcess(t, ['--state', state, '--save-every', '50ms']);
    await call(openTraffic(t, second.url), 10);
    while (JSON.parse(await readFile(state, 'utf8')).totals.received !== 60 * spansPerCall)
      await delay(20, undefined, { signal: t.signal });
    await second.stop('SIGKILL');
    const third = await startSinkProcess(t, ['--state', state]);
    assert.deepEqual(await third.listCalls(), [`${intact} 50`]);
    assert.equal(await third.read('propagation_sink_spans_lost_total'), 10 * spansPerCall);
    assert.equal(await third.stop('SIGTERM'), 0);
    // The loss stays in the counters.
    const fourth = await startSinkProcess(t, ['--state', state]);
    assert.equal(await fourth.read('propagation_sink_spans_lost_total'), 10 * spansPerCall);
  });

  test('continues from the scraped counts when it is killed', { timeout }, async (t) => {
    const state = join(await makeFolder(t), 'state.json');
    const first = await startSinkProcess(t, ['--state', state, '--save-every', '1h', ...closing]);
    await call(openTraffic(t, first.url), 10);
    await first.waitFor('propagation_edge_calls_total', 10);
    await first.stop('SIGKILL');
    const second = await startSinkProcess(t, ['--state', state]);
    assert.deepEqual(await second.listCalls(), [`${intact} 10`]);
  });

  test('shows no counts that it cannot save, and ends with exit code 2 when the last ones are lost', {
    timeout,
  }, async (t) => {
    const folder = await makeFolder(t);
    const [here, away] = [join(folder, 'state'), join(folder, 'away')];
    await mkdir(here);
    const sink = await startSinkProcess(t, ['--state', join(here, 'state.json'), '--close-after', '1s']);
    const traffic = openTraffic(t, sink.url);
    await call(traffic, 10);
    await sink.waitFor('propagation_edge_calls_total', 10);
    await rename(here, away);
    await call(traffic, 5);
    await sink.waitFor('propagation_sink_spans_open', 0);
    assert.deepEqual(await sink.listCalls(), [`${intact} 10`]);
    assert.ok((await sink.read('propagation_sink_snapshot_failures_total')) > 0);
    assert.match(sink.said.join('\n'), /--state .*the counters cannot be saved: .*no folder/);
    await rename(away, here);
    await sink.waitFor('propagation_edge_calls_total', 15);
    await rename(here, away);
    assert.equal(await sink.stop('SIGTERM'), 2);
    assert.match(sink.said.at(-1) ?? '', /--state .*the counters cannot be saved/);
  });

  test('explains a second signal once at a terminal, while ending takes long', {
    timeout,
    skip: withoutTerminal,
  }, async (t) => {
    const command = `exec ${process.execPath} ${entry} sink --listen 0 --metrics 0`;
    const terminal = spawn('script', ['-qec', command, '/dev/null']);
    t.after(() => terminal.kill('SIGKILL'));
    let shown = '';
    terminal.stdout.on('data', (data) => {
      shown += String(data);
    });
    const shows = async (words: RegExp) => {
      while (!words.test(shown)) await once(terminal.stdout, 'data');
      return words.exec(shown)?.[1] ?? '';
    };
    const url = await shows(/listening on (\S+);/);
    const headers = { 'content-type': 'application/json', expect: '100-continue' };
    const held = request(`${url}/v1/traces`, { method: 'POST', headers });
    held.on('error', () => undefined);
    await once(held, 'continue');
    // The sink waits for the rest of an export that never comes.
    terminal.stdin.write('\u0003');
    assert.deepEqual(await once(terminal, 'close'), [0, null]);
    assert.equal(shown.match(/second signal/g)?.length, 1, shown);
  });

  test('locks its file: a second sink is refused until the first has ended in any way', {
    timeout,
  }, async (t) => {
    const state = join(await makeFolder(t), 'state.json');
    const first = await startSinkProcess(t, ['--state', state]);
    const { code, stderr } = await runCli(t, ['sink', '--listen', '0', '--metrics', '0', '--state', state]);
    assert.equal(code, 2);
    assert.match(stderr, /^propagation-check: --state .*in use by another sink.*\n$/);
    await first.stop('SIGKILL');
    const second = await startSinkProcess(t, ['--state', state]);
    assert.equal(await second.stop('SIGTERM'), 0);
  });

  test('answers on its metrics port, and names the address for exports', { timeout }, async (t) => {
    const sink = await startSinkProcess(t);
    const ask = async (path: string, method = 'GET') => {
      const response = await fetch(`${sink.metricsUrl}${path}`, { method });
      return `${response.status} ${(await response.text()).trim()}`;
    };
    assert.equal(await ask('/healthz'), '200 ok');
    assert.equal(await ask('/readyz'), '200 ok');
    assert.match(await ask('/v1/traces'), /^404 .*exports go to the ports of --listen/);
    assert.match(await ask('/v1/traces', 'POST'), /^405 /);
    assert.match(await ask('/api/quality-metrics'), /^400 .*name a service/);
    assert.match(await ask('/api/quality-metrics?finding=header-stripped'), /^200 # header-stripped/);
    assert.match(await ask('/api/quality-metrics?finding=README'), /^200 # /);
    assert.match(await ask('/api/quality-metrics?finding=../README'), /^404 no such finding/);
    // `new URL` reads the text after two slashes as a host.
    for (const path of ['/', '//', '//metrics', '/metrics/', '/%', '/metrics%00', '/../healthz/x'])
      assert.match(await askRaw(sink.metricsUrl, path), /^404 not found; \/metrics/, path);
    for (const path of ['http://[', '*', 'metrics'])
      assert.match(await askRaw(sink.metricsUrl, path), /^40[04] /, path);
    assert.match(await askRaw(sink.metricsUrl, 'http://elsewhere/healthz'), /^200 ok/);
    const wrong = await fetch(`${sink.url}/metrics`);
    assert.equal(wrong.status, 404);
  });

  test('refuses with 503 and Retry-After when its memory is full, and counts all accepted exports', {
    timeout,
  }, async (t) => {
    const sink = await startSinkProcess(t, ['--memory', '16MiB', ...closing]);
    const answers = new Map<number, number>();
    let retryAfter: string | null = null;
    for (let number = 0; answers.get(503) === undefined; number += 1) {
      const response = await fetch(`${sink.url}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: makeExport(number),
      });
      await response.arrayBuffer();
      answers.set(response.status, (answers.get(response.status) ?? 0) + 1);
      if (response.status === 503) retryAfter = response.headers.get('retry-after');
    }
    assert.deepEqual([...answers.keys()], [200, 503]);
    assert.match(String(retryAfter), /^[1-9]\d*$/);
    assert.equal(await sink.read(received), (answers.get(200) ?? 0) * spansPerExport);
    // The accepted traces are judged when they are quiet; then memory is free again.
    while ((await fetch(`${sink.metricsUrl}/readyz`)).status !== 200)
      await delay(100, undefined, { signal: t.signal });
    const again = await fetch(`${sink.url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: makeExport(-1),
    });
    assert.equal(again.status, 200);
  });
});

const spansPerExport = 2_000;

/** SERVER spans, each in its own trace. */
function makeExport(number: number): string {
  const spans = Array.from({ length: spansPerExport }, (_, index) => {
    const id = (number * spansPerExport + index + 2 ** 40).toString(16).padStart(16, '0');
    const now = BigInt(Date.now()) * 1_000_000n;
    return {
      ...{ traceId: `${'a'.repeat(16)}${id}`, spanId: id, name: 'GET /', kind: 2 },
      ...{ startTimeUnixNano: String(now), endTimeUnixNano: String(now + 1_000_000n) },
    };
  });
  const attributes = [{ key: 'service.name', value: { stringValue: 'web' } }];
  return JSON.stringify({ resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans }] }] });
}

describe('a sink that cannot start', { concurrency: true }, () => {
  const expectError = async (t: TestContext, args: readonly string[], message: RegExp) => {
    const { code, stderr } = await runCli(t, ['sink', ...args]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
  };

  test('reports the port that is in use, and leaves no snapshot behind', { timeout }, async (t) => {
    const folder = await makeFolder(t);
    const server = createServer().listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const address = server.address();
    const port = String(typeof address === 'object' ? address?.port : address);
    await expectError(
      t,
      ['--listen', port, '--metrics', '0'],
      new RegExp(`${port}: the port is in use.*--listen`),
    );
    await expectError(
      t,
      ['--listen', '0', '--metrics', port, '--state', join(folder, 'state.json')],
      new RegExp(`--metrics 127.0.0.1:${port}: the port is in use`),
    );
    assert.deepEqual(await readdir(folder), []);
  });

  test('reports a damaged snapshot, and does not change it', { timeout }, async (t) => {
    const folder = await makeFolder(t, {
      'cut.json': '{"version":1,"totals"',
      'other.json': '{"version":2}',
      'negative.json': '{}',
    });
    for (const name of ['cut.json', 'other.json', 'negative.json']) {
      const path = join(folder, name);
      const before = await readFile(path, 'utf8');
      await expectError(
        t,
        ['--listen', '0', '--metrics', '0', '--state', path],
        /--state .*put a copy of it back, name another file, or move it away to count from zero/,
      );
      assert.equal(await readFile(path, 'utf8'), before);
    }
    await writeFile(join(folder, 'file'), '');
    await expectError(
      t,
      ['--listen', '0', '--metrics', '0', '--state', join(folder, 'file', 'x')],
      /--state .*file/,
    );
  });

  test('reports a missing folder for the counters', { timeout }, async (t) => {
    const state = join(await makeFolder(t), 'absent', 'state.json');
    await assert.rejects(startSinkProcess(t, ['--state', state]), /--state .*the counters cannot be saved: /);
  });

  test('names options with wrong values', { timeout }, async (t) => {
    await expectError(t, ['--listen', 'x'], /--listen.*ports or HOST:PORT/);
    await expectError(t, ['--metrics', '70000'], /--metrics.*port or HOST:PORT/);
    await expectError(t, ['--memory', '1MiB'], /--memory.*16MiB or more/);
    await expectError(t, ['--close-after', '5'], /--close-after.*time with its unit/);
    await expectError(t, ['--close-after', '20m'], /--close-after: at most 300 s/);
  });
});
