/**
 * The first results for a new user, with real Python programs and their stock instrumentations: over gRPC and over a queue. Skipped where
 * Python or Redis is missing.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { executeCli } from '../cli/run-cli.ts';
import { findFreePort } from '../free-ports.ts';

const run = promisify(execFile);
const here = fileURLToPath(new URL('.', import.meta.url));
const missing = await findMissing(['python3.11', 'redis-server']);
const skip = missing.length > 0 && `${missing.join(' and ')} is not installed`;

describe('a new user', { skip, timeout: 300_000 }, () => {
  const children: ChildProcess[] = [];
  let folder = '';
  let port = 0;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'newcomer-'));
    await cp(here, folder, { recursive: true });
    port = await findFreePort();
    await run('python3.11', ['-m', 'venv', 'venv'], { cwd: folder });
    await run(join(folder, 'venv/bin/pip'), ['install', '--quiet', '-r', 'requirements.txt'], {
      cwd: folder,
    });
  });
  after(async () => {
    for (const child of children) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  /** @returns The text after `ready` in the output. */
  async function start(command: string, args: readonly string[], ready: RegExp, env: NodeJS.ProcessEnv) {
    const child = spawn(command, args, { cwd: folder, env: { ...process.env, ...env } });
    children.push(child);
    let said = '';
    const found = new Promise<string>((resolve, reject) => {
      const read = (chunk: Buffer) => {
        said += chunk.toString();
        const match = ready.exec(said);
        if (match !== null) resolve(match[1] ?? '');
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('exit', () => reject(new Error(`${args.join(' ')}: ${said}`)));
    });
    return found;
  }

  /** Starts a program with `opentelemetry-instrument`, which exports over gRPC by default. */
  function startTraced(service: string, args: readonly string[], ready: RegExp, env: NodeJS.ProcessEnv = {}) {
    return start(join(folder, 'venv/bin/opentelemetry-instrument'), args, ready, {
      PATH: `${join(folder, 'venv/bin')}:${process.env.PATH}`,
      PYTHONUNBUFFERED: '1',
      OTEL_SERVICE_NAME: service,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
      OTEL_BSP_SCHEDULE_DELAY: '200',
      ...env,
    });
  }

  async function ask(entry: string, ...more: readonly string[]) {
    const args = ['--requests', '3', '--concurrency', '1', '--source', `otlp=127.0.0.1:${port}`, ...more];
    const { code, stdout } = await executeCli('run', `http://127.0.0.1:${entry}/`, ...args);
    return { code, said: stdout.replace(/\s+/g, ' ') };
  }

  const listening = /listening on (\d+)/;

  test('a Python service over gRPC is intact, and a caller without an instrumented client gets the step that decides', async () => {
    const orders = await startTraced('orders', ['python', 'orders.py'], listening);
    const whole = await ask(await startTraced('web', ['python', 'web.py', orders], listening));
    assert.equal(whole.code, 0, whole.said);
    assert.match(whole.said, /✓ web → orders rpc 3 calls/);
    const off = { OTEL_PYTHON_DISABLED_INSTRUMENTATIONS: 'grpc_client' };
    const dark = await startTraced('web', ['python', 'web.py', orders], listening, off);
    const first = await ask(dark);
    assert.equal(first.code, 2, first.said);
    assert.match(first.said, /3 traces began at orders .*--expect "web -> orders"/);
    const second = await ask(dark, '--expect', 'web -> orders');
    assert.equal(second.code, 1, second.said);
    assert.match(
      second.said,
      /The caller’s client library is not instrumented \(client-not-instrumented, likely\)/,
    );
  });

  test('a queue is intact, and a producer without instrumentation gets the step that decides', async () => {
    const redis = await findFreePort();
    const env = { BROKER: `redis://127.0.0.1:${redis}/0` };
    await start('redis-server', ['--port', String(redis), '--save', ''], /Ready to accept connections()/, {});
    const worker = ['celery', '-A', 'jobs', 'worker', '--loglevel', 'INFO', '--pool', 'solo'];
    await startTraced('worker', worker, /celery@\S+ ready()/, env);
    const whole = await ask(await startTraced('shop', ['python', 'shop.py'], listening, env));
    assert.equal(whole.code, 0, whole.said);
    assert.match(whole.said, /✓ shop → worker messaging 3 calls/);
    const off = { ...env, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS: 'celery' };
    const first = await ask(await startTraced('shop', ['python', 'shop.py'], listening, off));
    assert.equal(first.code, 2, first.said);
    // The worker exports at its own intervals, so the last of its three traces may arrive after the verdict.
    assert.match(first.said, /\d traces? began at worker .*--expect "shop -> worker"/);
  });
});

async function findMissing(tools: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    tools.map((tool) =>
      run(tool, ['--version']).then(
        () => [],
        () => [tool],
      ),
    ),
  );
  return found.flat();
}
