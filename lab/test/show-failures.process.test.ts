import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const script = join(import.meta.dirname, '../../.ci/show-failures');

function show(lines: readonly string[]): string {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'log-'));
  const log = join(folder.path, 'log');
  writeFileSync(log, lines.map((line) => `${line}\n`).join(''));
  return spawnSync(script, [log], { encoding: 'utf8' }).stdout;
}

const early = Array.from({ length: 40 }, (_, at) => `line ${at}`);

test('failed tests are shown with their location', () => {
  assert.equal(
    show([...early, '✖ adds', '  sum.test.ts:3', '  + actual - expected', '  ', '  + 1', '  - 2', 'after']),
    '✖ adds\n  sum.test.ts:3\n  + actual - expected\n  \n  + 1\n  - 2\n',
  );
});

test('a test that passes after a failed one is not shown as its reason', () => {
  assert.equal(
    show(['▶ sums', '  ✖ adds', '    + 1', '    - 2', '  ✔ subtracts', '    of its own', '✔ others']),
    '  ✖ adds\n    + 1\n    - 2\n',
  );
});

test('a step without tests is shown by the end of its log, without colours', () => {
  const end = show([...early, '\u001b[31mlint/suspicious\u001b[0m  a.ts:1']);
  assert.equal(end, `${early.slice(-19).join('\n')}\nlint/suspicious  a.ts:1\n`);
});
