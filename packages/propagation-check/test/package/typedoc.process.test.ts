import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const workspace = fileURLToPath(new URL('../..', import.meta.url));

test('TypeDoc documents every export of the library, and all types that they name', () => {
  const typedoc = fileURLToPath(import.meta.resolve('typedoc/package.json')).replace(
    'package.json',
    'bin/typedoc',
  );
  const { status, stdout, stderr } = spawnSync(process.execPath, [typedoc, '--emit', 'none'], {
    cwd: workspace,
    encoding: 'utf8',
  });
  assert.equal(status, 0, `${stdout}${stderr}`);
});
