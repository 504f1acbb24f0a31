import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { it } from 'node:test';

const root = join(import.meta.dirname, '..', '..');
const actionlint = 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12';
const hasGo = spawnSync('go', ['version']).error === undefined;

it('actionlint finds no fault in the workflows, and in the inputs that they give to action.yml', {
  skip: hasGo ? false : 'actionlint is built with Go, and there is none',
}, () => {
  const { status, stdout, stderr } = spawnSync('go', ['run', actionlint, '-no-color'], {
    cwd: root,
    encoding: 'utf8',
  });
  assert.deepEqual([status, stdout], [0, ''], stderr);
});
