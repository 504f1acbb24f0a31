import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';

const root = join(import.meta.dirname, '..', '..');
const script = join(root, 'scripts', 'assert-propagation.ts');

describe('npm run assert', { concurrency: 2 }, () => {
  it('lists its options with --help', async () => {
    const { code, stdout } = await run(['--help']);
    assert.equal(code, 0);
    for (const option of [
      '--service-a',
      '--jaeger',
      '--source',
      '--mode',
      '--timeout',
      '--requests',
      '--json',
      '--account',
    ]) {
      assert.ok(stdout.includes(option), option);
    }
  });

  for (const [args, env, message] of [
    [['--service-a', 'localhost:8081'], {}, /--service-a/],
    [['--jaeger', 'nowhere'], {}, /--jaeger/],
    [['--source', 'elastic=http://x'], {}, /not a source/],
    [['--concurrency', '1.5'], {}, /--concurrency/],
    [[], { SERVICE_A_URL: 'ftp://x' }, /SERVICE_A_URL/],
    [[], { PROPAGATION: 'magic' }, /PROPAGATION/],
    [[], { COUNTERS_BY: 'telepathy' }, /COUNTERS_BY/],
  ] as const) {
    it(`refuses ${JSON.stringify(env)} ${args.join(' ')} with one line`, async () => {
      const { code, stdout, stderr } = await run(args, env);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, message);
      assert.equal(stderr.trim().split('\n').length, 1);
    });
  }

  it('treats empty variables as unset', async (t) => {
    const url = await startFailingServiceA(t);
    const { code, stdout } = await run(['--service-a', url], {
      PROPAGATION: '',
      JAEGER_URL: '',
      SERVICE_A_URL: '',
    });
    assert.equal(code, 2);
    assert.match(stdout, /^NO VERDICT {2}service B stayed silent/m);
    assert.match(stdout, /^next {7}docker compose logs\n/m);
  });

  it('prints the same result as JSON', async (t) => {
    const url = await startFailingServiceA(t);
    const { code, stdout } = await run(['--service-a', url, '--json', '--requests', '3']);
    assert.equal(code, 2);
    const { verdict, unknown, traces } = JSON.parse(stdout);
    assert.deepEqual([verdict, unknown, traces[0].silence.hop], ['unknown', 3, 'service B']);
  });

  for (const [way, env, message] of [
    [
      'network',
      {},
      /^assert: the counters at http:\/\/service-a:9464\/metrics cannot be read: .*Is the stack up/,
    ],
    [
      'compose',
      { PATH: '' },
      /^assert: the counters cannot be read from a container beside the stack: .*ENOENT/,
    ],
  ] as const) {
    it(`exits without an account when a counter cannot be read by ${way}`, async (t) => {
      const url = await startFailingServiceA(t);
      const { code, stdout, stderr } = await run(['--service-a', url, '--account'], {
        ...env,
        COUNTERS_BY: way,
      });
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, message);
      assert.equal(stderr.trim().split('\n').length, 1);
    });
  }

  it('prints the assertion before an account that fails', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'docker-'));
    t.after(() => rm(folder, { recursive: true }));
    const service = 'otel_sdk_exporter_span_exported_total 1';
    const texts = [service, service, 'otelcol_exporter_queue_size 0'].map((text) => ({ text }));
    const calls = JSON.stringify(join(folder, 'calls'));
    // Answers like the stack twice, then fails as if the stack were gone.
    const docker = `#!${process.execPath}
      const { appendFileSync, readFileSync } = require('node:fs');
      appendFileSync(${calls}, '.');
      if (readFileSync(${calls}).length > 2) { console.error('no such service: assert'); process.exit(1); }
      console.log(${JSON.stringify(JSON.stringify(texts))});`;
    await writeFile(join(folder, 'docker'), docker, { mode: 0o755 });
    const url = await startFailingServiceA(t);
    const { code, stdout, stderr } = await run(['--service-a', url, '--account'], { PATH: folder });
    assert.equal(code, 2);
    assert.match(stdout, /^NO VERDICT {2}service B stayed silent/m);
    assert.match(
      stderr,
      /^assert: the counters cannot be read from a container beside the stack: no such service: assert\./,
    );
  });

  it('prints colours only when asked to', async (t) => {
    const url = await startFailingServiceA(t);
    const plain = await run(['--service-a', url]);
    const colored = await run(['--service-a', url], { NO_COLOR: undefined, FORCE_COLOR: '1' });
    assert.equal(plain.stdout.includes('\u001b'), false);
    assert.equal(colored.stdout.includes('\u001b['), true);
  });

  it('keeps its exit code when its output is closed', async (t) => {
    const url = await startFailingServiceA(t);
    const child = spawn(process.execPath, ['--conditions=trace-context-source', script, '--service-a', url], {
      env: clean({}),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    const chunks: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    const [code] = await once(child, 'close');
    assert.deepEqual([code, Buffer.concat(chunks).toString()], [2, '']);
  });

  it('exits with 130 on Ctrl-C, without output', async (t) => {
    const asked = Promise.withResolvers<void>();
    const server = createServer(() => asked.resolve());
    const url = await listen(t, server);
    const child = spawn(process.execPath, ['--conditions=trace-context-source', script, '--service-a', url], {
      env: clean({}),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    await asked.promise;
    child.kill('SIGINT');
    const [code] = await once(child, 'close');
    assert.deepEqual([code, Buffer.concat(chunks).toString()], [130, '']);
  });
});

function clean(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { FORCE_COLOR: _f, PROPAGATION: _p, SERVICE_A_URL: _s, JAEGER_URL: _j, ...inherited } = process.env;
  return { ...inherited, NO_COLOR: '1', ...env };
}

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return new Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>(
    (resolve) => {
      const child = execFile(
        process.execPath,
        ['--conditions=trace-context-source', script, ...args],
        { env: clean(env) },
        (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
      );
    },
  );
}

/** Answers like service A when service B is down. */
function startFailingServiceA(t: TestContext): Promise<string> {
  const body = JSON.stringify({
    error: 'service_b_unreachable',
    message: 'b is away',
    trace_id: 'a'.repeat(32),
  });
  return listen(
    t,
    createServer((_request, response) => response.writeHead(502).end(body)),
  );
}

async function listen(t: TestContext, server: ReturnType<typeof createServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `http://127.0.0.1:${address.port}`;
}
