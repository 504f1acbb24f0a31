import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { nameProject, removeEndedStacks } from '../ended-stacks.ts';
import { runCommand } from '../run-command.ts';
import { findObstacle } from './compose-stack.ts';

const obstacle = await findObstacle();

if (obstacle !== null && process.env.CI === 'true') {
  it('the real stack can run', () => assert.fail(obstacle));
}

describe('stacks of suites that were killed', { skip: obstacle ?? false }, () => {
  const ended = `propagation-e2e-${spawnSync('true').pid}-killed`;
  const running = nameProject('e2e', 'running');

  before(async () => {
    for (const project of [ended, running])
      for (const kind of ['network', 'volume'])
        await runCommand('docker', [
          kind,
          'create',
          '--label',
          `com.docker.compose.project=${project}`,
          project,
        ]);
  });

  after(async () => {
    for (const kind of ['network', 'volume']) await runCommand('docker', [kind, 'rm', running]);
  });

  it('are removed, and those of running suites stay', async () => {
    await removeEndedStacks();
    for (const kind of ['network', 'volume']) {
      const { stdout } = await runCommand('docker', [kind, 'ls', '--format', '{{.Name}}']);
      const names = stdout.split('\n');
      assert.ok(names.includes(running), kind);
      assert.ok(!names.includes(ended), kind);
    }
  });
});
