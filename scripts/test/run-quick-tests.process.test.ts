import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const launcher = join(import.meta.dirname, '../run.mjs');
const script = join(import.meta.dirname, '../run-quick-tests.mjs');
const runner = `import { test } from 'node:test'; import assert from 'node:assert/strict';\n`;
const passing = `${runner}test('passes', () => {});\n`;

/** Runs these test files. @returns the output and the exit code */
function runTests(files: Readonly<Record<string, string>>) {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'quick-'));
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  // With this variable node:test would take the process for one of its test files, and run nothing.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout, status } = spawnSync(process.execPath, [launcher, script, folder.path], {
    env,
    encoding: 'utf8',
  });
  return { stdout: stdout.replaceAll(folder.path, '.'), status };
}

test('the files of a folder share a process, .alone files have their own, and there is one sum', () => {
  const name = `${runner}test('process', () => process.stderr.write(\`pid \${process.pid}\\n\`));\n`;
  const { stdout, status } = runTests({
    'test/a.test.ts': name,
    'test/b.test.ts': name,
    'test/c.alone.test.ts': name,
    'package/test/d.test.ts': name,
    'test/e.process.test.ts': name,
    'package/node_modules/x/test/f.test.ts': name,
    'package/reports/sandbox/test/g.test.ts': name,
    'package/.stryker-tmp/sandbox/test/h.test.ts': name,
  });
  const processes = stdout.match(/pid \d+/g) ?? [];
  assert.deepEqual([processes.length, new Set(processes).size], [4, 3]);
  // Two more tests than the files have: for each folder, that its files have not changed the process.
  assert.deepEqual(stdout.match(/^ℹ (pass|fail) \d+/gm), ['ℹ pass 6', 'ℹ fail 0']);
  assert.equal(status, 0);
});

test('a failing test names its file, and so does a file that cannot be loaded', () => {
  const { stdout, status } = runTests({
    'test/a.test.ts': passing,
    'test/fails.test.ts': `${runner}test('fails', () => assert.equal(1, 2));\n`,
    'test/throws.test.ts': `${runner}test('is lost', () => {});\nthrow new Error('not loaded');\n`,
  });
  assert.match(stdout, /✖ fails\n +\.\/test\/fails\.test\.ts:2\n/);
  assert.match(stdout, /✖ file:.*\/test\/throws\.test\.ts\n(.*\n)+? +Error: not loaded/);
  assert.deepEqual([stdout.match(/^ℹ (pass|fail) \d+/gm), status], [['ℹ pass 3', 'ℹ fail 2'], 1]);
});

for (const [how, end] of [
  ['with an error', 'process.exit(7)'],
  ['as if all were well', 'process.exit(0)'],
  ['by a signal', `process.kill(process.pid, 'SIGKILL')`],
] as const)
  test(`a file that ends its process ${how} is named and hides no other`, () => {
    const { stdout, status } = runTests({
      'test/a.test.ts': `${runner}test('ends', () => ${end});\n`,
      'test/b.test.ts': `${runner}test('fails', () => assert.equal(1, 2));\n`,
    });
    assert.match(stdout, /✖ test\/a\.test\.ts ends its process/);
    assert.match(stdout, /✖ fails\n +\.\/test\/b\.test\.ts:2\n/);
    assert.equal(status, 1);
  });

test('a file that leaves its process changed fails its folder', () => {
  const { stdout, status } = runTests({
    'test/a.test.ts': `${passing}process.env.LEFT = 'over';\n`,
    'test/b.test.ts': passing,
  });
  assert.match(
    stdout,
    /✖ the files of a folder leave their process as they found it.*\n(.*\n)*.*'env LEFT=over'/,
  );
  assert.deepEqual([stdout.match(/^ℹ (pass|fail) \d+/gm), status], [['ℹ pass 2', 'ℹ fail 1'], 1]);
});

test('a folder without tests fails', () => {
  assert.equal(runTests({ 'test/e.process.test.ts': passing }).status, 2);
});
