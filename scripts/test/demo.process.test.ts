import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { decodeBytes } from 'propagation-check';
import { callServiceA } from '../assertion/call-service-a.ts';
import { checkCalls } from '../assertion/check-calls.ts';
import { type DemoOptions, startDemoSystem } from '../demo-system.ts';
import { startService } from '../service-process.ts';

const root = join(import.meta.dirname, '..', '..');
const condition = '--conditions=trace-context-source';
const modes = ['auto', 'manual'] as const;
/** On a busy machine the first request can exceed a service's default timeout. */
const patient = { SERVICE_B_TIMEOUT_MS: '60000', MAX_EVENT_LOOP_DELAY_MS: '60000' };
const silent = { OTEL_TRACES_EXPORTER: 'none' };
const defaults = { timeoutMs: 60_000, settleMs: 60_000, sourcePatienceMs: 60_000, concurrency: 1 } as const;

// The tests run one after the other, because each run of the demo writes to `out/`.
describe('npm run demo', () => {
  for (const mode of modes) {
    it(`is intact in ${mode} mode`, async () => {
      const { code, stdout, stderr } = await runDemo({ PROPAGATION: mode });
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /^INTACT {2}/m);
      assert.match(stdout, /SERVER service-b GET \/work/);
      assert.equal(stderr, '');
    });
  }

  it('checks many traces', async () => {
    const { code, stdout } = await runDemo({}, ['--requests', '30', '--concurrency', '6']);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^30 of 30 traces intact$/m);
  });

  it('works whatever OTEL_ variables the shell has', async () => {
    const { code, stdout } = await runDemo({
      OTEL_SDK_DISABLED: 'true',
      OTEL_SERVICE_NAME: 'x',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:1',
      NODE_OPTIONS: '--no-deprecation',
    });
    assert.equal(code, 0, stdout);
  });

  it('prints commands that lead from a broken trace to its cause', async () => {
    const healthy = await runDemo({});
    assert.equal(readNext(healthy.stdout), 'demo -- --fault strip-traceparent');
    const broken = await runDemo({}, ['--fault', 'strip-traceparent']);
    assert.deepEqual([broken.code, broken.stderr], [1, '']);
    const [, ...args] = readNext(broken.stdout).replace('-- ', '').split(' ');
    const found = await run(join('packages', 'propagation-check', 'src', 'cli.ts'), args, {}, root);
    assert.equal(found.code, 1);
    assert.match(found.stdout, /\(header-stripped\)$/m);
  });

  for (const [fault, cause] of [
    ['late-initialisation', 'server-not-instrumented'],
    ['propagator-mismatch', 'format-mismatch'],
  ] as const)
    it(`names the cause of ${fault} from spans and headers, as the command does that it prints`, async () => {
      const { stdout } = await runDemo({}, ['--fault', fault]);
      assert.match(stdout, new RegExp(`^cause +.*\\(${cause}\\)$`, 'm'));
      assert.doesNotMatch(stdout, /^to decide/m);
      const [, ...args] = readNext(stdout).replace('-- ', '').split(' ');
      const found = await run(join('packages', 'propagation-check', 'src', 'cli.ts'), args, {}, root);
      assert.match(found.stdout, new RegExp(`\\(${cause}\\)$`, 'm'));
    });

  it('fails for a service without a name like the command that it prints', async () => {
    const unnamed = await runDemo({}, ['--fault', 'service-unnamed']);
    const [, ...args] = readNext(unnamed.stdout).replace('-- ', '').split(' ');
    const found = await run(join('packages', 'propagation-check', 'src', 'cli.ts'), args, {}, root);
    assert.deepEqual([unnamed.code, found.code], [1, 1]);
    for (const { stdout } of [unnamed, found]) {
      assert.match(stdout, /^FAILED {2}/m);
      assert.match(stdout, /\(service-unnamed\)$/m);
    }
  });

  it('sends as many requests as a fault needs, unless the number is set', async () => {
    const usual = await runDemo({}, ['--fault', 'stale-context']);
    assert.match(usual.stdout, /^\d of 8 traces intact, \d broken$/m);
    assert.match(usual.stdout, /^cause .*\(stale-context\)$/m);
    const told = await runDemo({}, ['--fault', 'stale-context', '--requests', '1']);
    assert.match(told.stdout, /^INTACT {2}/m);
  });

  it('refuses a fault that breaks nothing in the mode', async () => {
    const { code, stdout, stderr } = await runDemo({ PROPAGATION: 'manual' }, ['--fault', 'body-never-read']);
    const expected = 'demo: --fault body-never-read breaks nothing with --mode manual; give it --mode auto\n';
    assert.deepEqual([code, stdout, stderr], [2, '', expected]);
  });

  it('shows the error line of a service that does not start', async () => {
    const { code, stdout, stderr } = await runDemo({ LOG_LEVEL: 'loud' });
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /^demo: service-b: LOG_LEVEL="loud" is not valid; allowed: .*\n$/);
  });

  for (const args of [
    ['--mode', 'x'],
    ['--fault', 'no-such-fault'],
    ['--requests', '0'],
    ['--timeout', 'soon'],
    ['--no-such'],
    ['extra'],
  ]) {
    it(`refuses ${args.join(' ')} with one line`, async () => {
      const { code, stdout, stderr } = await runDemo({}, args);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, /^demo: .*\n$/);
    });
  }

  it('says how to write an option that npm has consumed', async () => {
    const { code, stdout, stderr } = await runDemo({ npm_config_fault: 'true' }, ['strip-traceparent']);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /^demo: npm keeps .*; write: npm run demo -- --fault <name>\n$/);
  });

  it('keeps its verdict when its output is closed early', async () => {
    const child = spawnDemo({}, ['--requests', '1']);
    child.stdout.destroy();
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
  });
});

