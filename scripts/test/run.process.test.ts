import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const launcher = join(root, 'scripts/run.mjs');

async function makeFolder(t: TestContext, name: string, content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'run-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, name), content);
  return folder;
}

/** Simulates a Node that cannot replace its process. */
const withoutExecve = ['--import', 'data:text/javascript,process.execve=undefined'];

for (const [way, options] of [
  ['replaced', []],
  ['spawned', withoutExecve],
] as const)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    test(`${signal} reaches a script that was ${way}, once`, async (t) => {
      const script = `
        setInterval(() => undefined, 1_000);
        process.on('${signal}', () => { process.stdout.write('got it\\n'); process.exitCode = 3; setTimeout(process.exit, 200); });
        process.stdout.write('ready\\n');`;
      const folder = await makeFolder(t, 'script.mjs', script);
      // In its own session, without a terminal.
      const child = spawn(process.execPath, [...options, launcher, join(folder, 'script.mjs')], {
        detached: true,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      t.after(() => child.kill('SIGKILL'));
      const output: string[] = [];
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => output.push(chunk));
      await once(child.stdout, 'data');
      child.kill(signal);
      const [code] = await once(child, 'close');
      assert.deepEqual([code, output.join('')], [3, 'ready\ngot it\n']);
    });

test('a signal that comes while the script is being spawned ends both', { timeout: 60_000 }, async (t) => {
  const folder = await makeFolder(t, 'script.mjs', 'setInterval(() => undefined, 1_000);');
  const spawnAndSignal = `data:text/javascript,import process from 'node:process';
    import childProcess from 'node:child_process';
    import { syncBuiltinESMExports } from 'node:module';
    const { spawn } = childProcess;
    process.execve = undefined;
    childProcess.spawn = (...all) => {
      const child = spawn(...all);
      process.kill(process.pid, 'SIGTERM');
      return child;
    };
    syncBuiltinESMExports();`.replaceAll(/\n */g, ' ');
  const child = spawn(process.execPath, ['--import', spawnAndSignal, launcher, join(folder, 'script.mjs')], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { pid } = child;
  assert(pid !== undefined);
  let isClosed = false;
  t.after(() => isClosed || process.kill(-pid, 'SIGKILL'));
  child.stdout.resume();
  // `close` is emitted only when the script has closed its output too.
  const [, signal] = await once(child, 'close');
  isClosed = true;
  assert.equal(signal, 'SIGTERM');
});

test('paths for the checker are relative to the folder in which npm was started', async (t) => {
  const folder = await makeFolder(t, 'spans.jsonl', '{"resourceSpans":[]}\n');
  const script = 'packages/propagation-check/src/cli.ts';
  const child = spawn(process.execPath, [launcher, script, 'file', 'spans.jsonl'], {
    cwd: root,
    env: { ...process.env, npm_lifecycle_event: 'propagation-check', INIT_CWD: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  assert.match(await text(child.stdout), /^CANNOT TELL {2}spans[.]jsonl: no span in it; /);
});

/** Runs one test file with the runner. @returns the output */
async function runTests(t: TestContext, script: string, ...options: readonly string[]): Promise<string> {
  const folder = await makeFolder(t, 'some.test.mjs', `import { test } from 'node:test';\n${script}`);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, [launcher, '--test', ...options, join(folder, 'some.test.mjs')], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return text(child.stdout);
}

const leaveOpen = "(await import('node:net')).createServer().listen(0);";

test('a hanging test fails after the default timeout, or after the given one', async (t) => {
  assert.match(
    await runTests(t, "test('tells', () => console.log(process.execArgv.join(' ')));"),
    /--test-timeout=\d{5,}/,
  );
  const hanging = await runTests(
    t,
    `test('hangs', () => new Promise(async () => ${leaveOpen.slice(0, -1)}));`,
    '--test-timeout=500',
  );
  assert.match(hanging, /hangs.*\n(.*\n)*.*timed out after 500ms/);
});

test('a file that leaves a handle open fails, and loses none of its results', async (t) => {
  const output = await runTests(
    t,
    `${leaveOpen}\nfor (let at = 0; at < 1000; at += 1) test('passes ' + at, () => undefined);`,
  );
  assert.match(output, /left open after the tests: .*TCPServerWrap/);
  assert.match(output, /pass 1000\n/);
  assert.match(output, /fail 1\n/);
});
