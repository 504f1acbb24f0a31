/** Linters of workflows. They are run by name and version, not as dependencies, because the licence of one is not allowed for a dependency. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { it } from 'node:test';

const root = join(import.meta.dirname, '..', '..');
const actionlint = 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12';
const actionValidator = ['@action-validator/core@0.6.0', '@action-validator/cli@0.6.0'];
const hasGo = spawnSync('go', ['version']).error === undefined;

it('actionlint finds no fault in the workflows, and in the inputs that they give to action.yml', {
  skip: hasGo ? false : 'actionlint is built with Go, and there is none',
}, () => {
  const { status, stdout, stderr } = run('go', ['run', actionlint, '-no-color']);
  assert.deepEqual([status, stdout], [0, ''], stderr);
});

it('action.yml is valid for the schema of SchemaStore', () => {
  const packages = actionValidator.flatMap((name) => ['--package', name]);
  const { status, stdout } = run('npx', [
    '--yes',
    '--ignore-scripts',
    ...packages,
    'action-validator',
    'action.yml',
  ]);
  assert.deepEqual([status, stdout], [0, '']);
});

function run(command: string, args: readonly string[]) {
  return spawnSync(command, [...args], { cwd: root, encoding: 'utf8' });
}