describe('what the demo leaves behind', () => {
  it('is a file with every span, which the checker can read', async (t) => {
    const cwd = await makeFolder(t);
    const { stdout } = await runDemo({}, [], cwd);
    const path = /^spans +(\S+)$/m.exec(stdout)?.[1] ?? '';
    const spans = decodeBytes(await readFile(join(cwd, path))).spans;
    const drawn = stdout.match(/ [0-9a-f]{16} {2}/g) ?? [];
    assert.equal(drawn.length, 3);
    assert.deepEqual(
      drawn.map((id) => id.trim()).filter((id) => !spans.some(({ spanId }) => spanId === id)),
      [],
    );
  });

  for (const [signal, expected] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    it(`is no process after ${signal}`, async (t) => {
      const demo = await startHangingDemo(t);
      demo.child.kill(signal);
      demo.resume();
      const [code] = await once(demo.child, 'exit');
      assert.equal(code, expected);
      assert.deepEqual(await findAlive(demo.services), []);
    });
  }

  it('is no process even when it is killed', async (t) => {
    const demo = await startHangingDemo(t);
    demo.child.kill('SIGKILL');
    demo.resume();
    while ((await findAlive(demo.services)).length > 0) await delay(20);
  });

  it('is no process when a service does not stop', async (t) => {
    const demo = await startHangingDemo(t);
    demo.child.kill('SIGINT');
    const [code] = await once(demo.child, 'exit');
    assert.equal(code, 130);
    assert.deepEqual(await findAlive(demo.services), []);
  });
});

describe('no verdict', () => {
  it('names service A when it is killed', async (t) => {
    const system = await start(t);
    process.kill(system.serviceA.pid, 'SIGKILL');
    await system.serviceA.stop();
    const run = await check(system, await call(system));
    assert.deepEqual([run.verdict, run.checks[0]?.silence?.hop], ['unknown', 'service A']);
  });

  it('names service B when it is killed', async (t) => {
    const system = await start(t);
    process.kill(system.serviceB.pid, 'SIGKILL');
    await system.serviceB.stop();
    const run = await check(system, await call(system));
    assert.deepEqual([run.verdict, run.checks[0]?.silence?.hop], ['unknown', 'service B']);
  });

  it('says that nothing was exported', async (t) => {
    const system = await start(t, { 'service-a': silent, 'service-b': silent });
    const calls = await call(system);
    await system.stopServices();
    const run = await check(system, calls);
    assert.deepEqual([run.verdict, run.checks[0]?.silence?.hop], ['unknown', 'service A']);
    assert.match(run.checks[0]?.silence?.reason ?? '', /has exported a span/);
  });

  it('becomes a failure when only B has exported nothing', async (t) => {
    const system = await start(t, { 'service-b': silent });
    const calls = await call(system);
    await system.stopServices();
    const run = await check(system, calls);
    assert.equal(run.verdict, 'broken');
    const failed = run.checks[0]?.statements.filter(({ state }) => state === 'failed');
    assert.deepEqual(
      failed?.map(({ number, found }) => [number, found]),
      [[6, "B's SERVER span has not arrived"]],
    );
  });
});

