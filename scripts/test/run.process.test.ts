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

/** As on a Node that cannot replace its process. */
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
      // In a session of its own, without a terminal.
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

test('paths that are given to the checker are those of the folder in which npm was started', async (t) => {
  const folder = await makeFolder(t, 'spans.jsonl', '{"resourceSpans":[]}\n');
  const script = 'packages/propagation-check/src/cli.ts';
  const child = spawn(process.execPath, [launcher, script, 'file', 'spans.jsonl'], {
    cwd: root,
    env: { ...process.env, npm_lifecycle_event: 'propagation-check', INIT_CWD: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  assert.equal(await text(child.stdout), 'CANNOT TELL  spans.jsonl: no span in it\n');
});

for (const [when, options] of [
  ['by default after a long time', []],
  ['after the time that is given', ['--test-timeout=500']],
] as const)
  test(`a test that hangs ends ${when}, also if it leaves something open`, async (t) => {
    const script = `
      import { createServer } from 'node:net';
      import { test } from 'node:test';
      process.stderr.write(process.execArgv.join(' '));
      test('hangs', { skip: ${options.length === 0} }, () => new Promise(() => createServer().listen(0)));`;
    const folder = await makeFolder(t, 'hangs.test.mjs', script);
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const child = spawn(process.execPath, [launcher, '--test', ...options, join(folder, 'hangs.test.mjs')], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const output = await text(child.stdout);
    assert.match(output, /--test-timeout=\d{3,} --test-force-exit|--test-force-exit.*--test-timeout=\d{3,}/);
    if (options.length > 0) assert.match(output, /hangs.*\n(.*\n)*.*timed out after 500ms/);
  });
