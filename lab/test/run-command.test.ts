import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CommandError, runCommand } from '../run-command.ts';

describe('a command', () => {
  it('resolves with its output', async () => {
    const script = 'process.stdout.write("out"); process.stderr.write("err")';
    assert.deepEqual(await runCommand(process.execPath, ['--eval', script]), {
      stdout: 'out',
      stderr: 'err',
    });
  });

  it('fails with the end of its output', async () => {
    const script = 'console.error("first\\nsecond\\nthird\\nlast"); process.exit(3)';
    await assert.rejects(
      runCommand(process.execPath, ['--eval', script]),
      new CommandError(`${process.execPath} --eval ${script}: second third last`),
    );
  });

  it('fails when there is no such program', async () => {
    await assert.rejects(runCommand('no-such-program', []), CommandError);
  });

  it('does not start after the script was aborted', async () => {
    const reason = new Error('ended');
    await assert.rejects(
      runCommand(process.execPath, ['--eval', ''], { signal: AbortSignal.abort(reason) }),
      reason,
    );
  });

  it('has exited before the script continues after an abort, so that it does not disturb the clean-up', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'run-command-'));
    t.after(() => rm(folder, { recursive: true }));
    const [started, ended] = [join(folder, 'started'), join(folder, 'ended')];
    const script = `
      const { writeFileSync } = require('node:fs');
      const done = () => { writeFileSync(${JSON.stringify(ended)}, 'ended'); process.exit(0); };
      process.on('SIGTERM', () => setTimeout(done, 200));
      writeFileSync(${JSON.stringify(started)}, '');
      setInterval(() => {}, 1000);`;
    const interruption = new AbortController();
    const ran = runCommand(process.execPath, ['--eval', script], { signal: interruption.signal });
    while ((await readFile(started, 'utf8').catch(() => null)) === null) await delay(10);
    const reason = new Error('ended');
    interruption.abort(reason);
    await assert.rejects(ran, reason);
    assert.equal(await readFile(ended, 'utf8'), 'ended');
  });
});