it('a service that exits without output is named', async () => {
  const signal = new AbortController().signal;
  const env = { ...process.env, NODE_OPTIONS: '--import=data:text/javascript,process.exit(3)' };
  const spec = { name: 'service-b', directory: join(root, 'service-b'), env, preload: [], signal };
  await assert.rejects(startService(spec), {
    name: 'ServiceStartError',
    message: 'service-b exited with code 3 before it listened',
  });
});

type System = Awaited<ReturnType<typeof start>>;

async function start(t: TestContext, own: NonNullable<DemoOptions['own']> = {}) {
  const { signal } = new AbortController();
  const system = await startDemoSystem({
    mode: 'auto',
    fault: null,
    env: { ...process.env, ...patient },
    own,
    signal,
  });
  t.after(() => system.close());
  return system;
}

function call(system: System) {
  const serviceA = system.serviceA.url;
  return callServiceA({ serviceA, requests: 1, concurrency: 1, timeoutMs: 60_000 });
}

/** Checks the calls. No more spans can arrive: both services have stopped, or are not needed. */
function check(system: System, calls: Awaited<ReturnType<typeof call>>) {
  const { receiver } = system;
  const noMoreSpans = AbortSignal.abort();
  return checkCalls(calls, { ...defaults, mode: 'auto', source: receiver, feed: receiver, noMoreSpans });
}

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function cleanEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { FORCE_COLOR: _, ...inherited } = process.env;
  return { ...inherited, FAULT: '', PROPAGATION: '', NO_COLOR: '1', ...patient, ...env };
}

function runDemo(env: NodeJS.ProcessEnv, args: readonly string[] = [], cwd = root): Promise<Ran> {
  return run(join('scripts', 'demo.ts'), args, env, cwd);
}

function run(script: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd: string): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [condition, join(root, script), ...args],
      { cwd, env: cleanEnvironment(env), maxBuffer: 64 * 1024 * 1024 },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}

/** The next command, without `npm run`. */
function readNext(stdout: string): string {
  return /^next +npm run (.*)$/m.exec(stdout)?.[1] ?? '';
}

function spawnDemo(env: NodeJS.ProcessEnv, args: readonly string[]) {
  return spawn(process.execPath, [condition, join(root, 'scripts', 'demo.ts'), ...args], {
    env: cleanEnvironment(env),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'demo-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** Starts a demo whose request hangs because service B is paused, so that it can be interrupted. */
async function startHangingDemo(t: TestContext) {
  const child = spawnDemo({ SERVICE_B_TIMEOUT_MS: '600000' }, []);
  t.after(() => child.kill('SIGKILL'));
  let services: readonly number[] = [];
  let serviceB: number | undefined;
  // The first child is service B: A starts after B listens. Not the lower process id, because ids wrap around at 32,768.
  while (serviceB === undefined || services.length < 2) {
    services = (await listProcesses()).filter(({ ppid }) => ppid === child.pid).map(({ pid }) => pid);
    serviceB ??= services[0];
  }
  const paused = serviceB;
  process.kill(paused, 'SIGSTOP');
  return { child, services, resume: () => process.kill(paused, 'SIGCONT') };
}

async function findAlive(pids: readonly number[]): Promise<readonly number[]> {
  return (await listProcesses()).filter(({ pid }) => pids.includes(pid)).map(({ pid }) => pid);
}

/** Lists the processes without zombies. */
async function listProcesses(): Promise<readonly { readonly pid: number; readonly ppid: number }[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,stat=']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , state]) => !state?.startsWith('Z'))
    .map(([pid, ppid]) => ({ pid: Number(pid), ppid: Number(ppid) }));
}
